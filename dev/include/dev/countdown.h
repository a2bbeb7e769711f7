/*
 * A counter that runs down to zero by a clock of nanoseconds, the core of the
 * timers below. Nothing ticks: its value is worked out when somebody asks, and
 * its owner asks for a call when the next zero is due.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define COUNTDOWN_NEVER UINT64_MAX

struct countdown {
	uint64_t start_ns; /* when `value` was what it counts */
	uint64_t tick_ns;  /* of one count; not 0 */
	uint64_t value;
	uint64_t period; /* counts from zero to zero; 0: it stays at zero */
	uint64_t zeros;  /* since start_ns, as far as they were noticed */
	bool running;
};

/* Stops, holding `value`; a count takes tick_ns. */
void countdown_init(struct countdown *c, uint64_t tick_ns, uint64_t value);
/* What it counts now. `reload` is the value that follows zero, if one does. */
uint32_t countdown_value(const struct countdown *c, uint64_t now_ns, uint32_t reload);
/* From now on it counts from `value`. */
void countdown_start(struct countdown *c, uint64_t now_ns, uint64_t value, uint64_t period);
/* The period from the next zero on; what has passed was asked for before. */
void countdown_set_period(struct countdown *c, uint64_t now_ns, uint32_t reload, uint64_t period);
/* Whether it has reached zero since it was last asked. */
bool countdown_passed(struct countdown *c, uint64_t now_ns);
/* When it will reach zero next, or COUNTDOWN_NEVER. */
uint64_t countdown_next(const struct countdown *c);
