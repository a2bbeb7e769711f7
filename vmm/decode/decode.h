/*
 * Loads and stores that the hardware did not describe (a data abort without a
 * valid syndrome): which accesses they make and what they leave behind. Arm
 * ARM DDI 0487, C4 (A64), F2 to F5 (A32 and T32).
 *
 * Pure functions. What cannot be carried out on a device is refused with a
 * reason: exclusives and atomics (no device has a monitor), SIMD and
 * floating-point registers (the kernel does not show them), forms that the
 * architecture leaves open.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define DECODE_PC 32u   /* as the register of an access, or the base */
#define DECODE_ZERO 33u /* reads as zero, takes no write */
#define DECODE_MAX_ACCESSES 16

/* x: as AArch64 sees the registers, also those of AArch32 (Arm ARM D1.20.1);
 * x[31]: the stack pointer in use. */
struct decode_state {
	uint64_t x[32];
	uint64_t pc;
	uint32_t pstate;
	bool big_endian; /* of AArch64 data; AArch32 has it in pstate */
};

struct decode_access {
	uint64_t address;
	uint8_t size; /* 1, 2, 4, 8 bytes */
	uint8_t reg;  /* x[reg], DECODE_PC, DECODE_ZERO */
};

struct decode {
	const char *name;    /* mnemonic; NULL: not known */
	const char *refused; /* why it cannot be carried out; NULL: it can */
	uint8_t bytes;       /* of the instruction */
	uint8_t n;           /* accesses; none: its condition fails, or a hint */
	bool write;
	uint8_t sign; /* loads: extend the sign to this many bytes; 0: zero */
	bool writeback;
	uint8_t base;
	uint64_t base_value;
	uint32_t pstate; /* afterwards: an IT block goes on */
	struct decode_access access[DECODE_MAX_ACCESSES];
};

/* The decoder of A32 and T32, apart: not every program has it. name: of what is
 * no load or store, or NULL. */
struct decode_narrow {
	void (*decode)(struct decode *d, const struct decode_state *state, uint32_t insn);
	const char *(*name)(uint32_t pstate, uint32_t insn);
};
extern const struct decode_narrow decode_narrow;

/* The instruction at state->pc, its first halfword in bits 15:0 of insn. narrow:
 * NULL: 32-bit code is refused. */
void decode(struct decode *d, const struct decode_state *state, uint32_t insn,
	    const struct decode_narrow *narrow);

/* One access; false: it fails. */
typedef bool (*decode_bus)(void *opaque, const struct decode_access *access, bool write,
			   uint64_t *value);
/*
 * Carries out what `decode` made of the instruction, in the order of its
 * accesses. If one fails the state is as it was, *failed is that access, and
 * the answer is false.
 */
bool decode_run(const struct decode *d, struct decode_state *state, decode_bus bus, void *opaque,
		const struct decode_access **failed);

/* The instruction's mnemonic, for a report; "unknown" if not known. */
const char *decode_mnemonic(uint32_t pstate, uint32_t insn, const struct decode_narrow *narrow);

#define DECODE_PSTATE_AARCH32 (1u << 4)
#define DECODE_PSTATE_THUMB (1u << 5)
#define DECODE_PSTATE_E (1u << 9)
