/* Threads: invocations. */
#include <kernel/tcb.h>

#include <kernel/cnode.h>
#include <kernel/invoke.h>
#include <kernel/ipc.h>
#include <kernel/notification.h>
#include <kernel/sched.h>

static void suspend(struct invocation *inv, struct tcb *t)
{
	/* Resumed later, the caller goes on behind this call. */
	if (t == inv->thread)
		arch_restart_here(t);
	tcb_suspend(t);
}

/* --- registers --- */

static int read_registers(struct invocation *inv, struct tcb *t)
{
	word_t count;

	count = inv_arg(inv, 1);
	if (count < 1 || count > ABI_CTX_COUNT)
		return inv_range(inv, 1, ABI_CTX_COUNT);
	if (t == inv->thread)
		return ABI_ILLEGAL_OPERATION;
	if (inv_arg(inv, 0) & 1)
		tcb_suspend(t);
	for (unsigned i = 0; i < count; i++)
		inv_result(inv, i, arch_context_get(t, i));
	return ABI_OK;
}

static int write_registers(struct invocation *inv, struct tcb *t)
{
	bool resume;
	word_t count;

	if (inv->length - 2 < inv_arg(inv, 1))
		return ABI_TRUNCATED_MESSAGE;
	if (t == inv->thread)
		return ABI_ILLEGAL_OPERATION;
	resume = inv_arg(inv, 0) & 1;
	count = inv_arg(inv, 1);
	if (count > ABI_CTX_COUNT)
		count = ABI_CTX_COUNT;
	for (unsigned i = 0; i < count; i++)
		arch_context_set(t, i, inv_arg(inv, i + 2));
	if (resume)
		tcb_resume(t);
	return ABI_OK;
}

static void copy_range(struct tcb *to, const struct tcb *from, unsigned first, unsigned end)
{
	for (unsigned i = first; i < end; i++)
		arch_context_set(to, i, arch_context_get(from, i));
}

static int copy_registers(struct invocation *inv, struct tcb *to)
{
	struct tcb *from;
	word_t flags;

	if (cap_type(inv_extra(inv, 0)) != CAP_TCB)
		return inv_invalid_cap(inv, 1);
	from = cap_object(inv_extra(inv, 0));
	flags = inv_arg(inv, 0);
	if (flags & 1)
		suspend(inv, from);
	if (flags & 4)
		copy_range(to, from, 0, ABI_CTX_FRAME_COUNT);
	if (flags & 8)
		copy_range(to, from, ABI_CTX_FRAME_COUNT, ABI_CTX_COUNT);
	if (flags & 2)
		tcb_resume(to);
	return ABI_OK;
}

/* --- capabilities kept in the TCB --- */

/* A capability to put into a slot of the TCB: derived, and from where. */
struct root {
	struct slot *src;
	struct cap cap;
	bool keep; /* the slot stays as it is */
};

static void set_slot(struct slot *dest, const struct root *r)
{
	if (r->keep)
		return;
	slot_delete_short(dest);
	if (cap_type(r->cap) != CAP_NULL)
		slot_insert_copy(dest, r->cap, r->src);
}

/* CSpace or VSpace root from extra capability `i`; data 0 leaves it as it is. */
static int derive_root(struct invocation *inv, unsigned i, word_t data, struct root *r)
{
	struct cap c = inv_extra(inv, i);

	r->keep = false;
	r->src = inv->extra[i];
	if (data != 0)
		c = cap_update_data(c, data, false);
	return cap_derive(r->src, c, &r->cap);
}

struct space {
	struct root cspace, vspace;
};

static int check_space(struct invocation *inv, struct tcb *t, unsigned first,
		       word_t cspace_data, word_t vspace_data, struct space *s)
{
	int error;

	if (slot_delete_is_long(&t->slots[TCB_CSPACE]) ||
	    slot_delete_is_long(&t->slots[TCB_VSPACE]))
		return ABI_ILLEGAL_OPERATION;
	error = derive_root(inv, first, cspace_data, &s->cspace);
	if (error)
		return error;
	if (cap_type(s->cspace.cap) != CAP_CNODE)
		return ABI_ILLEGAL_OPERATION;
	error = derive_root(inv, first + 1, vspace_data, &s->vspace);
	if (error)
		return error;
	return arch_cap_is_valid_vspace(s->vspace.cap) ? ABI_OK : ABI_ILLEGAL_OPERATION;
}

static void set_space(struct tcb *t, const struct space *s)
{
	set_slot(&t->slots[TCB_CSPACE], &s->cspace);
	set_slot(&t->slots[TCB_VSPACE], &s->vspace);
	arch_space_changed(t);
}

static int check_buffer(struct invocation *inv, unsigned i, vptr_t vaddr, struct root *r)
{
	int error;

	*r = (struct root){ .src = inv->extra[i], .cap = cap_null() };
	if (vaddr == 0)
		return ABI_OK;
	error = cap_derive(r->src, inv_extra(inv, i), &r->cap);
	if (error)
		return error;
	if (!arch_cap_is_ipc_frame(r->cap))
		return ABI_ILLEGAL_OPERATION;
	return vaddr & ((1u << ABI_IPCBUF_BITS) - 1) ? ABI_ALIGNMENT_ERROR : ABI_OK;
}

static void set_buffer(struct tcb *t, vptr_t vaddr, const struct root *r)
{
	set_slot(&t->slots[TCB_IPC_BUFFER], r);
	ipc_set_buffer(t, vaddr);
}

static int configure(struct invocation *inv, struct tcb *t)
{
	struct space space;
	struct root buffer;
	vptr_t vaddr;
	int error;

	vaddr = inv_arg(inv, 2);
	error = check_buffer(inv, 2, vaddr, &buffer);
	if (!error)
		error = check_space(inv, t, 0, inv_arg(inv, 0), inv_arg(inv, 1), &space);
	if (error)
		return error;
	set_space(t, &space);
	set_buffer(t, vaddr, &buffer);
	return ABI_OK;
}

static int set_ipc_buffer(struct invocation *inv, struct tcb *t)
{
	struct root buffer;
	int error;

	error = check_buffer(inv, 0, inv_arg(inv, 0), &buffer);
	if (!error)
		set_buffer(t, inv_arg(inv, 0), &buffer);
	return error;
}

/* A fault handler from extra capability `i`. */
static int check_handler(struct invocation *inv, unsigned i, struct root *r)
{
	*r = (struct root){ .src = inv->extra[i], .cap = inv_extra(inv, i) };
	return ipc_handler_ok(r->cap) ? ABI_OK : inv_invalid_cap(inv, i + 1);
}

static int set_tcb_space(struct invocation *inv, struct tcb *t)
{
	struct space space;
	struct root handler;
	int error;

	error = check_space(inv, t, 1, inv_arg(inv, 0), inv_arg(inv, 1), &space);
	if (!error)
		error = check_handler(inv, 0, &handler);
	if (error)
		return error;
	set_slot(&t->slots[TCB_FAULT_HANDLER], &handler);
	set_space(t, &space);
	return ABI_OK;
}

static int set_timeout_endpoint(struct invocation *inv, struct tcb *t)
{
	struct root handler;
	int error;

	error = check_handler(inv, 0, &handler);
	if (!error)
		set_slot(&t->slots[TCB_TIMEOUT_HANDLER], &handler);
	return error;
}

/* --- scheduling --- */

/* Priority `word` against the authority, extra capability 0. */
static int check_priority(struct invocation *inv, word_t prio)
{
	const struct tcb *authority = cap_object(inv_extra(inv, 0));

	return prio > authority->mcp ? inv_range(inv, 0, authority->mcp) : ABI_OK;
}

static int check_authority(struct invocation *inv)
{
	return cap_type(inv_extra(inv, 0)) == CAP_TCB ? ABI_OK : inv_invalid_cap(inv, 1);
}

static int set_priority(struct invocation *inv, struct tcb *t)
{
	int error;

	error = check_authority(inv);
	if (!error)
		error = check_priority(inv, inv_arg(inv, 0));
	if (error)
		return error;
	if (inv->label == ABI_INV_TCB_SET_PRIORITY)
		tcb_set_priority(t, (prio_t)inv_arg(inv, 0));
	else
		t->mcp = (prio_t)inv_arg(inv, 0);
	return ABI_OK;
}

static int check_sched_context(struct invocation *inv, struct tcb *t, struct sched_context **out)
{
	struct cap c = inv_extra(inv, 1);
	struct sched_context *sc = NULL;

	switch (cap_type(c)) {
	case CAP_SCHED_CONTEXT:
		sc = cap_object(c);
		if ((t->sc && t->sc != sc) || (sc->tcb && sc->tcb != t) ||
		    (tcb_is_blocked(t) && !sc_is_released(sc)))
			return ABI_ILLEGAL_OPERATION;
		break;
	case CAP_NULL:
		if (t == inv->thread)
			return ABI_ILLEGAL_OPERATION;
		break;
	default: return inv_invalid_cap(inv, 2);
	}
	*out = sc;
	return ABI_OK;
}

static int set_sched_params(struct invocation *inv, struct tcb *t)
{
	struct sched_context *sc = NULL;
	struct root handler;
	int error;

	error = check_authority(inv);
	if (!error)
		error = check_priority(inv, inv_arg(inv, 0));
	if (!error)
		error = check_priority(inv, inv_arg(inv, 1));
	if (!error)
		error = check_sched_context(inv, t, &sc);
	if (!error)
		error = check_handler(inv, 2, &handler);
	if (error)
		return error;
	set_slot(&t->slots[TCB_FAULT_HANDLER], &handler);
	t->mcp = (prio_t)inv_arg(inv, 0);
	tcb_set_priority(t, (prio_t)inv_arg(inv, 1));
	if (sc && t->sc != sc)
		sc_bind_tcb(sc, t);
	else if (!sc && t->sc)
		sc_unbind_tcb(t->sc);
	return ABI_OK;
}

/* --- the rest --- */

static int bind_notification(struct invocation *inv, struct tcb *t)
{
	struct notification *n;
	struct cap c;

	c = inv_extra(inv, 0);
	if (t->bound_ntfn || cap_type(c) != CAP_NOTIFICATION ||
	    !(cap_sub_field(c, 0, 4) & ABI_RIGHT_READ))
		return ABI_ILLEGAL_OPERATION;
	n = cap_object(c);
	if (n->state == NTFN_WAITING || n->bound_tcb || n->direct)
		return ABI_ILLEGAL_OPERATION;
	ntfn_bind_tcb(n, t);
	return ABI_OK;
}

static int unbind_notification(struct tcb *t)
{
	if (!t->bound_ntfn)
		return ABI_ILLEGAL_OPERATION;
	ntfn_unbind_tcb(t->bound_ntfn);
	return ABI_OK;
}

static int set_tls_base(struct invocation *inv, struct tcb *t)
{
	if (!arch_tls_base_ok(inv_arg(inv, 0)))
		return inv_invalid_argument(inv, 0);
	arch_set_tls_base(t, inv_arg(inv, 0));
	return ABI_OK;
}

static int set_flags(struct invocation *inv, struct tcb *t)
{
	word_t known = ABI_TCB_FLAG_FPU_DISABLED;

	t->flags = (t->flags & ~inv_arg(inv, 0)) | (inv_arg(inv, 1) & known);
	arch_tcb_flags_changed(t);
	inv_result(inv, 0, t->flags);
	return ABI_OK;
}

int tcb_invoke(struct invocation *inv)
{
	struct tcb *t = cap_object(inv->cap);

	switch (inv->label) {
	case ABI_INV_TCB_READ_REGISTERS: return read_registers(inv, t);
	case ABI_INV_TCB_WRITE_REGISTERS: return write_registers(inv, t);
	case ABI_INV_TCB_COPY_REGISTERS: return copy_registers(inv, t);
	case ABI_INV_TCB_CONFIGURE: return configure(inv, t);
	case ABI_INV_TCB_SET_PRIORITY:
	case ABI_INV_TCB_SET_MC_PRIORITY: return set_priority(inv, t);
	case ABI_INV_TCB_SET_SCHED_PARAMS: return set_sched_params(inv, t);
	case ABI_INV_TCB_SET_TIMEOUT_ENDPOINT: return set_timeout_endpoint(inv, t);
	case ABI_INV_TCB_SET_IPC_BUFFER: return set_ipc_buffer(inv, t);
	case ABI_INV_TCB_SET_SPACE: return set_tcb_space(inv, t);
	case ABI_INV_TCB_SUSPEND:
		suspend(inv, t);
		return ABI_OK;
	case ABI_INV_TCB_RESUME:
		tcb_resume(t);
		return ABI_OK;
	case ABI_INV_TCB_BIND_NOTIFICATION: return bind_notification(inv, t);
	case ABI_INV_TCB_UNBIND_NOTIFICATION: return unbind_notification(t);
	case ABI_INV_TCB_SET_TLS_BASE: return set_tls_base(inv, t);
	case ABI_INV_TCB_SET_FLAGS: return set_flags(inv, t);
	default: return arch_invoke_tcb_ext(inv);
	}
}
