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
#include <kernel/entry.h>
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
	return !to->sc && to->priority >= c->ready[domain_now()].top &&
	       domain_of(to) == domain_now() && arch_now() < c->quiet_until;
}

/* --- messages --- */

/* Words 4 and on. False: a buffer is missing. */
static inline bool copy_words(const struct tcb *from, const struct tcb *to, word_t length)
{
	const struct abi_ipcbuf *in = ipc_quick_buffer(from);
	struct abi_ipcbuf *out = ipc_quick_buffer(to);

	if (!in || !out)
		return false;
	const word_t *r = in->msg + ABI_MSG_REGS;
	word_t *w = out->msg + ABI_MSG_REGS;

	length -= ABI_MSG_REGS;
	for (const word_t *end = r + (length & ~3ull); r != end; r += 4, w += 4) {
		word_t a = r[0], b = r[1], c = r[2], d = r[3];

		w[0] = a;
		w[1] = b;
		w[2] = c;
		w[3] = d;
	}
	if (length & 2) {
		word_t a = r[0], b = r[1];

		w[0] = a;
		w[1] = b;
	}
	if (length & 1)
		w[length & 2] = r[length & 2];
	return true;
}

/* The first words. */
static inline void copy_registers(const struct tcb *from, struct tcb *to, word_t length)
{
	word_t a = arch_msg_reg(from, 0), b = arch_msg_reg(from, 1);

	if (length > 3) {
		word_t c = arch_msg_reg(from, 2), d = arch_msg_reg(from, 3);

		arch_set_msg_reg(to, 0, a);
		arch_set_msg_reg(to, 1, b);
		arch_set_msg_reg(to, 2, c);
		arch_set_msg_reg(to, 3, d);
		return;
	}
	arch_set_msg_reg(to, 0, a);
	if (length > 1)
		arch_set_msg_reg(to, 1, b);
	if (length > 2)
		arch_set_msg_reg(to, 2, arch_msg_reg(from, 2));
}

/* A message without capabilities. False: nothing has been done. */
static inline bool transfer(const struct tcb *from, struct tcb *to, word_t info, word_t badge)
{
	word_t length = info & ABI_MSGINFO_LENGTH_MASK;

	if (length > ABI_MSG_REGS && (length > ABI_MSG_MAX_WORDS || !copy_words(from, to, length)))
		return false;
	if (length > 0)
		copy_registers(from, to, length);
	arch_set_msginfo_reg(to, msginfo_without_caps(info));
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
	this_cpu()->current = to;
	return arch_switch_to(to);
}

/* --- calls --- */

/* The server that a call to `dest` can hand the processor to, or NULL. */
static inline struct tcb *callee(struct cap dest)
{
	word_t rights = cap_rights(dest);
	const struct endpoint *ep;
	struct tcb *to;

	if (cap_type(dest) != CAP_ENDPOINT || !(rights & ABI_RIGHT_WRITE) ||
	    !(rights & (ABI_RIGHT_GRANT | ABI_RIGHT_GRANT_REPLY)))
		return NULL;
	ep = cap_object(dest);
	if (ep_state(ep) != EP_RECEIVING)
		return NULL;
	to = ep_head(ep);
	return to->reply && may_run(this_cpu(), to) ? to : NULL;
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
		return syscall_general(t, ABI_SYS_CALL);
	return enter(t, to, dest);
}

struct tcb *fault_current(struct tcb *t, unsigned kind, word_t a, word_t b, word_t c)
{
	struct cap dest = t->slots[TCB_FAULT_HANDLER].cap;
	struct tcb *to = callee(dest);

	if (!to)
		return fault_general(kind, a, b, c);
	t->fault = (struct fault){ kind, { a, b, c } };
	ipc_transfer_fault(t, to);
	arch_set_badge_reg(to, cap_badge(dest));
	return enter(t, to, dest);
}

/* --- replies --- */

static inline struct tcb *return_to(struct reply *r, struct tcb *t, struct tcb *to,
				    struct endpoint *ep)
{
	struct sched_context *sc = t->sc;

	reply_make_top(r->prev, sc);
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

/* The answer to a fault; it is of a kind that lets the thread go on. */
static NOINLINE struct tcb *answer_fault(struct reply *r, struct tcb *t, struct tcb *to,
					 struct endpoint *ep)
{
	(void)ipc_fault_reply(t, to);
	arch_restart(to);
	return return_to(r, t, to, ep);
}

static inline bool fault_is_over(const struct fault *f, word_t label)
{
	return f->kind != ABI_FAULT_TIMEOUT &&
	       (label == 0 || (label == ABI_EXIT_AGAIN && f->kind == ABI_EXT_FAULT_EXIT));
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
		goto general;
	to = r->tcb;
	if (!may_run(this_cpu(), to))
		goto general;
	if (to->fault.kind) {
		if (fault_is_over(&to->fault, msginfo_label(info)))
			return answer_fault(r, t, to, ep);
	} else if (transfer(t, to, info, 0)) {
		return return_to(r, t, to, ep);
	}
general:
	return syscall_general(t, ABI_SYS_REPLY_RECV);
}

/* --- signals --- */

bool fastpath_wake(struct notification *n, word_t badge)
{
	struct cpu *c = this_cpu();
	struct tcb *to = n->head;

	if (n->state != NTFN_WAITING || n->direct || !c->current || !to->sc || to->sc->sporadic ||
	    to->priority <= c->current->priority || domain_of(to) != domain_now() ||
	    arch_now() >= c->quiet_until)
		return false;
	sched_time_enter();
	if (!sc_is_released(to->sc))
		return false;
	ntfn_remove(n, to);
	arch_set_badge_reg(to, badge);
	to->state = THREAD_RUNNING;
	sched_preempt(to);
	return true;
}

NOINLINE struct tcb *fastpath_signal(struct tcb *t, int64_t nr)
{
	struct cap c = lookup(t, arch_cap_reg(t));
	struct notification *n = cap_object(c);

	if (cap_type(c) != CAP_NOTIFICATION || !(cap_rights(c) & ABI_RIGHT_WRITE) ||
	    msginfo_caps(arch_msginfo_reg(t)) || arch_now() >= this_cpu()->quiet_until)
		return syscall_general(t, nr);
	if (n->state != NTFN_WAITING && !n->bound_tcb && !n->direct)
		ntfn_post(n, cap_badge(c));
	else if (!fastpath_wake(n, cap_badge(c)))
		return syscall_general(t, nr);
	return this_cpu()->current;
}
