/* What A32 and T32 share. */
#pragma once

#include "internal.h"

void decode_arm(struct decode *d, const struct decode_state *s, uint32_t insn);
void decode_thumb(struct decode *d, const struct decode_state *s, uint32_t insn);

/* A load or store of one or two general registers of AArch32. */
struct a32_access {
	unsigned t, t2, n; /* t2: A32_NONE but for LDRD and STRD */
	unsigned size;     /* bytes; of each register */
	bool load, sign, index, add, writeback;
	uint32_t offset;
};
#define A32_NONE 16u

void a32_access(struct decode *d, const struct decode_state *s, const struct a32_access *a);

struct a32_multiple {
	unsigned n, list;
	bool load, before, add, writeback;
	bool user; /* registers of User mode */
};
void a32_multiple(struct decode *d, const struct decode_state *s, const struct a32_multiple *m);

/* Register n as an operand; 15: the PC of the pipeline. */
uint32_t a32_reg(const struct decode_state *s, unsigned n);
/* Bits 27:25 are 110: of coprocessors, and of SIMD and floating point. */
void a32_coprocessor(struct decode *d, uint32_t insn);
bool a32_condition(uint32_t pstate, unsigned condition);

/* ITSTATE in pstate: IT[7:2] at 15:10, IT[1:0] at 26:25. */
#define IT_MASK (0x3fu << 10 | 3u << 25)
static inline unsigned it_of(uint32_t pstate)
{
	return bits(pstate, 15, 10) << 2 | bits(pstate, 26, 25);
}
uint32_t a32_it_advance(uint32_t pstate);
