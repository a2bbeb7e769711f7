/*
 * A small set of address ranges, ascending, bounded: what memory a machine has,
 * and what is left of it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define REGIONS_MAX 32

struct region {
	uint64_t start, end; /* end is outside */
};

struct regions {
	unsigned count;
	struct region r[REGIONS_MAX];
	bool overflow; /* there were more than fit: some are missing */
};

/* An empty range is ignored. Ranges that overlap stay apart. */
void regions_add(struct regions *l, uint64_t start, uint64_t end);
void regions_subtract(struct regions *l, uint64_t start, uint64_t end);
void regions_subtract_all(struct regions *l, const struct regions *of);
