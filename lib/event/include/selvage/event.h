/*
 * The event loop of a server or monitor: tasks that run when they are ready
 * or at a time, timers, notification bits, and chains of fault handlers.
 *
 * One thread owns a loop; nothing here locks. No system call is made and no
 * memory allocated: waiting, time and the hardware timer come through struct
 * event_env, all other structures are the caller's and stay where they are
 * while in use. Callbacks may do anything to the loop, themselves included,
 * except run it.
 */
#pragma once

#include <selvage/base.h>
#include <selvage/list.h>
#include <selvage/tree.h>

#define EVENT_NEVER UINT64_MAX /* as a time: not before the end of days */
#define EVENT_BITS 64

struct event_loop;

/* Times are in any unit, as long as it is one. */
struct event_env {
	uint64_t (*now)(void *ctx);
	/* When to be woken at the latest, absolute, EVENT_NEVER: not at all.
	 * Called before wait, when it has changed. */
	void (*arm)(void *ctx, uint64_t deadline);
	/* Blocks until there are notification bits or the armed time has
	 * come; returns the bits (0: the time, or for no reason). If the time
	 * shows as a bit, it must not come early. */
	uint64_t (*wait)(void *ctx);
	/* The same without blocking. NULL: bits are looked at only when there
	 * is nothing else to do. */
	uint64_t (*poll)(void *ctx);
};

/* Timers: ordered by time, then by age; all operations O(log n). */

struct event_timer {
	void (*fire)(struct event_timer *t, uint64_t now);
	/* The rest belongs to the loop. */
	struct tree_node by_time, by_token;
	struct event_loop *loop;
	uint64_t deadline;
	uint64_t period;
	uint64_t token;  /* 0: not armed */
	uint64_t missed; /* periods skipped before this firing */
};

void event_timer_init(struct event_timer *t,
		      void (*fire)(struct event_timer *t, uint64_t now));
/*
 * Arms a timer; one that is armed moves. period 0: once. A periodic timer
 * fires at deadline, deadline + period, ...; when the loop is late it fires
 * once and says in `missed` how many it skipped. Returns the token of this
 * arming: never 0, never given twice by one loop.
 */
uint64_t event_timer_arm(struct event_loop *loop, struct event_timer *t,
			 uint64_t deadline, uint64_t period);
/* By token: harmless if that arming has fired (once) or was cancelled, even
 * if the timer's memory has gone to something else since. Whether it was
 * there. */
bool event_timer_cancel(struct event_loop *loop, uint64_t token);
static inline bool event_timer_armed(const struct event_timer *t)
{
	return t->token != 0;
}

/* Tasks: run to completion, first ready first run. */

struct event_task {
	void (*run)(struct event_task *t);
	/* The rest belongs to the loop. */
	struct list_node link;
	struct event_timer timer;
	struct event_loop *loop;
};

void event_task_init(struct event_loop *loop, struct event_task *t,
		     void (*run)(struct event_task *t));
/* Runs once, soon. If it is ready already, or slept, it runs once all the
 * same (and sleeps no more). */
void event_task_wake(struct event_task *t);
/* Runs at that time unless woken before. If it is ready: now and not then. */
void event_task_sleep(struct event_task *t, uint64_t until);
/* Neither ready nor asleep any more. */
void event_task_cancel(struct event_task *t);

/* Notification bits. */

typedef void (*event_bit_fn)(void *ctx, unsigned bit);

/* Whom to call when bit `bit` (0..63) comes; NULL: nobody, it is counted. */
void event_bit_set(struct event_loop *loop, unsigned bit, event_bit_fn fn,
		   void *ctx);

/* The loop. */

struct event_bit {
	event_bit_fn fn;
	void *ctx;
};

struct event_stats {
	uint64_t rounds, waits, fired, missed, ran, bits, stray_bits;
};

struct event_loop {
	const struct event_env *env;
	void *ctx;
	struct tree timers; /* by (deadline, token) */
	struct tree tokens;
	struct list_node ready;
	struct event_bit bit[EVENT_BITS];
	uint64_t next_token;
	uint64_t armed; /* what env->arm was told last */
	bool stop;
	struct event_stats stats;
};

/* env may be NULL for a thread that waits in its own way: no rounds then,
 * only event_loop_fire, event_loop_dispatch and event_loop_deadline. */
void event_loop_init(struct event_loop *loop, const struct event_env *env,
		     void *ctx);
/*
 * One round: fires the timers that are due, runs the tasks that are ready,
 * waits (only if then there is nothing to do) and dispatches the bits, lowest
 * first. What becomes ready meanwhile is for the next round, so a round ends.
 */
void event_loop_run_once(struct event_loop *loop);
/* Rounds until event_loop_stop. */
void event_loop_run(struct event_loop *loop);
void event_loop_stop(struct event_loop *loop);
/* Dispatches bits that came another way, with a received message say. */
void event_loop_dispatch(struct event_loop *loop, uint64_t bits);
/* Fires the timers that are due at `now`, as a round does: at most as many as
 * were armed, whatever their callbacks arm. */
void event_loop_fire(struct event_loop *loop, uint64_t now);
/* The earliest deadline, EVENT_NEVER if there is none. */
uint64_t event_loop_deadline(const struct event_loop *loop);

/*
 * Chains of handlers: each is asked in order of priority, 255 first, among
 * equals the one added first, until one takes what is offered. For faults:
 * a chain per kind, the fault record as `what`.
 */

struct event_handler {
	/* Whether it took it. */
	bool (*handle)(struct event_handler *h, void *what);
	uint8_t priority;
	/* The rest belongs to the chain. */
	struct tree_node node;
	uint64_t age;
	struct event_chain *chain;
};

struct event_chain {
	struct tree handlers;
	uint64_t next_age;
};

void event_chain_init(struct event_chain *c);
void event_handler_init(struct event_handler *h, uint8_t priority,
			bool (*handle)(struct event_handler *h, void *what));
/* false: it is in a chain already. */
bool event_chain_add(struct event_chain *c, struct event_handler *h);
/* false: it is not in that chain. */
bool event_chain_remove(struct event_chain *c, struct event_handler *h);
/*
 * Offers `what` to the handlers; the one that took it, or NULL. Handlers may
 * add and remove handlers, themselves included: one that is removed before
 * its turn is not asked, one that is added behind the current place is.
 */
struct event_handler *event_chain_dispatch(struct event_chain *c, void *what);
