/* Kernel entries: system calls, faults, interrupts. */
#include <kernel/entry.h>

#include <abi/object.h>
#include <kernel/arch.h>
#include <kernel/benchmark.h>
#include <kernel/cnode.h>
#include <kernel/debug.h>
#include <kernel/endpoint.h>
#include <kernel/fastpath.h>
#include <kernel/invoke.h>
#include <kernel/ipc.h>
#include <kernel/irq.h>
#include <kernel/notification.h>
#include <kernel/reply.h>
#include <kernel/sched.h>

#define INVOKE_IPC (-2) /* the object has done everything: no reply by the kernel */

static void cap_fault(struct tcb *t, cptr_t addr, bool receiving, const struct lookup_failure *l)
{
	struct fault f = {
		ABI_FAULT_CAP,
		{ addr, receiving, l->type, l->word[0], l->word[1], l->word[2] },
	};

	ipc_fault_send(t, &f);
}

/* --- sending --- */

static int invoke_endpoint(struct invocation *inv)
{
	bool donate = inv->call || inv->first_phase;

	if (!(cap_rights(inv->cap) & ABI_RIGHT_WRITE))
		return inv_invalid_cap(inv, 0);
	ep_send(inv->cap, inv->thread, inv->blocking, inv->call, donate);
	return INVOKE_IPC;
}

static int invoke_notification(struct invocation *inv)
{
	if (!(cap_rights(inv->cap) & ABI_RIGHT_WRITE))
		return inv_invalid_cap(inv, 0);
	ntfn_signal(cap_object(inv->cap), cap_badge(inv->cap));
	return ABI_OK;
}

static int invoke_reply(struct invocation *inv)
{
	reply_send(cap_object(inv->cap), inv->thread, cap_rights(inv->cap) & ABI_RIGHT_GRANT);
	return ABI_OK;
}

/* Objects that the first phase of a combined call may not reach, because
 * they could stop or change the thread between its phases. */
static bool barred_from_first_phase(enum cap_type type)
{
	switch (type) {
	case CAP_TCB:
	case CAP_CNODE:
	case CAP_DOMAIN:
	case CAP_SCHED_CONTEXT:
	case CAP_SCHED_CONTROL: return true;
	default: return false;
	}
}

static int invoke_object(struct invocation *inv)
{
	int error;

	if (inv->first_phase && barred_from_first_phase(cap_type(inv->cap)))
		return inv_invalid_cap(inv, 0);
	switch (cap_type(inv->cap)) {
	case CAP_NULL:
	case CAP_ZOMBIE: return inv_invalid_cap(inv, 0);
	case CAP_NOTIFICATION: return invoke_notification(inv);
	case CAP_REPLY: return invoke_reply(inv);
	case CAP_SGI_SIGNAL:
		arch_sgi_send(inv->cap);
		return ABI_OK;
	default:
		break;
	}
	error = inv_check(inv);
	if (error)
		return error;
	switch (cap_type(inv->cap)) {
	case CAP_UNTYPED: return untyped_invoke(inv);
	case CAP_CNODE: return cnode_invoke(inv);
	case CAP_TCB: return tcb_invoke(inv);
	case CAP_SCHED_CONTEXT: return sc_invoke(inv);
	case CAP_SCHED_CONTROL: return sched_control_invoke(inv);
	case CAP_IRQ_CONTROL: return arch_invoke_irq_control(inv);
	case CAP_IRQ_HANDLER: return irq_handler_invoke(inv);
	case CAP_DOMAIN: return domain_invoke(inv);
	default: return arch_invoke(inv);
	}
}

/* The kernel's answer to a Call of one of its objects. */
static void answer(struct invocation *inv, int error)
{
	struct tcb *t = inv->thread;
	unsigned n = inv->reply_length;

	for (unsigned i = 0; i < n && i < ABI_MSG_REGS; i++)
		arch_set_msg_reg(t, i, inv->reply[i]);
	if (error && n > ABI_MSG_REGS) {
		struct abi_ipcbuf *out = ipc_buffer(t, true);

		if (out)
			out->msg[ABI_MSG_REGS] = inv->detail4;
		else
			n = ABI_MSG_REGS;
	}
	arch_set_badge_reg(t, 0);
	arch_set_msginfo_reg(t, msginfo_make((word_t)error, 0, 0, n));
}

/* While a method runs its thread counts as to be restarted, so that nothing
 * more is needed when it is preempted. It may also stop its own thread. */
static void run_method(struct invocation *inv)
{
	struct tcb *t = inv->thread;
	int error;

	t->state = THREAD_RESTART;
	error = invoke_object(inv);
	if (error == PREEMPTED)
		return;
	if (inv->call && (t->state == THREAD_RESTART || t->state == THREAD_INACTIVE))
		answer(inv, error);
	if (t->state == THREAD_RESTART)
		t->state = THREAD_RUNNING;
}

static bool prepare(struct invocation *inv, cptr_t dest, word_t info)
{
	struct tcb *t = inv->thread;
	struct lookup_failure f;
	int n;

	inv->slot = cnode_lookup(t, dest, &f);
	if (!inv->slot) {
		if (inv->blocking)
			cap_fault(t, dest, false, &f);
		return false;
	}
	inv->cap = inv->slot->cap;
	inv->label = msginfo_label(info);
	inv->length = msginfo_length(info);
	if (inv->length > ABI_MSG_REGS || msginfo_caps(info))
		inv->buffer = ipc_buffer(t, false);
	if (!inv->buffer && inv->length > ABI_MSG_REGS)
		inv->length = ABI_MSG_REGS;
	n = ipc_lookup_extra(t, inv->buffer, info, inv->extra, &dest, &f);
	if (n < 0) {
		if (inv->blocking)
			cap_fault(t, dest, false, &f);
		return false;
	}
	inv->extra_count = (unsigned)n;
	return true;
}

static void send(struct tcb *t, cptr_t dest, bool call, bool blocking, bool first_phase)
{
	struct invocation inv;

	inv.thread = t;
	inv.call = call;
	inv.blocking = blocking;
	inv.first_phase = first_phase;
	inv.buffer = NULL;
	inv.reply_length = 0;
	if (!prepare(&inv, dest, arch_msginfo_reg(t)))
		return;
	if (cap_type(inv.cap) != CAP_ENDPOINT) {
		run_method(&inv);
	} else {
		int error = invoke_endpoint(&inv);

		if (error != INVOKE_IPC && call)
			answer(&inv, error);
	}
}

/* --- receiving --- */

static void receive_fault(struct tcb *t, cptr_t addr)
{
	struct lookup_failure f = { ABI_LOOKUP_MISSING_CAPABILITY, { 0 } };

	cap_fault(t, addr, true, &f);
}

static void receive_endpoint(struct tcb *t, struct cap c, bool blocking, bool with_reply)
{
	struct lookup_failure f;
	struct reply *reply = NULL;

	if (with_reply) {
		struct slot *s = cnode_lookup(t, arch_reply_reg(t), &f);

		if (!s) {
			cap_fault(t, arch_reply_reg(t), true, &f);
			return;
		}
		if (cap_type(s->cap) != CAP_REPLY) {
			receive_fault(t, arch_reply_reg(t));
			return;
		}
		reply = cap_object(s->cap);
	}
	ep_receive(cap_object(c), t, reply, blocking);
}

static void receive(struct tcb *t, bool blocking, bool with_reply)
{
	cptr_t src = arch_cap_reg(t);
	struct lookup_failure f;
	struct slot *s = cnode_lookup(t, src, &f);
	const struct notification *n;

	if (!s) {
		cap_fault(t, src, true, &f);
		return;
	}
	n = cap_object(s->cap);
	if (cap_type(s->cap) == CAP_ENDPOINT && (cap_rights(s->cap) & ABI_RIGHT_READ))
		receive_endpoint(t, s->cap, blocking, with_reply);
	else if (cap_type(s->cap) == CAP_NOTIFICATION && (cap_rights(s->cap) & ABI_RIGHT_READ) &&
		 (!n->bound_tcb || n->bound_tcb == t))
		ntfn_receive(cap_object(s->cap), t, blocking);
	else
		receive_fault(t, src);
}

/* Non-blocking send, then receive, unless the first is to be run again. */
static void send_receive(struct tcb *t, cptr_t dest, bool with_reply)
{
	send(t, dest, false, false, true);
	if (t->state == THREAD_RUNNING)
		receive(t, true, with_reply);
}

static void system_call(struct tcb *t, int64_t nr)
{
	switch (nr) {
	case ABI_SYS_CALL:
		send(t, arch_cap_reg(t), true, true, false);
		break;
	case ABI_SYS_REPLY_RECV:
		send_receive(t, arch_reply_reg(t), true);
		break;
	case ABI_SYS_NB_SEND_RECV:
		send_receive(t, arch_nbsend_dest_reg(t), true);
		break;
	case ABI_SYS_NB_SEND_WAIT:
		send_receive(t, arch_reply_reg(t), false);
		break;
	case ABI_SYS_SEND:
	case ABI_SYS_NB_SEND:
		send(t, arch_cap_reg(t), false, nr == ABI_SYS_SEND, false);
		break;
	case ABI_SYS_RECV:
	case ABI_SYS_NB_RECV:
		receive(t, nr == ABI_SYS_RECV, true);
		break;
	case ABI_SYS_WAIT:
	case ABI_SYS_NB_WAIT:
		receive(t, nr == ABI_SYS_WAIT, false);
		break;
	default:
		sched_give_up();
		break;
	}
}

/* --- entries --- */

/* Without budget the entry is abandoned and run again later. */
static bool may_proceed(struct tcb *t)
{
	sched_time_enter();
	if (sched_check_budget())
		return true;
	if (tcb_is_runnable(t))
		t->state = THREAD_RESTART;
	return false;
}

NOINLINE struct tcb *syscall_general(struct tcb *t, int64_t nr)
{
	if (nr < ABI_SYS_YIELD || nr > ABI_SYS_CALL) {
		if ((SELVAGE_DEBUG && debug_syscall(t, nr)) ||
		    (SELVAGE_BENCHMARK && benchmark_syscall(t, nr)))
			return t;
		return fault_current(t, ABI_FAULT_UNKNOWN_SYSCALL, (word_t)nr, 0, 0);
	}
	if (may_proceed(t))
		system_call(t, nr);
	sched_finish();
	return arch_next();
}

struct tcb *syscall_handle(struct tcb *t, int64_t nr)
{
	if (nr == ABI_SYS_CALL)
		return fastpath_call(t);
	if (nr == ABI_SYS_REPLY_RECV)
		return fastpath_reply_recv(t);
	return nr == ABI_SYS_SEND ? fastpath_signal(t, nr) : syscall_general(t, nr);
}

bool fault_begin(void)
{
	if (may_proceed(this_cpu()->current))
		return true;
	sched_finish();
	return false;
}

void fault_commit(const struct fault *f)
{
	ipc_fault_send(this_cpu()->current, f);
	sched_finish();
}

NOINLINE struct tcb *fault_general(unsigned kind, word_t a, word_t b, word_t c)
{
	struct fault f = { kind, { a, b, c } };

	if (fault_begin())
		fault_commit(&f);
	return arch_next();
}

void irq_handle(irq_t irq)
{
	struct cap c = irq_take(irq);

	if (cap_type(c) != CAP_NOTIFICATION) {
		irq_other();
	} else if (!fastpath_wake(cap_object(c), cap_badge(c))) {
		sched_time_enter();
		(void)sched_check_budget();
		ntfn_signal(cap_object(c), cap_badge(c));
		sched_finish();
	}
}

void timer_handle(void)
{
	this_cpu()->timer_dirty = true;
	irq_other();
}

void irq_other(void)
{
	sched_time_enter();
	(void)sched_check_budget();
	sched_finish();
}
