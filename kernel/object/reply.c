/* Reply objects and the call stacks of scheduling contexts. */
#include <kernel/reply.h>

#include <kernel/arch.h>
#include <kernel/ipc.h>
#include <kernel/sched.h>

static struct sched_context *head_context(const struct reply *r)
{
	if (!(r->next & REPLY_IS_HEAD))
		return NULL;
	return (struct sched_context *)(uintptr_t)(r->next & ~REPLY_IS_HEAD);
}

static struct reply *newer(const struct reply *r)
{
	return r->next & REPLY_IS_HEAD ? NULL : (struct reply *)(uintptr_t)r->next;
}

void reply_unlink(struct reply *r)
{
	r->tcb->reply = NULL;
	r->tcb = NULL;
}

static void push_on_stack(struct reply *r, struct sched_context *sc)
{
	r->prev = sc->reply;
	if (r->prev)
		r->prev->next = (word_t)(uintptr_t)r;
	reply_make_top(r, sc);
}

void reply_push(struct reply *r, struct tcb *caller, struct tcb *callee, bool donate)
{
	struct sched_context *sc = caller->sc;

	r->tcb = caller;
	caller->reply = r;
	tcb_set_state(caller, THREAD_ON_REPLY);
	if (donate && sc && !callee->sc) {
		push_on_stack(r, sc);
		sc_donate(sc, callee);
	}
}

/* Off the stack from its top: the context goes to the caller without one. */
static void pop_from_stack(struct reply *r, struct tcb *caller)
{
	struct sched_context *sc = head_context(r);

	reply_make_top(r->prev, sc);
	r->prev = NULL;
	r->next = 0;
	if (!caller->sc)
		sc_donate(sc, caller);
}

/* Out of the middle (or from under it): the calls on either side are not
 * connected any more. */
static void break_stack(struct reply *r)
{
	struct sched_context *sc = head_context(r);

	if (sc)
		sc->reply = NULL;
	else if (newer(r))
		newer(r)->prev = NULL;
	if (r->prev)
		r->prev->next = 0;
	r->prev = NULL;
	r->next = 0;
}

static void pop(struct reply *r)
{
	struct tcb *caller = r->tcb;

	if (head_context(r))
		pop_from_stack(r, caller);
	else
		break_stack(r);
	reply_unlink(r);
}

void reply_remove_tcb(struct tcb *caller)
{
	struct reply *r = caller->reply;

	break_stack(r);
	reply_unlink(r);
}

void reply_destroy(struct reply *r)
{
	struct tcb *t = r->tcb;

	if (!t)
		return;
	if (t->state == THREAD_ON_REPLY) {
		pop(r);
		t->fault.kind = ABI_FAULT_NULL;
		tcb_set_state(t, THREAD_INACTIVE);
	} else {
		tcb_cancel_ipc(t);
	}
}

/* The fault stands behind a call that has its answer: it is not repeated. */
static void timeout(struct tcb *t)
{
	if (t->state == THREAD_RUNNING)
		arch_restart_here(t);
	ipc_timeout_fault(t);
}

/* The caller has its answer; without budget it waits for it or says so. */
static void resume_caller(struct tcb *t, bool was_timeout)
{
	struct sched_context *sc = t->sc;

	if (!sc || !tcb_is_runnable(t))
		return;
	if (sc->sporadic && sc != this_cpu()->sc)
		refill_unblock(sc, this_cpu()->now);
	if (sc_is_released(sc))
		sched_wake(t);
	else if (!was_timeout && sc_is_configured(sc) &&
		 cap_type(t->slots[TCB_TIMEOUT_HANDLER].cap) == CAP_ENDPOINT)
		timeout(t);
	else if (sc_is_configured(sc))
		sched_park(t);
}

void reply_send(struct reply *r, struct tcb *sender, bool grant)
{
	struct tcb *t = r->tcb;
	unsigned fault;

	if (!t || t->state != THREAD_ON_REPLY)
		return;
	pop(r);
	fault = t->fault.kind;
	if (fault == ABI_FAULT_NULL) {
		ipc_transfer(sender, t, NULL, 0, grant);
		t->state = THREAD_RUNNING;
	} else {
		t->state = ipc_fault_reply(sender, t) ? THREAD_RESTART : THREAD_INACTIVE;
	}
	resume_caller(t, fault == ABI_FAULT_TIMEOUT);
}
