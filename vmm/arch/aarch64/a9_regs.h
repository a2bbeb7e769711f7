/*
 * CP15 registers of a Cortex-A9 in the Secure state that the processor of the machine
 * does not have at EL1: CBAR, the errata workarounds' diagnostic register, SCR, NSACR
 * and so on. To it they are undefined instructions, which the guest takes itself. So the
 * image is searched for them when it is loaded, each gets a breakpoint, and the monitor
 * does what a Cortex-A9 would (docs/decisions/0019-registers-of-an-a9.md).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the registers hold that only keep what is written. */
struct a9_regs {
	uint32_t kept[6];
};

struct a9_insn {
	uint16_t code; /* VCPU_SYSREG() */
	bool write;
	uint8_t rt;
};

/* An MCR or MRC that always executes, four bytes in ARM or Thumb state. False: another
 * instruction, or of a register that needs no help. */
bool a9_insn_decode(uint32_t first, uint32_t second, struct a9_insn *insn);
/* The next one in bytes[from .. n), which stand at an address that is a multiple of 4;
 * n: there is none. */
size_t a9_insn_find(const uint8_t *bytes, size_t n, size_t from);
uint32_t a9_reg_read(const struct a9_regs *r, uint16_t code, uint32_t periphbase);
void a9_reg_write(struct a9_regs *r, uint16_t code, uint32_t value);
