/* Notes from when to when a thread ran. */
#pragma once

#include <stdint.h>

#define RUNS 32u

struct recorder {
	volatile unsigned runs;
	struct {
		uint64_t from, to;
	} run[RUNS + 1];
};

/* The caller runs now; after a pause of more than `gap_us` that is another
 * run, of which RUNS are kept. */
void recorder_note(struct recorder *r, uint64_t gap_us);
