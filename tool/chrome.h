/* A trace of the kernel's events (abi/trace.h), as init answers with it, written in
 * Chrome's trace format: an object with an array of events, times in microseconds. */
#pragma once

#include "exit_names.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define CHROME_THREADS 2048u

struct chrome {
	FILE *out;
	uint64_t hz, first; /* ticks: of the first event */
	uint64_t events, lost, taken;
	enum exit_codes codes;
	unsigned n_written;
	unsigned n_threads;
	struct chrome_thread {
		uint32_t id, pid;
		uint64_t exit; /* a guest's: when it stopped, 0: it runs */
		uint32_t code; /* of that exit */
	} thread[CHROME_THREADS];
	uint32_t monitor; /* pid of the one that was told of last */
	/* Who runs, or what the kernel works on, since when; 0: not known. */
	uint64_t since, runs;
	uint32_t kind;
	int32_t detail;
};

void chrome_begin(struct chrome *c, FILE *out);
/* One line of init's answers to `events`, in their order. */
void chrome_line(struct chrome *c, const char *line);
void chrome_end(struct chrome *c);
