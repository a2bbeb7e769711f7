/* The architecture's objects and capabilities as the core sees them. */
#include <abi/ext.h>
#include <arch/boot.h>
#include <arch/gic.h>
#include <arch/sysreg.h>
#include <arch/vcpu.h>
#include <arch/vspace.h>
#include <kernel/arch.h>
#include <kernel/invoke.h>
#include <kernel/irq.h>

#define FEATURES                                                                                  \
	(ABI_EXTF_TIMER | ABI_EXTF_VCPU_STATE | ABI_EXTF_VCPU_TRAPS | ABI_EXTF_EXIT_MESSAGE |     \
	 ABI_EXTF_SYSCALL_FAULT | ABI_EXTF_VCPU_DEBUG | ABI_EXTF_DIRECT_IRQ | ABI_EXTF_DOORBELL | \
	 ABI_EXTF_CLOSE_EL0 |                                                                     \
	 ABI_EXTF_TRACE)

bool arch_object_type_ok(word_t type) { return type >= ABI_OBJ_HUGE_PAGE && type < ABI_OBJ_COUNT; }

unsigned arch_object_bits(word_t type)
{
	static const uint8_t bits[ABI_OBJ_COUNT] = {
		[ABI_OBJ_HUGE_PAGE] = ABI_HUGE_PAGE_BITS,
		[ABI_OBJ_VSPACE] = ABI_VSPACE_BITS,
		[ABI_OBJ_SMALL_PAGE] = ABI_PAGE_BITS,
		[ABI_OBJ_LARGE_PAGE] = ABI_LARGE_PAGE_BITS,
		[ABI_OBJ_PAGE_TABLE] = ABI_PAGE_TABLE_BITS,
		[ABI_OBJ_VCPU] = ABI_VCPU_BITS,
	};
	return bits[type];
}

bool arch_object_is_frame(word_t type)
{
	return type == ABI_OBJ_SMALL_PAGE || type == ABI_OBJ_LARGE_PAGE ||
	       type == ABI_OBJ_HUGE_PAGE;
}

struct cap arch_object_create(word_t type, paddr_t addr, bool device)
{
	word_t rights = ABI_RIGHT_READ | ABI_RIGHT_WRITE;

	switch (type) {
	case ABI_OBJ_SMALL_PAGE: return cap_frame(addr, FRAME_SMALL, rights, device);
	case ABI_OBJ_LARGE_PAGE: return cap_frame(addr, FRAME_LARGE, rights, device);
	case ABI_OBJ_HUGE_PAGE: return cap_frame(addr, FRAME_HUGE, rights, device);
	case ABI_OBJ_VSPACE: return cap_vspace(addr, 0);
	case ABI_OBJ_PAGE_TABLE: return cap_page_table(addr);
	case ABI_OBJ_VCPU: return cap_vcpu(paddr_to_ptr(addr));
	default: return cap_null();
	}
}

int arch_cap_derive(struct cap c, struct cap *out)
{
	*out = c;
	switch (cap_type(c)) {
	case CAP_FRAME:
		out->w1 = 0; /* a copy is not mapped */
		return ABI_OK;
	case CAP_PAGE_TABLE:
	case CAP_VSPACE: return cap_map_asid(c) ? ABI_OK : ABI_ILLEGAL_OPERATION;
	default: return ABI_OK;
	}
}

struct cap arch_cap_mask_rights(struct cap c, word_t rights)
{
	if (cap_type(c) == CAP_FRAME) {
		word_t keep = cap_frame_rights(c) & rights;
		c.w0 = (c.w0 & ~(3ull << 51)) | keep << 51;
	}
	return c;
}

struct cap arch_cap_update_data(struct cap c, word_t data, bool preserve)
{
	/* A badged SMC capability allows one function only. */
	if (cap_type(c) == CAP_SMC && !preserve && !c.w1)
		c.w1 = data;
	return c;
}

bool arch_cap_same_object(struct cap a, struct cap b)
{
	if (cap_type(a) != cap_type(b))
		return false;
	if (cap_type(a) == CAP_FRAME && cap_frame_size(a) != cap_frame_size(b))
		return false;
	return cap_addr(a) == cap_addr(b);
}

word_t arch_cap_size_bits(struct cap c)
{
	switch (cap_type(c)) {
	case CAP_FRAME: return frame_bits(cap_frame_size(c));
	case CAP_PAGE_TABLE: return ABI_PAGE_TABLE_BITS;
	case CAP_VSPACE: return ABI_VSPACE_BITS;
	case CAP_ASID_POOL: return ABI_ASID_POOL_BITS;
	case CAP_VCPU: return ABI_VCPU_BITS;
	default: return 0;
	}
}

bool arch_cap_shrink(struct cap c)
{
	return cap_type(c) == CAP_ASID_POOL && asid_pool_shrink(cap_object(c), (asid_t)c.w1);
}

void arch_cap_finalise(struct cap c, bool final)
{
	if (cap_type(c) == CAP_FRAME) {
		frame_unmap(c); /* every capability is a mapping of its own */
		return;
	}
	if (!final)
		return;
	switch (cap_type(c)) {
	case CAP_PAGE_TABLE: page_table_unmap(c); break;
	case CAP_VSPACE:
		if (cap_map_asid(c))
			asid_release(cap_map_asid(c), cap_addr(c));
		break;
	case CAP_VCPU:
		vcpu_unbind(cap_object(c));
		direct_destroy(cap_object(c));
		doorbell_destroy(cap_object(c));
		break;
	default: break;
	}
}

int arch_invoke(struct invocation *inv)
{
	switch (cap_type(inv->cap)) {
	case CAP_FRAME: return frame_invoke(inv);
	case CAP_PAGE_TABLE: return page_table_invoke(inv);
	case CAP_VSPACE: return vspace_invoke(inv);
	case CAP_ASID_CONTROL: return asid_control_invoke(inv);
	case CAP_ASID_POOL: return asid_pool_invoke(inv);
	case CAP_VCPU: return vcpu_invoke(inv);
	case CAP_SMC: return smc_invoke(inv);
	default: return inv_invalid_cap(inv, 0);
	}
}

/* IssueSGISignal: irq, target, index, depth; root. */
static int issue_sgi_signal(struct invocation *inv)
{
	struct slot *dest;
	word_t irq = inv_arg(inv, 0), target = inv_arg(inv, 1);

	if (irq > SGI_MAX)
		return inv_range(inv, 0, SGI_MAX);
	if (!gic_sgi_target_ok(target))
		return inv_invalid_argument(inv, 1);
	int error = inv_lookup_empty(inv, inv_extra(inv, 0), inv_arg(inv, 2), inv_arg(inv, 3),
				     &dest);
	if (!error)
		slot_insert_child(dest, cap_make(CAP_SGI_SIGNAL, 0, irq, target), inv->slot);
	return error;
}

/* Get: irq, index, depth; root. GetTrigger: the trigger behind the irq. */
int arch_invoke_irq_control(struct invocation *inv)
{
	struct slot *dest;

	if (inv->label == ABI_INV_IRQ_CONTROL_ISSUE_SGI_SIGNAL)
		return issue_sgi_signal(inv);
	if (inv->label == ABI_EXT_CLOSE_EL0) {
		cpu_open_el0(false);
		return ABI_OK;
	}
	word_t irq = inv_arg(inv, 0), trigger = inv->label == ABI_INV_IRQ_CONTROL_GET_TRIGGER;
	int error = irq_check(inv, irq, inv_arg(inv, 1 + (unsigned)trigger),
			      inv_arg(inv, 2 + (unsigned)trigger), &dest);
	if (error)
		return error;
	if (trigger)
		gic_set_trigger((irq_t)irq, inv_arg(inv, 1) & 1);
	irq_issue(inv, irq, dest);
	return ABI_OK;
}

static int tcb_enable_timer(struct invocation *inv)
{
	struct cap irq = inv_extra(inv, 0);
	if (cap_type(irq) != CAP_IRQ_HANDLER || cap_irq(irq) != PPI_PHYSICAL_TIMER)
		return inv_invalid_cap(inv, 1);
	struct tcb *t = cap_object(inv->cap);
	t->arch.needs |= ARCH_TIMER;
	arch_space_changed(t);
	return ABI_OK;
}

static int tcb_set_syscall_fault(struct invocation *inv)
{
	if (inv_arg(inv, 0) > 1)
		return inv_range(inv, 0, 1);
	((struct tcb *)cap_object(inv->cap))->arch.syscall_fault = inv_arg(inv, 0);
	return ABI_OK;
}

int arch_invoke_tcb_ext(struct invocation *inv)
{
	switch (inv->label) {
	case ABI_EXT_QUERY:
		inv_result(inv, 0, FEATURES | (vcpu_has_aarch32(1) ? ABI_EXTF_VCPU_WIDTH : 0));
		return ABI_OK;
	case ABI_EXT_TCB_ENABLE_TIMER: return tcb_enable_timer(inv);
	case ABI_EXT_TCB_SET_TRACE_ID:
		((struct tcb *)cap_object(inv->cap))->trace_id = inv_arg(inv, 0);
		return ABI_OK;
	case ABI_EXT_TCB_SET_SYSCALL_FAULT: return tcb_set_syscall_fault(inv);
	default: return ABI_ILLEGAL_OPERATION;
	}
}

/* --- IPC buffers --- */
bool arch_cap_is_valid_vspace(struct cap c)
{
	return cap_type(c) == CAP_VSPACE && vspace_is_live(c);
}

bool arch_cap_is_ipc_frame(struct cap c)
{
	return cap_type(c) == CAP_FRAME && !cap_frame_is_device(c);
}

void *arch_ipc_buffer(struct cap c, vptr_t vaddr, bool write)
{
	word_t need = ABI_RIGHT_READ | (write ? ABI_RIGHT_WRITE : 0);

	if (!arch_cap_is_ipc_frame(c) || (cap_frame_rights(c) & need) != need)
		return NULL;
	return paddr_to_ptr(cap_addr(c) + (vaddr & ((1ull << frame_bits(cap_frame_size(c))) - 1)));
}
