/*
 * Scheduling contexts: budget, period and the queue of refills (a sporadic
 * server; period 0 = round robin). Times in ticks.
 */
#pragma once

#include <abi/object.h>
#include <kernel/cap.h>

struct tcb;
struct reply;
struct notification;

struct refill {
	ticks_t time; /* from when it may be used */
	ticks_t amount;
};
_Static_assert(sizeof(struct refill) == ABI_REFILL_BYTES, "ABI");

struct sched_context {
	ticks_t period; /* 0: round robin */
	ticks_t budget;
	ticks_t consumed; /* since it was last read */
	struct tcb *tcb;
	struct reply *reply; /* top of the call stack */
	struct notification *ntfn;
	struct tcb *yield_from;
	word_t badge;
	uint16_t refill_max; /* 0: not configured */
	uint16_t head, count;
	uint8_t core;
	bool sporadic;
	uint8_t size_bits;
	uint8_t pad[7];
	word_t unused[2];
	struct refill refill[]; /* circular, refill_max entries */
};
_Static_assert(sizeof(struct sched_context) == ABI_SCHED_CONTEXT_CORE_BYTES - 2 * ABI_REFILL_BYTES,
	       "ABI");

static inline struct cap cap_sched_context(struct sched_context *sc, unsigned bits)
{
	return cap_make(CAP_SCHED_CONTEXT, ptr_to_paddr(sc), bits, 0);
}
static inline struct cap cap_sched_control(unsigned core)
{
	return cap_make(CAP_SCHED_CONTROL, 0, core, 0);
}
/* Most refills that an object of this size holds (or its fields can count). */
static inline word_t sc_refill_limit(unsigned size_bits)
{
	word_t n = ((1ull << size_bits) - ABI_SCHED_CONTEXT_CORE_BYTES) / ABI_REFILL_BYTES + 2;

	return n < UINT16_MAX ? n : UINT16_MAX;
}

/* --- refills (core/refill.c) --- */
/* Full budget from now on. period 0 = round robin. */
void refill_reset(struct sched_context *sc, unsigned max, ticks_t budget,
		  ticks_t period, ticks_t now);
/* New parameters, the sliding window is kept. */
void refill_update(struct sched_context *sc, unsigned max, ticks_t budget,
		   ticks_t period, ticks_t now);
bool refill_ready(const struct sched_context *sc, ticks_t now);
bool refill_sufficient(const struct sched_context *sc, ticks_t used);
/* Charges `used` ticks. */
void refill_charge(struct sched_context *sc, ticks_t used);
/* The context starts to be used: time not used so far is not saved up. */
void refill_unblock(struct sched_context *sc, ticks_t now);
static inline struct refill *refill_head(struct sched_context *sc) { return &sc->refill[sc->head]; }

/* --- the object --- */
static inline bool sc_is_configured(const struct sched_context *sc) { return sc->refill_max != 0; }
static inline bool sc_is_round_robin(const struct sched_context *sc) { return sc->period == 0; }
/* Configured and the head refill may be used now. */
bool sc_is_released(const struct sched_context *sc);
void sc_bind_tcb(struct sched_context *sc, struct tcb *t);
void sc_unbind_tcb(struct sched_context *sc);
void sc_unbind_ntfn(struct sched_context *sc);
/* The last capability goes. */
void sc_destroy(struct sched_context *sc);
/* Moves the context (from whoever has it) to a thread without one. */
void sc_donate(struct sched_context *sc, struct tcb *to);
/* The thread has just got it or become runnable: queue or park the thread. */
void sc_resume(struct sched_context *sc);
/* Microseconds used since the last reading. */
uint64_t sc_take_consumed(struct sched_context *sc);
void sc_complete_yield(struct tcb *yielder);
void sc_cancel_yield(struct tcb *yielder);
