/* Numbers for random operation sequences: the same ones in every run. */
#pragma once

#include <stdint.h>

struct random {
	uint64_t state; /* not 0 */
};

static inline uint64_t random_u64(struct random *r)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 7;
	r->state ^= r->state << 17;
	return r->state * 0x2545f4914f6cdd1dull;
}

/* 0 .. n - 1; n is not 0. */
static inline unsigned random_below(struct random *r, unsigned n)
{
	return (unsigned)((random_u64(r) >> 32) % n);
}
