/* Notifications. */
#include <kernel/notification.h>

#include <kernel/arch.h>
#include <kernel/sched.h>
#include <kernel/tcb_queue.h>

static void deliver(struct tcb *t, word_t badge) { arch_set_badge_reg(t, badge); }

/* A passive thread runs on the notification's context, if that is free. */
static void lend_sc(struct notification *n, struct tcb *t)
{
	if (!t->sc && n->sc && !n->sc->tcb)
		sc_donate(n->sc, t);
}

void ntfn_return_sc(struct notification *n, struct tcb *t)
{
	if (n->sc && t->sc == n->sc) {
		sched_dequeue(t);
		t->sc = NULL;
		n->sc->tcb = NULL;
	}
}

static void wake(struct notification *n, struct tcb *t, word_t badge)
{
	deliver(t, badge);
	lend_sc(n, t);
	tcb_wake(t, THREAD_RUNNING);
}

void ntfn_remove(struct notification *n, struct tcb *t)
{
	tcb_queue_remove(&n->head, &n->tail, t);
	t->blocked_on = NULL;
	if (!n->head)
		n->state = NTFN_IDLE;
}

void ntfn_reorder(struct notification *n, struct tcb *t)
{
	tcb_queue_remove(&n->head, &n->tail, t);
	tcb_queue_insert(&n->head, &n->tail, t);
}

void ntfn_post(struct notification *n, word_t badge)
{
	struct tcb *t;

	if (n->state == NTFN_WAITING) {
		t = n->head;
		ntfn_remove(n, t);
		wake(n, t, badge);
		return;
	}
	t = n->bound_tcb;
	if (n->state == NTFN_IDLE && t && t->state == THREAD_ON_RECEIVE) {
		tcb_cancel_ipc(t);
		wake(n, t, badge);
		return;
	}
	n->badge = n->state == NTFN_ACTIVE ? n->badge | badge : badge;
	n->state = NTFN_ACTIVE;
}

void ntfn_signal(struct notification *n, word_t badge)
{
	if (n->direct)
		arch_direct_signal(n);
	else
		ntfn_post(n, badge);
}

void ntfn_complete(struct notification *n, struct tcb *t)
{
	n->state = NTFN_IDLE;
	deliver(t, n->badge);
	n->badge = 0;
	lend_sc(n, t);
}

void ntfn_receive(struct notification *n, struct tcb *t, bool blocking)
{
	if (n->state == NTFN_ACTIVE) {
		ntfn_complete(n, t);
	} else if (blocking) {
		tcb_set_state(t, THREAD_ON_NOTIFICATION);
		t->blocked_on = n;
		tcb_queue_insert(&n->head, &n->tail, t);
		n->state = NTFN_WAITING;
		ntfn_return_sc(n, t);
	} else {
		arch_set_badge_reg(t, 0);
	}
}

bool ntfn_cancel_one(struct notification *n)
{
	struct tcb *t = n->head;

	if (n->state != NTFN_WAITING)
		return false;
	ntfn_remove(n, t);
	tcb_wake(t, THREAD_RESTART);
	return true;
}

void ntfn_bind_tcb(struct notification *n, struct tcb *t)
{
	n->bound_tcb = t;
	t->bound_ntfn = n;
}

void ntfn_unbind_tcb(struct notification *n)
{
	if (n->bound_tcb)
		n->bound_tcb->bound_ntfn = NULL;
	n->bound_tcb = NULL;
}

void ntfn_destroy(struct notification *n)
{
	ntfn_unbind_tcb(n);
	if (n->sc)
		sc_unbind_ntfn(n->sc);
	if (n->direct)
		arch_direct_unbind(n);
}
