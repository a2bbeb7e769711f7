/*
 * The fast path. What an entry may rely on, because sched_finish leaves it so:
 * cpu->sc is the current thread's context, there is no candidate, the queues
 * hold nobody better than the current thread, timer and quiet_until are set.
 * A thread that waits has no yield to complete.
 */
#include <kernel/fastpath.h>

#include <abi/ext.h>
#include <kernel/arch.h>
#include <kernel/cnode.h>
#include <kernel/endpoint.h>
#include <kernel/ipc.h>
#include <kernel/notification.h>
#include <kernel/reply.h>
#include <kernel/sched.h>

/* In a flat CSpace; the null capability otherwise. */
static inline struct cap lookup(const struct tcb *t, cptr_t cptr)
{
	struct cap root = t->slots[TCB_CSPACE].cap;

	if (unlikely(!cap_is_flat_cnode(root) || cptr >> cap_cnode_radix(root)))
		return cap_null();
	return ((struct slot *)cap_object(root))[cptr].cap;
}

/* Whether `to`, if given the current context, is what the scheduler would
 * choose once the current thread blocks; and there is time for it. */
static inline bool may_run(const struct cpu *c, const struct tcb *to)
{
	return !to->sc && to->priority >= c->top &&
	       (int64_t)(c->quiet_until - arch_now()) > 0;
}

/* --- messages --- */

/* Words 4 and on. False: a buffer is missing. */
static inline bool copy_words(const struct tcb *from, const struct tcb *to, unsigned length)
{
	const struct abi_ipcbuf *in = ipc_quick_buffer(from);
	struct abi_ipcbuf *out = ipc_quick_buffer(to);

	if (!in || !out)
		return false;
	const word_t *r = in->msg + ABI_MSG_REGS;
	word_t *w = out->msg + ABI_MSG_REGS;
	const word_t *end = in->msg + length;

	for (; r + 1 < end; r += 2, w += 2) {
		word_t a = r[0], b = r[1];

		w[0] = a;
		w[1] = b;
	}
	if (r < end)
		*w = *r;
	return true;
}

/* A message without capabilities. False: nothing has been done. */
static inline bool transfer(const struct tcb *from, struct tcb *to, word_t info, word_t badge)
{
	unsigned length = msginfo_length(info);

	if (unlikely(length > ABI_MSG_REGS) &&
	    (length > ABI_MSG_MAX_WORDS || !copy_words(from, to, length)))
		return false;
	if (length > 0)
		arch_set_msg_reg(to, 0, arch_msg_reg(from, 0));
	if (length > 1)
		arch_set_msg_reg(to, 1, arch_msg_reg(from, 1));
	if (length > 2)
		arch_set_msg_reg(to, 2, arch_msg_reg(from, 2));
	if (length > 3)
		arch_set_msg_reg(to, 3, arch_msg_reg(from, 3));
	arch_set_msginfo_reg(to, msginfo_make(msginfo_label(info), 0, 0, length));
	arch_set_badge_reg(to, badge);
	return true;
}

/* --- queues and contexts --- */

static inline void take_receiver(struct endpoint *ep, struct tcb *to)
{
	struct tcb *next = to->ipc_next;

	if (next) {
		next->ipc_prev = NULL;
		to->ipc_next = NULL;
		ep_set_head(ep, next, EP_RECEIVING);
	} else {
		*ep = (struct endpoint){ 0 };
	}
}

/* Whether the thread would stand last in the queue. */
static inline bool goes_last(const struct endpoint *ep, const struct tcb *t)
{
	return ep_state(ep) == EP_IDLE ||
	       (ep_state(ep) == EP_RECEIVING && ep->tail->priority >= t->priority);
}

static inline void queue_receiver(struct endpoint *ep, struct tcb *t)
{
	struct tcb *tail = ep->tail;

	t->blocked_on = ep;
	t->state = THREAD_ON_RECEIVE;
	ep->tail = t;
	t->ipc_prev = tail;
	if (tail)
		tail->ipc_next = t;
	else
		ep_set_head(ep, t, EP_RECEIVING);
}

static inline void donate(struct sched_context *sc, struct tcb *from, struct tcb *to)
{
	from->sc = NULL;
	to->sc = sc;
	sc->tcb = to;
}

static inline struct tcb *switch_to(struct tcb *to)
{
	to->state = THREAD_RUNNING;
	arch_switch_to(to);
	this_cpu()->current = to;
	return to;
}

/* --- calls --- */

/* The server that a call to `dest` can hand the processor to, or NULL. */
static inline struct tcb *callee(struct cap dest)
{
	word_t rights = cap_rights(dest);
	struct tcb *to;

	if (cap_type(dest) != CAP_ENDPOINT || !(rights & ABI_RIGHT_WRITE) ||
	    !(rights & (ABI_RIGHT_GRANT | ABI_RIGHT_GRANT_REPLY)))
		return NULL;
	to = ep_receiver(cap_object(dest));
	return to && to->reply && may_run(this_cpu(), to) ? to : NULL;
}

/* The message has been transferred. */
static inline struct tcb *enter(struct tcb *t, struct tcb *to, struct cap dest)
{
	struct sched_context *sc = t->sc;
	struct reply *r = to->reply, *older = sc->reply;

	take_receiver(cap_object(dest), to);
	to->reply = NULL;
	t->reply = r;
	t->state = THREAD_ON_REPLY;
	r->tcb = t;
	r->prev = older;
	if (older)
		older->next = (word_t)(uintptr_t)r;
	reply_make_top(r, sc);
	donate(sc, t, to);
	return switch_to(to);
}

struct tcb *fastpath_call(struct tcb *t)
{
	struct cap dest = lookup(t, arch_cap_reg(t));
	word_t info = arch_msginfo_reg(t);
	struct tcb *to = callee(dest);

	if (!to || msginfo_caps(info) || !transfer(t, to, info, cap_badge(dest)))
		return NULL;
	return enter(t, to, dest);
}

bool fastpath_fault(struct tcb *t, const struct fault *f)
{
	struct cap dest = t->slots[TCB_FAULT_HANDLER].cap;
	struct tcb *to = callee(dest);

	if (!to)
		return false;
	t->fault = *f;
	ipc_transfer(t, to, NULL, cap_badge(dest), false);
	(void)enter(t, to, dest);
	return true;
}

/* --- replies --- */

static inline struct tcb *return_to(struct reply *r, struct tcb *t, struct tcb *to,
				    struct endpoint *ep)
{
	struct sched_context *sc = t->sc;
	struct reply *older = r->prev;

	if (older)
		reply_make_top(older, sc);
	else
		sc->reply = NULL;
	r->prev = NULL;
	r->next = 0;
	r->tcb = t;
	t->reply = r;
	to->reply = NULL;
	donate(sc, t, to);
	queue_receiver(ep, t);
	return switch_to(to);
}

/* A bound notification matters if it is active or lends its context. */
static inline bool waits_quietly(const struct tcb *t)
{
	const struct notification *n = t->bound_ntfn;

	return !n || (n->state != NTFN_ACTIVE && !n->sc);
}

/* The answer to a fault. False: the general path has to look at it. */
static NOINLINE bool answer_fault(struct tcb *t, struct tcb *to, word_t info)
{
	word_t label = msginfo_label(info), kind = to->fault.kind;

	if (kind == ABI_FAULT_TIMEOUT ||
	    (label && (label != ABI_EXIT_AGAIN || kind != ABI_EXT_FAULT_EXIT)))
		return false;
	(void)ipc_fault_reply(t, to); /* true with such a label */
	arch_restart(to);
	return true;
}

struct tcb *fastpath_reply_recv(struct tcb *t)
{
	struct cap rc = lookup(t, arch_reply_reg(t)), ec = lookup(t, arch_cap_reg(t));
	word_t info = arch_msginfo_reg(t);
	struct endpoint *ep = cap_object(ec);
	struct reply *r = cap_object(rc);
	struct tcb *to;

	if (cap_type(rc) != CAP_REPLY || cap_type(ec) != CAP_ENDPOINT ||
	    !(cap_rights(ec) & ABI_RIGHT_READ) || !goes_last(ep, t) || msginfo_caps(info) ||
	    !waits_quietly(t) || !reply_is_top(r, t->sc))
		return NULL;
	to = r->tcb;
	if (!may_run(this_cpu(), to))
		return NULL;
	if (unlikely(to->fault.kind) ? !answer_fault(t, to, info) : !transfer(t, to, info, 0))
		return NULL;
	return return_to(r, t, to, ep);
}
