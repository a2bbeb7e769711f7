/*
 * Instructions of x86 that touch device memory: decoded by Zydis, carried out
 * here. Intel SDM volume 2; AMD APM volume 3.
 *
 * Pure functions: registers are a structure, memory and devices are callbacks.
 * The processor exited at a memory access, so it had found the instruction
 * valid; its bytes are nevertheless hostile (another processor of the guest may
 * have changed them since).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { X86_RAX,
       X86_RCX,
       X86_RDX,
       X86_RBX,
       X86_RSP,
       X86_RBP,
       X86_RSI,
       X86_RDI,
       X86_GPRS = 16 };
enum { X86_ES,
       X86_CS,
       X86_SS,
       X86_DS,
       X86_FS,
       X86_GS,
       X86_SEGMENTS };

/* Width of the code: 64 in long mode with CS.L, else by CS.D; real and
 * virtual-8086 mode are 16. */
enum x86_mode { X86_16 = 2,
		X86_32 = 4,
		X86_64 = 8 };

struct x86_state {
	uint64_t reg[X86_GPRS];
	uint64_t rip, rflags;
	enum x86_mode mode;
	bool stack32; /* SS.B; without meaning in X86_64 */
};

#define X86_MAX_BYTES 15
#define X86_BUFFER 16

enum x86_result {
	X86_DONE,
	X86_AGAIN,     /* a string operation has iterations left; RIP is still at it */
	X86_EXCEPTION, /* for the guest; state as the architecture has it then */
	X86_REFUSED,   /* cannot be carried out; outcome.why */
};

enum { X86_DE = 0,
       X86_UD = 6,
       X86_SS_FAULT = 12,
       X86_GP = 13,
       X86_PF = 14 };

struct x86_outcome {
	const char *why;     /* X86_REFUSED */
	uint8_t vector;      /* X86_EXCEPTION */
	bool has_error_code; /* the same */
	uint32_t error_code;
	uint64_t cr2; /* X86_PF */
	/* RFLAGS.TF was set before an instruction that is done: #DB is due. */
	bool single_step;
};

enum x86_operand_kind {
	X86_NONE,
	X86_GPR,
	X86_HIGH, /* AH, CH, DH, BH: reg 0 to 3 */
	X86_MEMORY,
	X86_IMMEDIATE,
	X86_SELECTOR,
	X86_XMM, /* size 32: YMM */
	X86_MMX,
};

struct x86_operand {
	uint8_t kind, reg, size;
};

#define X86_NO_REGISTER 0xff
#define X86_RIP_REGISTER 16

/* What is known of an instruction without the state. */
struct x86_insn {
	uint64_t imm;
	int64_t displacement;
	uint8_t op, sub;            /* internal.h */
	uint8_t bytes;              /* its length */
	uint8_t size;               /* operand size in bytes; of strings: an element */
	uint8_t address;            /* address size in bytes */
	uint8_t segment;            /* of the memory operand, or of a string's source */
	uint8_t base, index, scale; /* of the memory operand */
	bool repeat, until_equal;   /* REP or REPE; REPNE */
	bool locked, vex;
	struct x86_operand operand[3];
};

/*
 * Decodes the instruction at the beginning of `bytes`, of which `n` (at most 15)
 * are the guest's. X86_REFUSED also if it goes on behind them.
 */
enum x86_result x86_decode(struct x86_insn *insn, enum x86_mode mode,
			   const uint8_t bytes[static X86_BUFFER], size_t n,
			   struct x86_outcome *outcome);

/* Decoded instructions by their bytes: a guest's drivers have few. All zero: empty. */
#define X86_CACHE_LINES 64
struct x86_cache {
	struct x86_cached {
		uint64_t word[2], mask[2];
		enum x86_mode mode;
		struct x86_insn insn;
	} line[X86_CACHE_LINES];
};
/* As x86_decode, and kept. NULL: *result says which of the other answers. */
const struct x86_insn *x86_decode_cached(struct x86_cache *cache, const struct x86_state *state,
					 const uint8_t bytes[static X86_BUFFER], size_t n,
					 enum x86_result *result, struct x86_outcome *outcome);

struct x86_segment {
	uint64_t base;
	uint32_t limit; /* in bytes, the last one that is in it */
	uint16_t selector;
	bool readable, writable, expand_down, big;
};

/*
 * What the instruction needs of the machine. Addresses of `read` and `write` are
 * guest-physical, of RAM or a device; sizes are 1, 2, 4, 8 and an access does
 * not cross a page. false: there is no way to do it, and the VM is to be stopped.
 */
struct x86_env {
	void *opaque;
	/* Walks the guest's page tables for an access with the guest's rights; false: #PF with
	 * this error code. */
	bool (*translate)(void *opaque, uint64_t linear, bool write, uint64_t *gpa,
			  uint32_t *error_code);
	bool (*read)(void *opaque, uint64_t gpa, unsigned size, uint64_t *value);
	bool (*write)(void *opaque, uint64_t gpa, unsigned size, uint64_t value);
	/* Asked in X86_64 for FS and GS only, and for selectors that are stored. */
	void (*segment)(void *opaque, unsigned segment, struct x86_segment *out);
	/* The whole of an XMM/YMM register (32 bytes) or MMX register (8); NULL: refused. */
	bool (*vector)(void *opaque, enum x86_operand_kind kind, unsigned reg, bool write,
		       uint8_t value[32]);
	/* INS and OUTS; NULL: refused. */
	bool (*port)(void *opaque, uint16_t port, unsigned size, bool write, uint32_t *value);
	/* The access that made the exit, so that it is not translated again: its last step, not
	 * that of a page-table walk. */
	bool known, known_write;
	uint64_t known_gpa;
	unsigned iterations; /* of a string operation in one go; 0: 64 */
};

/*
 * Carries out the instruction. All addresses are translated before the first
 * access. Unless the answer is X86_DONE the state is as it was, except that a
 * string operation keeps the iterations that it has completed.
 */
enum x86_result x86_run(const struct x86_insn *insn, struct x86_state *state,
			const struct x86_env *env, struct x86_outcome *outcome);
