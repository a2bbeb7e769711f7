/* Endpoints: a queue of senders or of receivers, highest priority first. */
#pragma once

#include <abi/object.h>
#include <abi/syscall.h>
#include <kernel/cap.h>

struct tcb;
struct reply;

enum ep_state { EP_IDLE = 0,
		EP_SENDING = 1,
		EP_RECEIVING = 2 };

struct endpoint {
	word_t head_state; /* struct tcb * | enum ep_state */
	struct tcb *tail;
};
_Static_assert(sizeof(struct endpoint) <= 1u << ABI_ENDPOINT_BITS, "ABI");

static inline struct cap cap_endpoint(struct endpoint *ep)
{
	return cap_make(CAP_ENDPOINT, ptr_to_paddr(ep), ABI_RIGHTS_ALL, 0);
}
static inline word_t cap_rights(struct cap c) { return cap_sub_field(c, 0, 4); }
static inline word_t cap_badge(struct cap c) { return c.w1; }

/* Sends to the endpoint of capability `c`. */
void ep_send(struct cap c, struct tcb *sender, bool blocking, bool call, bool donate);
/* `reply` may be NULL (Wait). */
void ep_receive(struct endpoint *ep, struct tcb *t, struct reply *reply, bool blocking);
#define EP_STATE_MASK 3ull
static inline enum ep_state ep_state(const struct endpoint *ep)
{
	return (enum ep_state)(ep->head_state & EP_STATE_MASK);
}
static inline struct tcb *ep_head(const struct endpoint *ep)
{
	return (struct tcb *)(uintptr_t)(ep->head_state & ~EP_STATE_MASK);
}
static inline void ep_set_head(struct endpoint *ep, struct tcb *head, enum ep_state state)
{
	ep->head_state = (word_t)(uintptr_t)head | state;
}
/* Takes a blocked thread off the queue (its state stays the caller's task). */
void ep_remove(struct endpoint *ep, struct tcb *t);
/* The thread's priority changed while queued. */
void ep_reorder(struct endpoint *ep, struct tcb *t);
/* Restarts the first thread of the queue; false: there is none. */
bool ep_cancel_one(struct endpoint *ep);
/* Restarts senders with this badge: ABI_OK or PREEMPTED. */
int ep_cancel_badged(struct endpoint *ep, word_t badge);
