/* Invariants of objects: states and links, each from both ends. */
#include "check.h"

#include <kernel/arch.h>
#include <kernel/cnode.h>
#include <kernel/cpu.h>
#include <kernel/endpoint.h>
#include <kernel/notification.h>
#include <kernel/reply.h>
#include <kernel/sched.h>
#include <kernel/untyped.h>

/* --- scheduling contexts --- */

static const struct refill *nth(const struct sched_context *sc, unsigned n)
{
	return &sc->refill[(sc->head + n) % sc->refill_max];
}

static void check_refills(const struct sched_context *sc)
{
	ticks_t sum = 0;

	INVARIANT("refills: count", sc, sc->count >= 1 && sc->count <= sc->refill_max);
	INVARIANT("refills: head index", sc, sc->head < sc->refill_max);
	INVARIANT("refills: head amount", sc, nth(sc, 0)->amount >= sched_min_budget());
	if (sc_is_round_robin(sc)) {
		INVARIANT("refills: one of round robin", sc,
			  sc->count == 1 && nth(sc, 0)->amount <= sc->budget);
		return;
	}
	for (unsigned i = 0; i < sc->count; i++) {
		sum += nth(sc, i)->amount;
		INVARIANT("refills: in order", sc,
			  i == 0 || nth(sc, i - 1)->time + nth(sc, i - 1)->amount <=
					    nth(sc, i)->time);
	}
	INVARIANT("refills: sum", sc, sum == sc->budget);
}

void check_sched_context(const struct sched_context *sc)
{
	INVARIANT("context: its thread", sc, !sc->tcb || sc->tcb->sc == sc);
	INVARIANT("context: its notification", sc, !sc->ntfn || sc->ntfn->sc == sc);
	INVARIANT("context: yielder", sc, !sc->yield_from || sc->yield_from->yield_to == sc);
	INVARIANT("context: call stack", sc, !sc->reply || reply_is_top(sc->reply, sc));
	if (sc_is_configured(sc))
		check_refills(sc);
}

/* --- threads --- */

static void check_waiting(const struct tcb *t)
{
	const struct endpoint *ep = t->blocked_on;
	const struct notification *n = t->blocked_on;
	unsigned want = t->state == THREAD_ON_SEND ? EP_SENDING : EP_RECEIVING;

	INVARIANT("waiting thread: for something", t, t->blocked_on);
	INVARIANT("waiting thread: link forth", t, !t->ipc_next || t->ipc_next->ipc_prev == t);
	INVARIANT("waiting thread: link back", t, !t->ipc_prev || t->ipc_prev->ipc_next == t);
	if (t->state == THREAD_ON_NOTIFICATION) {
		INVARIANT("waiting thread: notification waits", t, n->state == NTFN_WAITING);
		INVARIANT("waiting thread: head", t, t->ipc_prev || n->head == t);
		INVARIANT("waiting thread: tail", t, t->ipc_next || n->tail == t);
	} else {
		INVARIANT("waiting thread: state of the endpoint", t, ep_state(ep) == want);
		INVARIANT("waiting thread: head", t, t->ipc_prev || ep_head(ep) == t);
		INVARIANT("waiting thread: tail", t, t->ipc_next || ep->tail == t);
	}
}

static void check_reply_of(const struct tcb *t)
{
	bool may = t->state == THREAD_ON_RECEIVE || t->state == THREAD_ON_REPLY;

	INVARIANT("thread: reply only while waiting", t, may || !t->reply);
	INVARIANT("thread: its reply", t, !t->reply || t->reply->tcb == t);
	INVARIANT("thread: waits for a reply", t, t->state != THREAD_ON_REPLY || t->reply);
}

static void check_queued(const struct tcb *t)
{
	const struct cpu *c = this_cpu();
	const struct tcb_list *ready = &c->ready[domain_of(t)].list[t->priority];
	const struct tcb *first = t->queue == QUEUE_RELEASE ? c->release : ready->head;

	if (t->queue != QUEUE_NONE) {
		INVARIANT("thread: queued only if runnable", t, tcb_is_runnable(t));
		INVARIANT("thread: really queued", t,
			  t->sched_prev ? t->sched_prev->sched_next == t : first == t);
		return;
	}
	INVARIANT("thread: runnable but forgotten", t,
		  !tcb_is_runnable(t) || t == c->current || !t->sc || !sc_is_configured(t->sc));
}

static void check_slot_type(const struct tcb *t, enum tcb_slot i, enum cap_type type)
{
	enum cap_type is = cap_type(t->slots[i].cap);

	/* A zombie: of the CSpace, or waiting there while the thread goes. */
	INVARIANT("thread: type of a capability", t,
		  is == CAP_NULL || is == type || is == CAP_ZOMBIE);
}

/* What the fast path finds instead of looking it up. */
static void check_cached_buffer(const struct tcb *t)
{
	struct cap c = t->slots[TCB_IPC_BUFFER].cap;

	if (t->buffer && c.w0 == t->buffer_cap)
		INVARIANT("thread: IPC buffer", t,
			  t->buffer == arch_ipc_buffer(c, t->ipc_buffer, true));
}

void check_tcb(const struct tcb *t)
{
	bool waits = t->state == THREAD_ON_SEND || t->state == THREAD_ON_RECEIVE ||
		     t->state == THREAD_ON_NOTIFICATION;

	INVARIANT("thread: state", t, t->state <= THREAD_ON_NOTIFICATION);
	INVARIANT("thread: queue", t, t->queue <= QUEUE_RELEASE);
	check_slot_type(t, TCB_CSPACE, CAP_CNODE);
	check_slot_type(t, TCB_VSPACE, CAP_VSPACE);
	check_slot_type(t, TCB_IPC_BUFFER, CAP_FRAME);
	check_slot_type(t, TCB_FAULT_HANDLER, CAP_ENDPOINT);
	check_slot_type(t, TCB_TIMEOUT_HANDLER, CAP_ENDPOINT);
	if (waits)
		check_waiting(t);
	check_reply_of(t);
	INVARIANT("thread: fault only while it is told", t,
		  t->fault.kind == ABI_FAULT_NULL || t->state == THREAD_ON_SEND ||
			  t->state == THREAD_ON_REPLY);
	INVARIANT("thread: its context", t, !t->sc || t->sc->tcb == t);
	INVARIANT("thread: yields to", t, !t->yield_to || t->yield_to->yield_from == t);
	INVARIANT("thread: bound notification", t,
		  !t->bound_ntfn || t->bound_ntfn->bound_tcb == t);
	check_cached_buffer(t);
	check_queued(t);
}

/* --- queues of waiting threads --- */

static void check_queue(const void *object, const struct tcb *head, const struct tcb *tail,
			unsigned state)
{
	const struct tcb *before = NULL;

	for (const struct tcb *t = head; t; before = t, t = t->ipc_next) {
		INVARIANT("wait queue: link back", t, t->ipc_prev == before);
		INVARIANT("wait queue: state of the thread", t, t->state == state);
		INVARIANT("wait queue: waits here", t, t->blocked_on == object);
		INVARIANT("wait queue: by priority", t, !before || before->priority >= t->priority);
	}
	INVARIANT("wait queue: tail", object, !head || tail == before);
}

void check_endpoint(const struct endpoint *ep)
{
	unsigned state = ep_state(ep);

	INVARIANT("endpoint: state", ep, state <= EP_RECEIVING);
	INVARIANT("endpoint: idle if empty", ep, (state == EP_IDLE) == !ep_head(ep));
	check_queue(ep, ep_head(ep), ep->tail,
		    state == EP_SENDING ? THREAD_ON_SEND : THREAD_ON_RECEIVE);
}

static void check_notification(const struct notification *n)
{
	INVARIANT("notification: state", n, n->state <= NTFN_ACTIVE);
	INVARIANT("notification: waited for", n, (n->state == NTFN_WAITING) == (n->head != NULL));
	INVARIANT("notification: bound thread", n,
		  !n->bound_tcb || n->bound_tcb->bound_ntfn == n);
	INVARIANT("notification: its context", n, !n->sc || n->sc->ntfn == n);
	check_queue(n, n->head, n->tail, THREAD_ON_NOTIFICATION);
}

static void check_reply(const struct reply *r)
{
	const struct tcb *t = r->tcb;
	bool head = r->next & REPLY_IS_HEAD;
	const void *above = (const void *)(uintptr_t)(r->next & ~REPLY_IS_HEAD);

	INVARIANT("reply: its thread", r, !t || t->reply == r);
	INVARIANT("reply: its thread waits", r,
		  !t || t->state == THREAD_ON_REPLY || t->state == THREAD_ON_RECEIVE);
	INVARIANT("reply: in a stack only with a caller", r,
		  (!r->next && !r->prev) || (t && t->state == THREAD_ON_REPLY));
	INVARIANT("reply: older call", r, !r->prev || r->prev->next == (word_t)(uintptr_t)r);
	if (!r->next)
		return;
	if (head)
		INVARIANT("reply: top of the context's stack", r,
			  ((const struct sched_context *)above)->reply == r);
	else
		INVARIANT("reply: newer call", r, ((const struct reply *)above)->prev == r);
}

void check_object(struct cap c)
{
	switch (cap_type(c)) {
	case CAP_ENDPOINT:
		check_endpoint(cap_object(c));
		break;
	case CAP_NOTIFICATION:
		check_notification(cap_object(c));
		break;
	case CAP_REPLY:
		check_reply(cap_object(c));
		break;
	case CAP_TCB:
		check_tcb(cap_object(c));
		break;
	case CAP_SCHED_CONTEXT: {
		const struct sched_context *sc = cap_object(c);

		INVARIANT("context: refills fit", sc,
			  sc->refill_max <= sc_refill_limit((unsigned)cap_sub_field(c, 0, 6)));
		check_sched_context(sc);
		break;
	}
	default:
		break;
	}
}
