/*
 * Reply objects. A reply links a blocked caller; the replies along which one
 * scheduling context was donated form that context's call stack.
 */
#pragma once

#include <abi/object.h>
#include <abi/syscall.h>
#include <kernel/cap.h>

#include <kernel/sched_context.h>

struct tcb;

struct reply {
	struct tcb *tcb;    /* the caller, or the receiver it is attached to */
	struct reply *prev; /* older call of the stack */
	word_t next;        /* newer reply, or the context | REPLY_IS_HEAD */
	word_t unused;
};
_Static_assert(sizeof(struct reply) <= 1u << ABI_REPLY_BITS, "ABI");
#define REPLY_IS_HEAD 1ull

/* Whether it is the newest call made on the context. */
static inline bool reply_is_top(const struct reply *r, const struct sched_context *sc)
{
	return r->next == ((word_t)(uintptr_t)sc | REPLY_IS_HEAD);
}
/* r may be NULL. */
static inline void reply_make_top(struct reply *r, struct sched_context *sc)
{
	sc->reply = r;
	if (r)
		r->next = (word_t)(uintptr_t)sc | REPLY_IS_HEAD;
}

static inline struct cap cap_reply(struct reply *r)
{
	return cap_make(CAP_REPLY, ptr_to_paddr(r), ABI_RIGHT_GRANT, 0);
}

/* Blocks the caller on `r`, donating its context to a passive callee. */
void reply_push(struct reply *r, struct tcb *caller, struct tcb *callee, bool donate);
/* Takes the caller off and gives it back the context, if it is on top. */
/* The caller goes away (suspend, cancel): breaks the call stack there. */
void reply_remove_tcb(struct tcb *caller);
/* Detaches a reply object from a thread waiting to receive. */
void reply_unlink(struct reply *r);
/* The last capability goes. */
void reply_destroy(struct reply *r);
/* Invocation: sends the sender's message to the waiting caller, if any. */
void reply_send(struct reply *r, struct tcb *sender, bool grant);
