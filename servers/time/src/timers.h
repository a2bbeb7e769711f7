/*
 * What the time server knows: which clients there are and which of their
 * timers (time_proto.h) are armed. No clock and no system call in here.
 */
#pragma once

#include <selvage/event.h>
#include <selvage/time_proto.h>

#define TIMERS (TIME_CLIENTS * TIME_TIMERS)

struct timers {
	struct event_loop loop; /* its timers only */
	struct event_timer timer[TIMERS];
	bool known[TIME_CLIENTS];
	bool available;      /* whether there is a hardware timer */
	uint64_t min_period; /* ticks */
	/* Timer `id` (client * TIME_TIMERS + timer) has expired. */
	void (*signal)(uint32_t id);
};

void timers_init(struct timers *t, bool available, uint64_t min_period,
		 void (*signal)(uint32_t id));
/*
 * A request that came with `badge`, of `words` message words. What it armed
 * may be due already. Returns the label of the answer: enum time_status, to
 * init enum server_status.
 */
uint64_t timers_request(struct timers *t, uint64_t badge, uint64_t label,
			unsigned words, const uint64_t *mr);
/*
 * Signals what is due at `now`, a periodic timer once: ticks that nobody was
 * there to see are not made up for. Returns when to come again, EVENT_NEVER
 * if nothing is armed.
 */
uint64_t timers_expire(struct timers *t, uint64_t now);
