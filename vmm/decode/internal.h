/* What the three instruction sets share. */
#pragma once

#include "decode.h"

#define UNPREDICTABLE "the architecture leaves open what this form does"
#define EXCLUSIVE "an exclusive or atomic access, and devices have no monitor for those"
#define SIMD "SIMD and floating-point registers, which the kernel does not show"
#define ODD "an instruction that no program uses on a device"

void decode_a64(struct decode *d, const struct decode_state *s, uint32_t insn);

static inline unsigned bits(uint32_t word, unsigned high, unsigned low)
{
	return word >> low & ((2u << (high - low)) - 1);
}

static inline void decode_refuse(struct decode *d, const char *name, const char *why)
{
	d->name = name;
	d->refused = why;
	d->n = 0;
}

static inline void decode_add(struct decode *d, uint64_t address, unsigned size, unsigned reg)
{
	if (d->n < DECODE_MAX_ACCESSES)
		d->access[d->n++] = (struct decode_access){ address, (uint8_t)size, (uint8_t)reg };
}

struct decode_named {
	uint32_t mask, value;
	const char *name;
};
#define DECODE_FIND(list, insn) decode_find(list, sizeof(list) / sizeof((list)[0]), insn)
const char *decode_find(const struct decode_named *list, unsigned n, uint32_t insn);

/* "ldrsb" and its like. log2: of the size; sign: extended to so many bytes. */
const char *decode_name(bool load, unsigned log2, bool sign);
