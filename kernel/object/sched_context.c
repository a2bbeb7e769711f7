/* Scheduling contexts: binding, donation, invocations. */
#include <kernel/sched_context.h>

#include <kernel/endpoint.h>
#include <kernel/invoke.h>
#include <kernel/notification.h>
#include <kernel/reply.h>
#include <kernel/sched.h>

bool sc_is_released(const struct sched_context *sc)
{
	return sc_is_configured(sc) && refill_ready(sc, this_cpu()->now) &&
	       refill_sufficient(sc, 0);
}

void sc_resume(struct sched_context *sc)
{
	struct tcb *t = sc->tcb;

	if (!t || !tcb_is_runnable(t) || !sc_is_configured(sc))
		return;
	if (sc->sporadic && sc != this_cpu()->sc)
		refill_unblock(sc, this_cpu()->now);
	if (sc_is_released(sc))
		sched_wake(t);
	else
		sched_park(t);
}

void sc_bind_tcb(struct sched_context *sc, struct tcb *t)
{
	sc->tcb = t;
	t->sc = sc;
	sc_resume(sc);
}

void sc_unbind_tcb(struct sched_context *sc)
{
	struct tcb *t = sc->tcb;

	if (sc->yield_from)
		sc_complete_yield(sc->yield_from);
	if (!t)
		return;
	sched_dequeue(t);
	t->sc = NULL;
	sc->tcb = NULL;
}

void sc_unbind_ntfn(struct sched_context *sc)
{
	if (sc->ntfn)
		sc->ntfn->sc = NULL;
	sc->ntfn = NULL;
}

static void unbind_reply(struct sched_context *sc)
{
	if (sc->reply)
		sc->reply->next = 0;
	sc->reply = NULL;
}

static void unbind_all(struct sched_context *sc)
{
	sc_unbind_tcb(sc);
	sc_unbind_ntfn(sc);
	unbind_reply(sc);
}

void sc_destroy(struct sched_context *sc)
{
	struct cpu *c = this_cpu();

	unbind_all(sc);
	sc->refill_max = 0;
	if (c->sc == sc) {
		c->sc = NULL;
		c->used = 0;
		c->timer_dirty = true;
	}
}

void sc_donate(struct sched_context *sc, struct tcb *to)
{
	if (sc->tcb) {
		sched_dequeue(sc->tcb);
		sc->tcb->sc = NULL;
	}
	sc->tcb = to;
	to->sc = sc;
}

uint64_t sc_take_consumed(struct sched_context *sc)
{
	uint64_t us;

	if (sc == this_cpu()->sc)
		sched_commit_time();
	us = arch_ticks_to_us(sc->consumed);
	sc->consumed = 0;
	return us;
}

/* The yielder's call returns: MR0 = time that the context used. */
void sc_complete_yield(struct tcb *yielder)
{
	struct sched_context *sc = yielder->yield_to;

	arch_set_msg_reg(yielder, 0, sc_take_consumed(sc));
	arch_set_msginfo_reg(yielder, 1);
	arch_set_badge_reg(yielder, 0);
	sc_cancel_yield(yielder);
}

void sc_cancel_yield(struct tcb *yielder)
{
	if (yielder->yield_to)
		yielder->yield_to->yield_from = NULL;
	yielder->yield_to = NULL;
}

static bool bind_blocked(const struct sched_context *sc, const struct tcb *t)
{
	return tcb_is_blocked(t) && !sc_is_released(sc);
}

static int invoke_bind(struct invocation *inv, struct sched_context *sc)
{
	struct cap c;

	c = inv_extra(inv, 0);
	if (sc->tcb || sc->ntfn)
		return ABI_ILLEGAL_OPERATION;
	if (cap_type(c) != CAP_TCB && cap_type(c) != CAP_NOTIFICATION)
		return inv_invalid_cap(inv, 1);
	if (cap_type(c) == CAP_TCB) {
		struct tcb *t = cap_object(c);

		if (t->sc || bind_blocked(sc, t))
			return ABI_ILLEGAL_OPERATION;
		sc_bind_tcb(sc, t);
	} else {
		struct notification *n = cap_object(c);

		if (n->sc)
			return ABI_ILLEGAL_OPERATION;
		n->sc = sc;
		sc->ntfn = n;
	}
	return ABI_OK;
}

static int invoke_unbind_object(struct invocation *inv, struct sched_context *sc)
{
	struct cap c;

	c = inv_extra(inv, 0);
	switch (cap_type(c)) {
	case CAP_TCB:
		if (sc->tcb != cap_object(c) || sc->tcb == inv->thread)
			return ABI_ILLEGAL_OPERATION;
		sc_unbind_tcb(sc);
		return ABI_OK;
	case CAP_NOTIFICATION:
		if (sc->ntfn != cap_object(c))
			return ABI_ILLEGAL_OPERATION;
		sc_unbind_ntfn(sc);
		return ABI_OK;
	default: return inv_invalid_cap(inv, 1);
	}
}

/* The target is in no queue yet: either the head of its own, or run first. */
static int yield_to(struct invocation *inv, struct sched_context *sc)
{
	struct tcb *target = sc->tcb, *self = inv->thread;

	if (sc->yield_from)
		sc_complete_yield(sc->yield_from);
	sc_resume(sc);
	if (!sched_can_run(target)) {
		inv_result(inv, 0, sc_take_consumed(sc));
		return ABI_OK;
	}
	sched_dequeue(target);
	if (target->priority < self->priority || domain_of(target) != domain_now()) {
		sched_enqueue_head(target);
		inv_result(inv, 0, sc_take_consumed(sc));
		return ABI_OK;
	}
	sc->yield_from = self;
	self->yield_to = sc;
	/* Not the current thread's turn: it stands behind the target. */
	sched_reschedule();
	sched_enqueue_head(self);
	sched_enqueue_head(target);
	inv->call = false;
	return ABI_OK;
}

static int invoke_yield_to(struct invocation *inv, struct sched_context *sc)
{
	if (!sc->tcb || sc->tcb == inv->thread || sc->tcb->priority > inv->thread->mcp)
		return ABI_ILLEGAL_OPERATION;
	return yield_to(inv, sc);
}

int sc_invoke(struct invocation *inv)
{
	struct sched_context *sc = cap_object(inv->cap);

	switch (inv->label) {
	case ABI_INV_SCHED_CONTEXT_BIND: return invoke_bind(inv, sc);
	case ABI_INV_SCHED_CONTEXT_UNBIND:
		if (sc->tcb == inv->thread)
			return ABI_ILLEGAL_OPERATION;
		unbind_all(sc);
		return ABI_OK;
	case ABI_INV_SCHED_CONTEXT_UNBIND_OBJECT: return invoke_unbind_object(inv, sc);
	case ABI_INV_SCHED_CONTEXT_CONSUMED:
		inv_result(inv, 0, sc_take_consumed(sc));
		return ABI_OK;
	default: /* ABI_INV_SCHED_CONTEXT_YIELD_TO */
		return invoke_yield_to(inv, sc);
	}
}
