#include <kernel/fastpath.h>

#include <abi/syscall.h>
#include <kernel/arch.h>
#include <kernel/cnode.h>
#include <kernel/endpoint.h>
#include <kernel/ipc.h>
#include <kernel/reply.h>
#include <kernel/sched.h>

/* In a CSpace of one level; the null capability otherwise. */
static inline struct cap quick_lookup(const struct tcb *t, cptr_t cptr)
{
	struct cap root = t->slots[TCB_CSPACE].cap;
	unsigned radix = cap_cnode_radix(root);

	if (cap_type(root) != CAP_CNODE || radix + cap_cnode_guard_bits(root) != 64 ||
	    cptr >> radix != root.w1)
		return cap_null();
	return ((struct slot *)cap_object(root))[cptr & ((1ull << radix) - 1)].cap;
}

/* Whether `to`, if given the current context, is what the scheduler would
 * choose once the current thread blocks. */
static inline bool is_next(const struct cpu *c, const struct tcb *to)
{
	return !c->candidate && !c->reschedule && !c->timer_dirty && !to->sc && !to->yield_to &&
	       c->sc && c->current->sc == c->sc && to->priority >= sched_top_priority(c);
}

/* Takes the time of the entry if the context has budget and nobody's is due. */
static inline bool take_time(struct cpu *c)
{
	ticks_t now = arch_now(), used = c->used + (now - c->now);

	if (!refill_sufficient(c->sc, used) ||
	    (c->release && refill_ready(c->release->sc, now)))
		return false;
	c->used = used;
	c->now = now;
	return true;
}

static inline void switch_to(struct cpu *c, struct tcb *to)
{
	to->state = THREAD_RUNNING;
	c->current = to;
	arch_switch_to(to);
}

/* A call, or (f) a fault as one. */
static inline bool call(struct tcb *t, struct cap dest, const struct fault *f)
{
	struct cpu *c = this_cpu();
	struct endpoint *ep = cap_object(dest);
	word_t rights = cap_rights(dest);
	struct tcb *to;
	struct reply *r;

	if (cap_type(dest) != CAP_ENDPOINT || !(rights & ABI_RIGHT_WRITE) ||
	    !(rights & (ABI_RIGHT_GRANT | ABI_RIGHT_GRANT_REPLY)))
		return false;
	to = ep_receiver(ep);
	if (!to || !to->reply || !is_next(c, to) || !take_time(c))
		return false;

	if (f)
		t->fault = *f;
	r = to->reply;
	ep_remove(ep, to);
	ipc_transfer(t, to, ep, cap_badge(dest), rights & ABI_RIGHT_GRANT);
	reply_unlink(r);
	reply_push(r, t, to, true);
	switch_to(c, to);
	return true;
}

bool fastpath_call(struct tcb *t)
{
	if (msginfo_caps(arch_msginfo_reg(t)))
		return false;
	return call(t, quick_lookup(t, arch_cap_reg(t)), NULL);
}

bool fastpath_fault(struct tcb *t, const struct fault *f)
{
	return call(t, t->slots[TCB_FAULT_HANDLER].cap, f);
}

/* The caller, if the reply to it gives it the context back and it runs on. */
static inline struct tcb *caller_of(const struct reply *r, const struct tcb *t, word_t info)
{
	struct tcb *to = r->tcb;

	if (!to || to->state != THREAD_ON_REPLY || !reply_is_top(r, t->sc))
		return NULL;
	if (to->fault.kind &&
	    (to->fault.kind == ABI_FAULT_TIMEOUT || msginfo_label(info) != 0))
		return NULL;
	return to;
}

bool fastpath_reply_recv(struct tcb *t)
{
	struct cpu *c = this_cpu();
	word_t info = arch_msginfo_reg(t);
	struct cap rc = quick_lookup(t, arch_reply_reg(t)), ec = quick_lookup(t, arch_cap_reg(t));
	struct endpoint *ep = cap_object(ec);
	struct reply *r = cap_object(rc);
	struct tcb *to;

	if (cap_type(rc) != CAP_REPLY || cap_type(ec) != CAP_ENDPOINT ||
	    !(cap_rights(ec) & ABI_RIGHT_READ) || msginfo_caps(info) || t->bound_ntfn ||
	    ep_has_sender(ep))
		return false;
	to = caller_of(r, t, info);
	if (!to || !is_next(c, to) || !take_time(c))
		return false;

	reply_pop(r);
	if (to->fault.kind) {
		(void)ipc_fault_reply(t, to); /* true: its label is 0 */
		arch_restart(to);
	} else {
		ipc_transfer(t, to, NULL, 0, cap_rights(rc) & ABI_RIGHT_GRANT);
	}
	ep_block_receiver(ep, t, r);
	switch_to(c, to);
	return true;
}
