/* Invariants of the scheduler's queues and of the thread that runs. */
#include "check.h"

#include <kernel/sched.h>

#define EMPTY_STEP 16u /* empty queues looked at per entry */

static void check_ready_thread(const struct cpu *c, const struct tcb *t, unsigned prio)
{
	INVARIANT("ready queue: thread marked", t, t->queue == QUEUE_READY);
	INVARIANT("ready queue: priority", t, t->priority == prio);
	INVARIANT("ready queue: runnable", t, tcb_is_runnable(t));
	INVARIANT("ready queue: not current", t, t != c->current && t != c->candidate);
	INVARIANT("ready queue: has a context", t, t->sc && t->sc->tcb == t);
	INVARIANT("ready queue: has budget", t, sc_is_released(t->sc));
}

static void check_ready_queue(const struct cpu *c, const struct ready *r, unsigned prio)
{
	const struct tcb_list *q = &r->list[prio];
	const struct tcb *before = NULL;

	INVARIANT("ready queue: bitmap", q, q->head != NULL);
	for (const struct tcb *t = q->head; t; before = t, t = t->sched_next) {
		INVARIANT("ready queue: link back", t, t->sched_prev == before);
		INVARIANT("ready queue: of its domain", t, r == &c->ready[domain_of(t)]);
		check_ready_thread(c, t, prio);
	}
	INVARIANT("ready queue: tail", q, q->tail == before);
}

static int top_of(const struct ready *r)
{
	for (int w = PRIO_WORDS - 1; w >= 0; w--)
		if (r->map[w])
			return w * 64 + 63 - __builtin_clzll(r->map[w]);
	return -1;
}

static void check_ready(const struct cpu *c, const struct ready *r)
{
	static unsigned at;

	for (unsigned w = 0; w < PRIO_WORDS; w++) {
		INVARIANT("ready queue: bitmap of words", c,
			  (r->words >> w & 1) == (r->map[w] != 0));
		for (word_t bits = r->map[w]; bits; bits &= bits - 1)
			check_ready_queue(c, r, w * 64 + (unsigned)__builtin_ctzll(bits));
	}
	INVARIANT("ready queue: best priority", c, r->top == top_of(r));
	for (unsigned i = 0; i < EMPTY_STEP; i++, at = (at + 1) % NUM_PRIORITIES)
		if (!(r->map[at / 64] >> at % 64 & 1))
			INVARIANT("ready queue: bitmap", &r->list[at], !r->list[at].head);
}

static void check_release(const struct cpu *c)
{
	const struct tcb *before = NULL;

	for (const struct tcb *t = c->release; t; before = t, t = t->sched_next) {
		INVARIANT("release queue: thread marked", t, t->queue == QUEUE_RELEASE);
		INVARIANT("release queue: link back", t, t->sched_prev == before);
		INVARIANT("release queue: runnable", t, tcb_is_runnable(t));
		INVARIANT("release queue: has a context", t,
			  t->sc && t->sc->tcb == t && sc_is_configured(t->sc));
		INVARIANT("release queue: not due", t, !refill_ready(t->sc, c->now));
		INVARIANT("release queue: by time", t,
			  !before || refill_head(before->sc)->time <= refill_head(t->sc)->time);
	}
}

/* For the fast path, which then does not look at clock and queues. */
static void check_quiet(const struct cpu *c)
{
	ticks_t end = c->now + refill_head(c->sc)->amount - c->used;

	INVARIANT("quiet time: within the budget", c,
		  (int64_t)(end - sched_min_budget() - c->quiet_until) >= 0);
	if (SELVAGE_DOMAINS > 1)
		INVARIANT("quiet time: within the domain's turn", c,
			  (int64_t)(c->domain_end - sched_wcet() - c->quiet_until) >= 0);
	if (c->release)
		INVARIANT("quiet time: before the next release", c,
			  (int64_t)(refill_head(c->release->sc)->time - sched_wcet() -
				    c->quiet_until) >= 0);
}

static void check_current(const struct cpu *c)
{
	const struct tcb *t = c->current;

	INVARIANT("scheduler: nothing left to do", c,
		  !c->candidate && !c->reschedule && !c->timer_dirty);
	if (!t) {
		INVARIANT("scheduler: idle without work", c, c->ready[domain_now()].words == 0);
		INVARIANT("scheduler: idle is nobody's time", c, !c->sc);
		return;
	}
	INVARIANT("current: running", t, t->state == THREAD_RUNNING);
	INVARIANT("current: in no queue", t, t->queue == QUEUE_NONE);
	INVARIANT("current: on its context", t, t->sc && t->sc == c->sc && c->sc->tcb == t);
	INVARIANT("current: context configured", t, sc_is_configured(t->sc));
	INVARIANT("current: no fault", t, t->fault.kind == ABI_FAULT_NULL);
	INVARIANT("current: best priority", t, c->ready[domain_now()].top <= t->priority);
	INVARIANT("current: its domain's turn", t, domain_of(t) == domain_now());
	check_quiet(c);
	check_sched_context(c->sc);
	check_tcb(t);
}

void check_scheduler(const struct cpu *c)
{
	INVARIANT("domain: there is one of that number", c, c->domain < SELVAGE_DOMAINS);
	INVARIANT("domain: its turn is not over", c,
		  SELVAGE_DOMAINS == 1 || c->now < c->domain_end);
	for (unsigned i = 0; i < SELVAGE_DOMAINS; i++)
		check_ready(c, &c->ready[i]);
	check_release(c);
	check_current(c);
}
