/* The machine's counter and its units. Conversions round down and saturate
 * instead of overflowing. */
#pragma once

#include <stdint.h>

/* value * to / from without overflow on the way; from is not 0. */
static inline uint64_t clock_scale(uint64_t value, uint64_t from, uint64_t to)
{
	uint64_t whole = value / from;
	uint64_t rest = value % from; /* < from; from and to are below 2^32 */
	uint64_t product;

	if (__builtin_mul_overflow(whole, to, &product))
		return UINT64_MAX;
	if (__builtin_add_overflow(product, rest * to / from, &product))
		return UINT64_MAX;
	return product;
}

#define CLOCK_US_PER_S 1000000u
#define CLOCK_NS_PER_S 1000000000u
