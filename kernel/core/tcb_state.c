/* States of threads: blocking, waking, suspending. */
#include <kernel/arch.h>
#include <kernel/endpoint.h>
#include <kernel/notification.h>
#include <kernel/reply.h>
#include <kernel/sched.h>
#include <kernel/tcb.h>

void tcb_set_state(struct tcb *t, enum thread_state s)
{
	t->state = (uint8_t)s;
	if (!tcb_is_runnable(t))
		sched_dequeue(t);
}

void tcb_wake(struct tcb *t, enum thread_state s)
{
	t->state = (uint8_t)s;
	if (t->sc)
		sc_resume(t->sc);
}

void tcb_cancel_ipc(struct tcb *t)
{
	switch (t->state) {
	case THREAD_ON_SEND:
	case THREAD_ON_RECEIVE:
		ep_remove(t->blocked_on, t);
		if (t->reply)
			reply_unlink(t->reply);
		break;
	case THREAD_ON_NOTIFICATION:
		ntfn_remove(t->blocked_on, t);
		break;
	case THREAD_ON_REPLY:
		reply_remove_tcb(t);
		break;
	default:
		return;
	}
	t->fault.kind = ABI_FAULT_NULL;
	tcb_set_state(t, THREAD_INACTIVE);
}

void tcb_suspend(struct tcb *t)
{
	if (t->state == THREAD_RUNNING)
		arch_restart_here(t);
	tcb_cancel_ipc(t);
	tcb_set_state(t, THREAD_INACTIVE);
	sc_cancel_yield(t);
}

void tcb_resume(struct tcb *t)
{
	if (tcb_is_runnable(t))
		return;
	tcb_cancel_ipc(t);
	tcb_wake(t, THREAD_RESTART);
}

static void reorder_blocked(struct tcb *t)
{
	if (t->state == THREAD_ON_SEND || t->state == THREAD_ON_RECEIVE)
		ep_reorder(t->blocked_on, t);
	else if (t->state == THREAD_ON_NOTIFICATION)
		ntfn_reorder(t->blocked_on, t);
}

void tcb_set_priority(struct tcb *t, prio_t prio)
{
	struct cpu *c = this_cpu();
	bool queued = t->queue == QUEUE_READY || t == c->candidate;

	if (queued)
		sched_dequeue(t);
	t->priority = prio;
	if (queued)
		sched_wake(t);
	if (t == c->current)
		sched_reschedule();
	reorder_blocked(t);
}

void tcb_finalise(struct tcb *t)
{
	if (t->bound_ntfn)
		ntfn_unbind_tcb(t->bound_ntfn);
	tcb_suspend(t);
	if (t->sc)
		sc_unbind_tcb(t->sc);
	arch_tcb_destroy(t);
}
