/*
 * Invocations of kernel objects, one function per label of abi/invocation.h
 * and abi/ext.h. Each returns enum abi_error; after an error the details
 * (abi/error.h: argument number, bounds, lookup failure) are in
 * sel4_error_word(0..3) of the calling thread until its next invocation.
 *
 * Included by <selvage/sel4.h>; include that.
 */
#pragma once

#include <abi/error.h>
#include <abi/ext.h>
#include <abi/invocation.h>
#include <abi/object.h>
#include <abi/regs.h>
#include <selvage/sel4.h>

static inline uint64_t sel4_error_word(unsigned i)
{
	return sel4_ipcbuf->msg[i];
}

/* One invocation: `caps` extra capabilities are in the IPC buffer, `words`
 * message words in mr[] and, from the fifth on, in the IPC buffer. */
static inline int sel4_invoke(cap_t object, uint64_t label, unsigned caps,
			      unsigned words, uint64_t mr[SEL4_MSG_REGS])
{
	msginfo_t answer = sel4_call(object, msginfo(label, caps, words), mr);
	int error = (int)msginfo_label(answer);

	if (error != ABI_OK) {
		for (unsigned i = 0; i < SEL4_MSG_REGS; i++)
			sel4_ipcbuf->msg[i] = mr[i];
	}
	return error;
}

/* --- Untyped ---------------------------------------------------------- */

/* Makes `count` objects; their capabilities go to slots node_offset.. of the
 * CNode at node_index (node_depth bits deep; depth 0: `root` itself). */
static inline int sel4_untyped_retype(cap_t untyped, cap_t root,
				      enum abi_object type, unsigned size_bits,
				      uint64_t node_index, uint64_t node_depth,
				      uint64_t node_offset, uint64_t count)
{
	uint64_t mr[SEL4_MSG_REGS] = {
		type, size_bits, node_index, node_depth
	};

	sel4_ipcbuf->caps_or_badges[0] = root;
	sel4_ipcbuf->msg[4] = node_offset;
	sel4_ipcbuf->msg[5] = count;
	return sel4_invoke(untyped, ABI_INV_UNTYPED_RETYPE, 1, 6, mr);
}

/* --- TCB -------------------------------------------------------------- */

/* Reads `count` registers (enum abi_context_reg order) into regs[]. */
static inline int sel4_tcb_read_registers(cap_t tcb, int suspend,
					  unsigned count, uint64_t *regs)
{
	uint64_t mr[SEL4_MSG_REGS] = { suspend != 0, count };
	int error = sel4_invoke(tcb, ABI_INV_TCB_READ_REGISTERS, 0, 2, mr);

	if (error != ABI_OK)
		return error;
	for (unsigned i = 0; i < count && i < ABI_CTX_COUNT; i++)
		regs[i] = i < SEL4_MSG_REGS ? mr[i] : sel4_ipcbuf->msg[i];
	return ABI_OK;
}

/* Writes the first `count` registers (at most ABI_CTX_COUNT). */
static inline int sel4_tcb_write_registers(cap_t tcb, int resume,
					   unsigned count,
					   const uint64_t *regs)
{
	uint64_t mr[SEL4_MSG_REGS] = { resume != 0, count };

	if (count > ABI_CTX_COUNT)
		count = ABI_CTX_COUNT;
	for (unsigned i = 0; i < count; i++) {
		if (i + 2 < SEL4_MSG_REGS)
			mr[i + 2] = regs[i];
		else
			sel4_ipcbuf->msg[i + 2] = regs[i];
	}
	return sel4_invoke(tcb, ABI_INV_TCB_WRITE_REGISTERS, 0, count + 2, mr);
}

/* flags: suspend source 1, resume target 2, frame 4, integer registers 8. */
static inline int sel4_tcb_copy_registers(cap_t tcb, cap_t source,
					  uint64_t flags)
{
	uint64_t mr[SEL4_MSG_REGS] = { flags };

	sel4_ipcbuf->caps_or_badges[0] = source;
	return sel4_invoke(tcb, ABI_INV_TCB_COPY_REGISTERS, 1, 1, mr);
}

/* vspace_data is 0; `buffer` is the IPC buffer's address. */
static inline int sel4_tcb_configure(cap_t tcb, cap_t cspace_root,
				     cap_t vspace_root, cap_t buffer_frame,
				     uint64_t cspace_data, uint64_t vspace_data,
				     uint64_t buffer)
{
	uint64_t mr[SEL4_MSG_REGS] = { cspace_data, vspace_data, buffer };

	sel4_ipcbuf->caps_or_badges[0] = cspace_root;
	sel4_ipcbuf->caps_or_badges[1] = vspace_root;
	sel4_ipcbuf->caps_or_badges[2] = buffer_frame;
	return sel4_invoke(tcb, ABI_INV_TCB_CONFIGURE, 3, 3, mr);
}

static inline int sel4_tcb_set_priority(cap_t tcb, cap_t authority,
					uint64_t priority)
{
	uint64_t mr[SEL4_MSG_REGS] = { priority };

	sel4_ipcbuf->caps_or_badges[0] = authority;
	return sel4_invoke(tcb, ABI_INV_TCB_SET_PRIORITY, 1, 1, mr);
}

static inline int sel4_tcb_set_mc_priority(cap_t tcb, cap_t authority,
					   uint64_t mcp)
{
	uint64_t mr[SEL4_MSG_REGS] = { mcp };

	sel4_ipcbuf->caps_or_badges[0] = authority;
	return sel4_invoke(tcb, ABI_INV_TCB_SET_MC_PRIORITY, 1, 1, mr);
}

static inline int sel4_tcb_set_sched_params(cap_t tcb, cap_t authority,
					    cap_t sched_context, cap_t fault_ep,
					    uint64_t mcp, uint64_t priority)
{
	uint64_t mr[SEL4_MSG_REGS] = { mcp, priority };

	sel4_ipcbuf->caps_or_badges[0] = authority;
	sel4_ipcbuf->caps_or_badges[1] = sched_context;
	sel4_ipcbuf->caps_or_badges[2] = fault_ep;
	return sel4_invoke(tcb, ABI_INV_TCB_SET_SCHED_PARAMS, 3, 2, mr);
}

static inline int sel4_tcb_set_timeout_endpoint(cap_t tcb, cap_t timeout_ep)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	sel4_ipcbuf->caps_or_badges[0] = timeout_ep;
	return sel4_invoke(tcb, ABI_INV_TCB_SET_TIMEOUT_ENDPOINT, 1, 0, mr);
}

static inline int sel4_tcb_set_ipc_buffer(cap_t tcb, cap_t buffer_frame,
					  uint64_t buffer)
{
	uint64_t mr[SEL4_MSG_REGS] = { buffer };

	sel4_ipcbuf->caps_or_badges[0] = buffer_frame;
	return sel4_invoke(tcb, ABI_INV_TCB_SET_IPC_BUFFER, 1, 1, mr);
}

static inline int sel4_tcb_set_space(cap_t tcb, cap_t fault_ep,
				     cap_t cspace_root, cap_t vspace_root,
				     uint64_t cspace_data, uint64_t vspace_data)
{
	uint64_t mr[SEL4_MSG_REGS] = { cspace_data, vspace_data };

	sel4_ipcbuf->caps_or_badges[0] = fault_ep;
	sel4_ipcbuf->caps_or_badges[1] = cspace_root;
	sel4_ipcbuf->caps_or_badges[2] = vspace_root;
	return sel4_invoke(tcb, ABI_INV_TCB_SET_SPACE, 3, 2, mr);
}

static inline int sel4_tcb_suspend(cap_t tcb)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	return sel4_invoke(tcb, ABI_INV_TCB_SUSPEND, 0, 0, mr);
}

static inline int sel4_tcb_resume(cap_t tcb)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	return sel4_invoke(tcb, ABI_INV_TCB_RESUME, 0, 0, mr);
}

static inline int sel4_tcb_bind_notification(cap_t tcb, cap_t notification)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	sel4_ipcbuf->caps_or_badges[0] = notification;
	return sel4_invoke(tcb, ABI_INV_TCB_BIND_NOTIFICATION, 1, 0, mr);
}

static inline int sel4_tcb_unbind_notification(cap_t tcb)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	return sel4_invoke(tcb, ABI_INV_TCB_UNBIND_NOTIFICATION, 0, 0, mr);
}

static inline int sel4_tcb_set_tls_base(cap_t tcb, uint64_t tls_base)
{
	uint64_t mr[SEL4_MSG_REGS] = { tls_base };

	return sel4_invoke(tcb, ABI_INV_TCB_SET_TLS_BASE, 0, 1, mr);
}

static inline int sel4_tcb_set_flags(cap_t tcb, uint64_t clear, uint64_t set,
				     uint64_t *flags)
{
	uint64_t mr[SEL4_MSG_REGS] = { clear, set };
	int error;

	error = sel4_invoke(tcb, ABI_INV_TCB_SET_FLAGS, 0, 2, mr);
	*flags = mr[0];
	return error;
}

/* --- CNode: (index, depth) name a slot below the invoked CNode ---------- */

static inline int sel4_cnode_revoke(cap_t cnode, uint64_t index, uint64_t depth)
{
	uint64_t mr[SEL4_MSG_REGS] = { index, depth };

	return sel4_invoke(cnode, ABI_INV_CNODE_REVOKE, 0, 2, mr);
}

static inline int sel4_cnode_delete(cap_t cnode, uint64_t index, uint64_t depth)
{
	uint64_t mr[SEL4_MSG_REGS] = { index, depth };

	return sel4_invoke(cnode, ABI_INV_CNODE_DELETE, 0, 2, mr);
}

static inline int
sel4_cnode_cancel_badged_sends(cap_t cnode, uint64_t index, uint64_t depth)
{
	uint64_t mr[SEL4_MSG_REGS] = { index, depth };

	return sel4_invoke(cnode, ABI_INV_CNODE_CANCEL_BADGED_SENDS, 0, 2, mr);
}

static inline int sel4_cnode_copy(cap_t cnode, uint64_t dest_index,
				  uint64_t dest_depth, cap_t src_root,
				  uint64_t src_index, uint64_t src_depth,
				  uint64_t rights)
{
	uint64_t mr[SEL4_MSG_REGS] = {
		dest_index, dest_depth, src_index, src_depth
	};

	sel4_ipcbuf->caps_or_badges[0] = src_root;
	sel4_ipcbuf->msg[4] = rights;
	return sel4_invoke(cnode, ABI_INV_CNODE_COPY, 1, 5, mr);
}

static inline int sel4_cnode_mint(cap_t cnode, uint64_t dest_index,
				  uint64_t dest_depth, cap_t src_root,
				  uint64_t src_index, uint64_t src_depth,
				  uint64_t rights, uint64_t badge)
{
	uint64_t mr[SEL4_MSG_REGS] = {
		dest_index, dest_depth, src_index, src_depth
	};

	sel4_ipcbuf->caps_or_badges[0] = src_root;
	sel4_ipcbuf->msg[4] = rights;
	sel4_ipcbuf->msg[5] = badge;
	return sel4_invoke(cnode, ABI_INV_CNODE_MINT, 1, 6, mr);
}

static inline int sel4_cnode_move(cap_t cnode, uint64_t dest_index,
				  uint64_t dest_depth, cap_t src_root,
				  uint64_t src_index, uint64_t src_depth)
{
	uint64_t mr[SEL4_MSG_REGS] = {
		dest_index, dest_depth, src_index, src_depth
	};

	sel4_ipcbuf->caps_or_badges[0] = src_root;
	return sel4_invoke(cnode, ABI_INV_CNODE_MOVE, 1, 4, mr);
}

static inline int sel4_cnode_mutate(cap_t cnode, uint64_t dest_index,
				    uint64_t dest_depth, cap_t src_root,
				    uint64_t src_index, uint64_t src_depth,
				    uint64_t badge)
{
	uint64_t mr[SEL4_MSG_REGS] = {
		dest_index, dest_depth, src_index, src_depth
	};

	sel4_ipcbuf->caps_or_badges[0] = src_root;
	sel4_ipcbuf->msg[4] = badge;
	return sel4_invoke(cnode, ABI_INV_CNODE_MUTATE, 1, 5, mr);
}

/* Source goes to pivot, pivot to destination, with new badges. */
struct sel4_slot_ref {
	cap_t root;                   /* unused for the destination: the invoked CNode */
	uint64_t index, depth, badge; /* badge unused for the source */
};

static inline int sel4_cnode_rotate(cap_t cnode,
				    const struct sel4_slot_ref *dest,
				    const struct sel4_slot_ref *pivot,
				    const struct sel4_slot_ref *src)
{
	uint64_t mr[SEL4_MSG_REGS] = {
		dest->index, dest->depth, dest->badge, pivot->index
	};

	sel4_ipcbuf->caps_or_badges[0] = pivot->root;
	sel4_ipcbuf->caps_or_badges[1] = src->root;
	sel4_ipcbuf->msg[4] = pivot->depth;
	sel4_ipcbuf->msg[5] = pivot->badge;
	sel4_ipcbuf->msg[6] = src->index;
	sel4_ipcbuf->msg[7] = src->depth;
	return sel4_invoke(cnode, ABI_INV_CNODE_ROTATE, 2, 8, mr);
}

/* --- Interrupts ------------------------------------------------------- */

static inline int sel4_irq_control_get(cap_t control, cap_t root, uint64_t irq,
				       uint64_t index, uint64_t depth)
{
	uint64_t mr[SEL4_MSG_REGS] = { irq, index, depth };

	sel4_ipcbuf->caps_or_badges[0] = root;
	return sel4_invoke(control, ABI_INV_IRQ_CONTROL_GET, 1, 3, mr);
}

static inline int sel4_irq_handler_ack(cap_t handler)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	return sel4_invoke(handler, ABI_INV_IRQ_HANDLER_ACK, 0, 0, mr);
}

static inline int
sel4_irq_handler_set_notification(cap_t handler, cap_t notification)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	sel4_ipcbuf->caps_or_badges[0] = notification;
	return sel4_invoke(handler, ABI_INV_IRQ_HANDLER_SET_NOTIFICATION, 1, 0,
			   mr);
}

static inline int sel4_irq_handler_clear(cap_t handler)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	return sel4_invoke(handler, ABI_INV_IRQ_HANDLER_CLEAR, 0, 0, mr);
}

/* --- Domains and scheduling contexts ------------------------------------ */

static inline int sel4_domain_set_set(cap_t domain_set, cap_t thread,
				      uint64_t domain)
{
	uint64_t mr[SEL4_MSG_REGS] = { domain };

	sel4_ipcbuf->caps_or_badges[0] = thread;
	return sel4_invoke(domain_set, ABI_INV_DOMAIN_SET_SET, 1, 1, mr);
}

static inline int
sel4_domain_set_schedule_configure(cap_t domain_set, uint64_t index,
				   uint64_t domain, uint64_t duration)
{
	uint64_t mr[SEL4_MSG_REGS] = { index, domain, duration };

	return sel4_invoke(domain_set, ABI_INV_DOMAIN_SET_SCHEDULE_CONFIGURE,
			   0, 3, mr);
}

static inline int
sel4_domain_set_schedule_set_start(cap_t domain_set, uint64_t index)
{
	uint64_t mr[SEL4_MSG_REGS] = { index };

	return sel4_invoke(domain_set, ABI_INV_DOMAIN_SET_SCHEDULE_SET_START,
			   0, 1, mr);
}

static inline int sel4_sched_control_configure(cap_t control,
					       cap_t sched_context,
					       uint64_t budget_us,
					       uint64_t period_us,
					       uint64_t extra_refills,
					       uint64_t badge, uint64_t flags)
{
	uint64_t mr[SEL4_MSG_REGS] = {
		budget_us, period_us, extra_refills, badge
	};

	sel4_ipcbuf->caps_or_badges[0] = sched_context;
	sel4_ipcbuf->msg[4] = flags;
	return sel4_invoke(control, ABI_INV_SCHED_CONTROL_CONFIGURE_FLAGS, 1, 5,
			   mr);
}

/* object: a TCB or a notification. */
static inline int sel4_sched_context_bind(cap_t sched_context, cap_t object)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	sel4_ipcbuf->caps_or_badges[0] = object;
	return sel4_invoke(sched_context, ABI_INV_SCHED_CONTEXT_BIND, 1, 0, mr);
}

static inline int sel4_sched_context_unbind(cap_t sched_context)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	return sel4_invoke(sched_context, ABI_INV_SCHED_CONTEXT_UNBIND, 0, 0,
			   mr);
}

static inline int
sel4_sched_context_unbind_object(cap_t sched_context, cap_t object)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	sel4_ipcbuf->caps_or_badges[0] = object;
	return sel4_invoke(sched_context, ABI_INV_SCHED_CONTEXT_UNBIND_OBJECT,
			   1, 0, mr);
}

static inline int sel4_sched_context_consumed(cap_t sched_context,
					      uint64_t *consumed_us)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };
	int error;

	error = sel4_invoke(sched_context, ABI_INV_SCHED_CONTEXT_CONSUMED, 0, 0,
			    mr);
	*consumed_us = mr[0];
	return error;
}

static inline int sel4_sched_context_yield_to(cap_t sched_context,
					      uint64_t *consumed_us)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };
	int error;

	error = sel4_invoke(sched_context, ABI_INV_SCHED_CONTEXT_YIELD_TO, 0, 0,
			    mr);
	*consumed_us = mr[0];
	return error;
}

/* --- Extensions (abi/ext.h): ask with sel4_ext_query() first ------------- */

/* Bits of enum abi_ext_feature; 0 on a kernel without extensions. */
static inline uint64_t sel4_ext_query(cap_t tcb)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	if (sel4_invoke(tcb, ABI_EXT_QUERY, 0, 0, mr) != ABI_OK)
		return 0;
	return mr[0];
}

/* irq_handler: of PPI 30. */
static inline int sel4_ext_tcb_enable_timer(cap_t tcb, cap_t irq_handler)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	sel4_ipcbuf->caps_or_badges[0] = irq_handler;
	return sel4_invoke(tcb, ABI_EXT_TCB_ENABLE_TIMER, 1, 0, mr);
}

/* An extension with one argument. */
static inline int sel4_ext_set(cap_t object, enum abi_extension label, uint64_t value)
{
	uint64_t mr[SEL4_MSG_REGS] = { value };

	return sel4_invoke(object, label, 0, 1, mr);
}

/* mask: ABI_EXT_TRAP_*. */
static inline int sel4_ext_vcpu_set_traps(cap_t vcpu, uint64_t mask)
{
	return sel4_ext_set(vcpu, ABI_EXT_VCPU_SET_TRAPS, mask);
}

/* on: 0 or 1. */
static inline int sel4_ext_vcpu_set_exit_message(cap_t vcpu, uint64_t on)
{
	return sel4_ext_set(vcpu, ABI_EXT_VCPU_SET_EXIT_MESSAGE, on);
}

/* on: 0 or 1. Every SVC of the thread is a fault. */
static inline int sel4_ext_tcb_set_syscall_fault(cap_t tcb, uint64_t on)
{
	return sel4_ext_set(tcb, ABI_EXT_TCB_SET_SYSCALL_FAULT, on);
}

/* frame: the ring (abi/trace.h), or 0 to stop. */
static inline int sel4_ext_sched_control_set_trace(cap_t sched_control, cap_t frame)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	sel4_ipcbuf->caps_or_badges[0] = frame;
	return sel4_invoke(sched_control, ABI_EXT_SCHED_CONTROL_SET_TRACE, frame != 0, 0, mr);
}

/* No native thread reaches the physical timer and the performance monitors at
 * EL0 any more, but by TCB_ENABLE_TIMER. */
static inline int sel4_ext_close_el0(cap_t irq_control)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	return sel4_invoke(irq_control, ABI_EXT_CLOSE_EL0, 0, 0, mr);
}

static inline int sel4_ext_tcb_set_trace_id(cap_t tcb, uint64_t id)
{
	return sel4_ext_set(tcb, ABI_EXT_TCB_SET_TRACE_ID, id);
}

/* bits: 32 or 64. */
static inline int sel4_ext_vcpu_set_width(cap_t vcpu, uint64_t bits)
{
	return sel4_ext_set(vcpu, ABI_EXT_VCPU_SET_WIDTH, bits);
}

/* mode: ABI_EXT_DEBUG_*. */
static inline int sel4_ext_vcpu_set_debug(cap_t vcpu, uint64_t mode)
{
	return sel4_ext_set(vcpu, ABI_EXT_VCPU_SET_DEBUG, mode);
}

/* lrs: list registers given up, 0 ends it; sgir: GICD_SGIR's address or 0;
 * wake: notification; member: a VCPU whose group it joins, or 0. */
static inline int sel4_ext_vcpu_set_direct(cap_t vcpu, uint64_t lrs, uint64_t sgir, cap_t wake,
					   cap_t member)
{
	uint64_t mr[SEL4_MSG_REGS] = { lrs, sgir };

	sel4_ipcbuf->caps_or_badges[0] = wake;
	sel4_ipcbuf->caps_or_badges[1] = member;
	return sel4_invoke(vcpu, ABI_EXT_VCPU_SET_DIRECT, member ? 2 : wake ? 1
									    : 0,
			   2, mr);
}

/* ntfn 0: unbinds. */
static inline int sel4_ext_vcpu_bind_irq(cap_t vcpu, uint64_t source, cap_t ntfn)
{
	uint64_t mr[SEL4_MSG_REGS] = { source };

	sel4_ipcbuf->caps_or_badges[0] = ntfn;
	return sel4_invoke(vcpu, ABI_EXT_VCPU_BIND_IRQ, ntfn ? 1 : 0, 1, mr);
}

/* how: bytes (0: any), perhaps | ABI_DOORBELL_MATCH; ntfn 0: removes it. */
static inline int sel4_ext_vcpu_set_doorbell(cap_t vcpu, uint64_t index, uint64_t gpa,
					     uint64_t how, uint64_t value, cap_t ntfn)
{
	uint64_t mr[SEL4_MSG_REGS] = { index, gpa, how, value };

	sel4_ipcbuf->caps_or_badges[0] = ntfn;
	return sel4_invoke(vcpu, ABI_EXT_VCPU_SET_DOORBELL, ntfn ? 1 : 0, 4, mr);
}

#include <selvage/sel4_invoke_arch.h>
