/*
 * Armed timers in a binary heap by deadline; every operation is O(log n).
 * Timers are numbered 0..TIMERQ_TIMERS-1; equal deadlines go by number. No
 * clock and no system call in here.
 */
#pragma once

#include <selvage/time_proto.h>
#include <stdbool.h>
#include <stdint.h>

#define TIMERQ_TIMERS (TIME_CLIENTS * TIME_TIMERS)

struct timerq_timer {
	uint64_t deadline; /* counter ticks */
	uint64_t period;   /* ticks; 0: one shot */
	uint32_t place;    /* position in the heap + 1; 0: idle */
};

struct timerq {
	uint32_t count;
	uint16_t heap[TIMERQ_TIMERS];
	struct timerq_timer timer[TIMERQ_TIMERS];
};

/* A zeroed struct timerq is empty. Arming an armed timer moves it. */
void timerq_arm(struct timerq *q, uint32_t id, uint64_t deadline,
		uint64_t period);
void timerq_cancel(struct timerq *q, uint32_t id);
/* The earliest deadline; false if nothing is armed. */
bool timerq_next(const struct timerq *q, uint64_t *deadline);
/*
 * Takes one timer that is due at `now`. A periodic one is armed again for
 * the first multiple of its period after `now`: ticks that nobody was there
 * to see are not made up for.
 */
bool timerq_expire(struct timerq *q, uint64_t now, uint32_t *id);
