/* The scheduler: who runs, on whose time. */
#include <kernel/sched.h>

#include <kernel/arch.h>
#include <kernel/boot.h>
#include <kernel/endpoint.h>
#include <kernel/ipc.h>

#define KERNEL_WCET_US 10
#define MIN_BUDGET_US (2 * KERNEL_WCET_US)

struct cpu cpus[1];
static ticks_t wcet_ticks, min_budget_ticks;

void cpu_init(void)
{
	wcet_ticks = arch_us_to_ticks(KERNEL_WCET_US);
	min_budget_ticks = arch_us_to_ticks(MIN_BUDGET_US);
	this_cpu()->now = arch_now();
	for (unsigned i = 0; i < SELVAGE_DOMAINS; i++)
		this_cpu()->ready[i].top = -1;
}

uint64_t sched_min_budget_us(void) { return MIN_BUDGET_US; }
ticks_t sched_min_budget(void) { return min_budget_ticks; }
ticks_t sched_wcet(void) { return wcet_ticks; }

/* --- ready queues --- */

static struct ready *ready_of(const struct tcb *t) { return &this_cpu()->ready[domain_of(t)]; }

static void mark_ready(struct ready *r, prio_t prio)
{
	r->map[prio / 64] |= 1ull << prio % 64;
	r->words |= 1ull << prio / 64;
	if (prio > r->top)
		r->top = prio;
}

static unsigned top_bit(word_t w) { return 63u - (unsigned)__builtin_clzll(w); }

static void unmark_ready(struct ready *r, prio_t prio)
{
	unsigned w = prio / 64;

	r->map[w] &= ~(1ull << prio % 64);
	if (r->map[w] == 0)
		r->words &= ~(1ull << w);
	if (prio < r->top)
		return;
	r->top = -1;
	if (r->words) {
		w = top_bit(r->words);
		r->top = (int)(w * 64 + top_bit(r->map[w]));
	}
}

void sched_enqueue_head(struct tcb *t)
{
	struct tcb_list *q = &ready_of(t)->list[t->priority];

	t->queue = QUEUE_READY;
	t->sched_prev = NULL;
	t->sched_next = q->head;
	if (q->head)
		q->head->sched_prev = t;
	else
		q->tail = t;
	q->head = t;
	mark_ready(ready_of(t), t->priority);
}

static void enqueue_tail(struct tcb *t)
{
	struct tcb_list *q = &ready_of(t)->list[t->priority];

	t->queue = QUEUE_READY;
	t->sched_next = NULL;
	t->sched_prev = q->tail;
	if (q->tail)
		q->tail->sched_next = t;
	else
		q->head = t;
	q->tail = t;
	mark_ready(ready_of(t), t->priority);
}

static void unlink_ready(struct tcb *t)
{
	struct tcb_list *q = &ready_of(t)->list[t->priority];

	if (t->sched_prev)
		t->sched_prev->sched_next = t->sched_next;
	else
		q->head = t->sched_next;
	if (t->sched_next)
		t->sched_next->sched_prev = t->sched_prev;
	else
		q->tail = t->sched_prev;
	if (!q->head)
		unmark_ready(ready_of(t), t->priority);
	t->queue = QUEUE_NONE;
}

static void unlink_release(struct cpu *c, struct tcb *t)
{
	if (t->sched_prev) {
		t->sched_prev->sched_next = t->sched_next;
	} else {
		c->release = t->sched_next;
		c->timer_dirty = true;
	}
	if (t->sched_next)
		t->sched_next->sched_prev = t->sched_prev;
	t->queue = QUEUE_NONE;
}

void sched_dequeue(struct tcb *t)
{
	struct cpu *c = this_cpu();

	if (c->candidate == t)
		c->candidate = NULL;
	if (t->queue == QUEUE_READY)
		unlink_ready(t);
	else if (t->queue == QUEUE_RELEASE)
		unlink_release(c, t);
}

void sched_park(struct tcb *t)
{
	struct cpu *c = this_cpu();
	ticks_t due = refill_head(t->sc)->time;
	struct tcb *before = NULL, *after;

	sched_dequeue(t);
	after = c->release;
	/* Bounded by the parked threads. */
	while (after && refill_head(after->sc)->time <= due) {
		before = after;
		after = after->sched_next;
	}
	t->queue = QUEUE_RELEASE;
	t->sched_prev = before;
	t->sched_next = after;
	if (after)
		after->sched_prev = t;
	if (before)
		before->sched_next = t;
	else
		c->release = t;
	c->timer_dirty |= !before;
}

/* --- who may run --- */

bool sched_can_run(const struct tcb *t)
{
	return tcb_is_runnable(t) && t->sc && sc_is_configured(t->sc) &&
	       t->queue != QUEUE_RELEASE;
}

static void flush_candidate(struct cpu *c)
{
	struct tcb *t = c->candidate;

	c->candidate = NULL;
	c->reschedule = true;
	if (t)
		enqueue_tail(t);
}

void sched_wake(struct tcb *t)
{
	struct cpu *c = this_cpu();

	if (!sched_can_run(t) || t == c->current || t == c->candidate || t->queue != QUEUE_NONE)
		return;
	if (c->candidate || c->reschedule || domain_of(t) != domain_now()) {
		flush_candidate(c);
		enqueue_tail(t);
	} else {
		c->candidate = t;
	}
}

void sched_reschedule(void) { flush_candidate(this_cpu()); }

static struct tcb *take_top(const struct ready *r)
{
	struct tcb *t;

	if (r->top < 0)
		return NULL;
	t = r->list[r->top].head;
	unlink_ready(t);
	return t;
}

/* The candidate runs at once if none is better; on a tie with the thread that
 * is running it waits. */
static struct tcb *choose(struct cpu *c)
{
	struct tcb *t = c->candidate, *cur = c->current;
	const struct ready *r = &c->ready[domain_now()];

	c->candidate = NULL;
	c->reschedule = false;
	if (cur && cur->queue == QUEUE_NONE && sched_can_run(cur)) {
		if (t && t->priority <= cur->priority) {
			enqueue_tail(t);
			t = NULL;
		}
		sched_enqueue_head(cur);
	}
	if (t && t->priority >= r->top)
		return t;
	if (t)
		sched_enqueue_head(t);
	return take_top(r);
}

/* --- time --- */

void sched_time_enter(void)
{
	struct cpu *c = this_cpu();
	ticks_t now = arch_now();

	c->used += now - c->now;
	c->now = now;
}

static void charge(struct cpu *c, ticks_t amount)
{
	refill_charge(c->sc, amount);
	c->sc->consumed += c->used;
	c->used = 0;
	c->timer_dirty = true;
}

void sched_commit_time(void)
{
	struct cpu *c = this_cpu();

	if (c->sc && sc_is_configured(c->sc) && c->used)
		charge(c, c->used);
	c->used = 0;
}

/* The current thread's head refill is gone: end of its time slice. */
static void end_slice(struct tcb *t, bool may_fault)
{
	struct sched_context *sc = t->sc;

	if (!tcb_is_runnable(t))
		return;
	if (may_fault && !sc_is_round_robin(sc) &&
	    cap_type(t->slots[TCB_TIMEOUT_HANDLER].cap) == CAP_ENDPOINT) {
		ipc_timeout_fault(t);
	} else if (sc_is_released(sc)) {
		sched_dequeue(t);
		enqueue_tail(t);
	} else {
		sched_park(t);
	}
	sched_reschedule();
}

bool sched_check_budget(void)
{
	struct cpu *c = this_cpu();

	if (!c->sc || refill_sufficient(c->sc, c->used))
		return true;
	charge(c, c->used);
	if (c->current)
		end_slice(c->current, true);
	return false;
}

void sched_give_up(void)
{
	struct cpu *c = this_cpu();

	charge(c, refill_head(c->sc)->amount);
	end_slice(c->current, false);
}

static void switch_context(struct cpu *c, struct sched_context *sc)
{
	if (c->sc == sc)
		return;
	sched_commit_time();
	c->sc = sc;
	c->timer_dirty = true;
	if (sc && !sc->sporadic)
		refill_unblock(sc, c->now);
}

static void set_timer(struct cpu *c)
{
	ticks_t deadline = ~0ull, due = SELVAGE_DOMAINS > 1 ? c->domain_end : ~0ull;

	c->timer_dirty = false;
	if (c->sc) {
		deadline = c->now + refill_head(c->sc)->amount - c->used;
		c->quiet_until = deadline - min_budget_ticks;
	}
	if (c->release && refill_head(c->release->sc)->time < due)
		due = refill_head(c->release->sc)->time;
	if (due < deadline)
		deadline = due;
	if (due < c->quiet_until + wcet_ticks)
		c->quiet_until = due - wcet_ticks;
	arch_timer_set(deadline);
}

static void wake_due(struct cpu *c)
{
	while (c->release && refill_ready(c->release->sc, c->now)) {
		struct tcb *t = c->release;

		unlink_release(c, t);
		if (t == c->current)
			c->reschedule = true;
		else
			sched_wake(t);
	}
}

static void switch_thread(struct cpu *c, struct tcb *t)
{
	if (t != c->current) {
		c->current = t;
		if (t)
			(void)arch_switch_to(t);
		else
			arch_switch_to_idle();
	}
}

static void activate(struct tcb *t)
{
	if (t->state == THREAD_RESTART) {
		arch_restart(t);
		t->state = THREAD_RUNNING;
	}
	if (t->yield_to)
		sc_complete_yield(t);
}

/* The current thread may go on; on a context that it has just been given only
 * if that has budget. */
static bool current_goes_on(const struct cpu *c)
{
	struct tcb *t = c->current;

	if (!t)
		return true;
	if (sched_can_run(t) && t->sc != c->sc && !sc_is_released(t->sc))
		sched_park(t);
	return sched_can_run(t);
}

void sched_finish(void)
{
	struct cpu *c = this_cpu();

	if (SELVAGE_DOMAINS > 1)
		domain_update(c);
	wake_due(c);
	if (!current_goes_on(c) || c->reschedule || c->candidate)
		switch_thread(c, choose(c));
	switch_context(c, c->current ? c->current->sc : NULL);
	if (c->current)
		activate(c->current);
	if (c->timer_dirty)
		set_timer(c);
}

void sched_preempt(struct tcb *to)
{
	struct cpu *c = this_cpu();

	sched_enqueue_head(c->current);
	c->current = to;
	switch_context(c, to->sc);
	set_timer(c);
	(void)arch_switch_to(to);
}

void sched_start(struct tcb *t)
{
	sched_wake(t);
	sched_finish();
}
