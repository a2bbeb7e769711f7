/*
 * A task that never sleeps sees, on the clock, when it was not running. Beside
 * a hypervisor's budget that shows what each period gave.
 */
#include <FreeRTOS.h>
#include <task.h>

#include "app.h"

#define WINDOW_US 10000u
/* Longer than the tick's interrupt takes, shorter than any wait for time. */
#define GAP_US 250u

void measure_burn(unsigned windows)
{
	uint32_t hz = board_clock_hz(), window = hz / (1000000u / WINDOW_US);
	uint32_t gap = hz / (1000000u / GAP_US), per_us = hz / 1000000u;
	uint32_t least = UINT32_MAX, most = 0, longest = 0, gaps = 0, had = 0;
	uint64_t last, now, end;
	uint32_t delta;

	last = board_clock();
	/* From a gap's end on the pattern repeats. */
	for (end = last + window; (now = board_clock()) - last < gap && now < end; last = now)
		;
	end = now + window;
	last = now;
	for (unsigned n = 0; n < windows;) {
		now = board_clock();
		delta = (uint32_t)(now - last);
		last = now;
		if (delta < gap) {
			had += delta;
		} else {
			gaps++;
			longest = delta > longest ? delta : longest;
		}
		for (; now >= end && n < windows; n++, end += window) {
			least = had < least ? had : least;
			most = had > most ? had : most;
			had = 0;
		}
	}
	app_print("freertos: ran at least %u us, at most %u us in each of %u windows of %u us; "
		  "%u gaps, longest %u us\n",
		  least / per_us, most / per_us, windows, WINDOW_US, gaps, longest / per_us);
}
