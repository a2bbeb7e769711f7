/* Endpoints. */
#include <kernel/endpoint.h>

#include <abi/error.h>
#include <kernel/arch.h>
#include <kernel/ipc.h>
#include <kernel/notification.h>
#include <kernel/reply.h>
#include <kernel/sched.h>
#include <kernel/tcb_queue.h>

/* An empty queue makes the endpoint idle. */
static void set_queue(struct endpoint *ep, struct tcb *head, enum ep_state state)
{
	ep_set_head(ep, head, head ? state : EP_IDLE);
}

static void enqueue(struct endpoint *ep, struct tcb *t, enum ep_state state)
{
	struct tcb *head = ep_head(ep);

	t->blocked_on = ep;
	tcb_queue_insert(&head, &ep->tail, t);
	set_queue(ep, head, state);
}

void ep_remove(struct endpoint *ep, struct tcb *t)
{
	struct tcb *head = ep_head(ep);

	tcb_queue_remove(&head, &ep->tail, t);
	set_queue(ep, head, ep_state(ep));
	t->blocked_on = NULL;
}

void ep_reorder(struct endpoint *ep, struct tcb *t)
{
	enum ep_state state = ep_state(ep);

	ep_remove(ep, t);
	enqueue(ep, t, state);
}

static struct tcb *dequeue(struct endpoint *ep)
{
	struct tcb *t = ep_head(ep);

	ep_remove(ep, t);
	return t;
}

static void block_sender(struct cap c, struct tcb *t, bool call)
{
	t->send_badge = cap_badge(c);
	t->send_grant = cap_rights(c) & ABI_RIGHT_GRANT;
	t->send_grant_reply = cap_rights(c) & ABI_RIGHT_GRANT_REPLY;
	t->send_call = call;
	tcb_set_state(t, THREAD_ON_SEND);
	enqueue(cap_object(c), t, EP_SENDING);
}

/* The message has arrived: what becomes of a caller (or faulter)? */
static void block_caller(struct tcb *caller, struct tcb *callee, struct reply *reply,
			 bool may_reply, bool donate)
{
	if (reply && may_reply) {
		reply_push(reply, caller, callee, donate);
	} else {
		tcb_set_state(caller, THREAD_INACTIVE);
		caller->fault.kind = ABI_FAULT_NULL;
	}
}

void ep_send(struct cap c, struct tcb *sender, bool blocking, bool call, bool donate)
{
	struct endpoint *ep = cap_object(c);
	word_t rights = cap_rights(c);
	struct tcb *dest;
	struct reply *reply;

	if (ep_state(ep) != EP_RECEIVING) {
		if (blocking)
			block_sender(c, sender, call);
		return;
	}
	dest = dequeue(ep);
	ipc_transfer(sender, dest, ep, cap_badge(c), rights & ABI_RIGHT_GRANT);
	reply = dest->reply;
	if (reply)
		reply_unlink(reply);
	if (call || sender->fault.kind)
		block_caller(sender, dest, reply,
			     rights & (ABI_RIGHT_GRANT | ABI_RIGHT_GRANT_REPLY), donate);
	else if (donate && !dest->sc && sender->sc)
		sc_donate(sender->sc, dest);
	tcb_wake(dest, THREAD_RUNNING);
}

static void block_receiver(struct endpoint *ep, struct tcb *t, struct reply *reply)
{
	tcb_set_state(t, THREAD_ON_RECEIVE);
	t->reply = reply;
	if (reply)
		reply->tcb = t;
	enqueue(ep, t, EP_RECEIVING);
}

static void receive_from(struct endpoint *ep, struct tcb *t, struct reply *reply)
{
	struct tcb *sender = dequeue(ep);

	ipc_transfer(sender, t, ep, sender->send_badge, sender->send_grant);
	if (sender->send_call || sender->fault.kind)
		block_caller(sender, t, reply, sender->send_grant || sender->send_grant_reply,
			     sender->fault.kind != ABI_FAULT_TIMEOUT);
	else
		tcb_wake(sender, THREAD_RUNNING);
}

void ep_receive(struct endpoint *ep, struct tcb *t, struct reply *reply, bool blocking)
{
	struct notification *n = t->bound_ntfn;

	/* The reply object is wanted anew: whoever waits for it waits in vain. */
	if (reply && reply->tcb)
		tcb_cancel_ipc(reply->tcb);
	if (n && n->state == NTFN_ACTIVE) {
		ntfn_complete(n, t);
		return;
	}
	if (n && blocking && ep_state(ep) != EP_SENDING)
		ntfn_return_sc(n, t);
	if (ep_state(ep) == EP_SENDING)
		receive_from(ep, t, reply);
	else if (blocking)
		block_receiver(ep, t, reply);
	else
		arch_set_badge_reg(t, 0);
}

/* A sender or receiver that has just left the queue runs its call again; a
 * faulter has none. */
static void restart(struct tcb *t)
{
	if (t->reply)
		reply_unlink(t->reply);
	if (t->fault.kind) {
		t->fault.kind = ABI_FAULT_NULL;
		tcb_set_state(t, THREAD_INACTIVE);
	} else {
		tcb_wake(t, THREAD_RESTART);
	}
}

bool ep_cancel_one(struct endpoint *ep)
{
	bool waited = ep_state(ep) != EP_IDLE;

	if (waited)
		restart(dequeue(ep));
	return waited;
}

int ep_cancel_badged(struct endpoint *ep, word_t badge)
{
	struct tcb *t = ep_state(ep) == EP_SENDING ? ep_head(ep) : NULL;

	while (t) {
		struct tcb *next = t->ipc_next;

		if (t->send_badge == badge) {
			ep_remove(ep, t);
			restart(t);
			if (next && arch_irq_pending())
				return PREEMPTED;
		}
		t = next;
	}
	return ABI_OK;
}
