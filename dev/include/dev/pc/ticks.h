/*
 * Counts of a clock of `hz` and nanoseconds, into each other without drift.
 * `hz` is the owner's, not the guest's: not 0, below 2^34.
 */
#pragma once

#include <stdint.h>

#define TICKS_NEVER UINT64_MAX
#define TICKS_NS_PER_S 1000000000u

/* Whole counts in `ns`. */
static inline uint64_t ticks_from_ns(uint64_t ns, uint64_t hz)
{
	return ns / TICKS_NS_PER_S * hz + ns % TICKS_NS_PER_S * hz / TICKS_NS_PER_S;
}

/* The first nanosecond at which `ticks` have passed; TICKS_NEVER: not in 500 years. */
static inline uint64_t ticks_to_ns(uint64_t ticks, uint64_t hz)
{
	uint64_t ns, rest = (ticks % hz * TICKS_NS_PER_S + hz - 1) / hz;

	if (__builtin_mul_overflow(ticks / hz, (uint64_t)TICKS_NS_PER_S, &ns) ||
	    __builtin_add_overflow(ns, rest, &ns))
		return TICKS_NEVER;
	return ns;
}
