/* The architecture's objects and capabilities as the core sees them. */
#include <abi/ext.h>
#include <abi/thread_exit.h>
#include <arch/apic.h>
#include <arch/vcpu.h>
#include <arch/vspace.h>
#include <kernel/arch.h>
#include <kernel/invoke.h>
#include <kernel/irq.h>
#include <selvage/base.h>

#define FEATURES (ABI_EXTF_SYSCALL_FAULT | ABI_EXTF_TRACE | ABI_EXTF_THREAD_EXIT)
#define VCPU_FEATURES (ABI_EXTF_EXIT_MESSAGE | ABI_EXTF_VCPU_STATE | ABI_EXTF_DOORBELL)

/* The IOMMU's are not there yet; guests' only where there can be guests. */
bool arch_object_type_ok(word_t type)
{
	return type >= ABI_OBJ_PDPT &&
	       (type <= ABI_OBJ_PAGE_DIRECTORY ||
		(type >= ABI_OBJ_VCPU && type < ABI_OBJ_COUNT && vcpu_exists()));
}

unsigned arch_object_bits(word_t type)
{
	switch (type) {
	case ABI_OBJ_LARGE_PAGE: return ABI_LARGE_PAGE_BITS;
	case ABI_OBJ_HUGE_PAGE: return ABI_HUGE_PAGE_BITS;
	case ABI_OBJ_VCPU: return ABI_VCPU_BITS;
	default: return ABI_PAGE_BITS; /* and tables of every level */
	}
}

bool arch_object_is_frame(word_t type)
{
	return type == ABI_OBJ_SMALL_PAGE || type == ABI_OBJ_LARGE_PAGE ||
	       type == ABI_OBJ_HUGE_PAGE;
}

static bool is_root(struct cap c)
{
	return cap_type(c) == CAP_VSPACE || cap_type(c) == CAP_EPT_PML4;
}

struct cap arch_object_create(word_t type, paddr_t addr, bool device)
{
	/* clang-format off */
	static const uint8_t size[ABI_OBJ_COUNT] = {
		[ABI_OBJ_LARGE_PAGE] = FRAME_LARGE, [ABI_OBJ_HUGE_PAGE] = FRAME_HUGE };
	static const uint8_t cap[ABI_OBJ_COUNT] = {
		[ABI_OBJ_VSPACE] = CAP_VSPACE, [ABI_OBJ_PDPT] = CAP_PDPT, [ABI_OBJ_VCPU] = CAP_VCPU,
		[ABI_OBJ_PAGE_DIRECTORY] = CAP_PAGE_DIRECTORY, [ABI_OBJ_EPT_PT] = CAP_EPT_PT,
		[ABI_OBJ_PAGE_TABLE] = CAP_PAGE_TABLE, [ABI_OBJ_EPT_PML4] = CAP_EPT_PML4,
		[ABI_OBJ_EPT_PDPT] = CAP_EPT_PDPT, [ABI_OBJ_EPT_PD] = CAP_EPT_PD,
	};
	/* clang-format on */

	if (!arch_object_is_frame(type))
		return cap_make((enum cap_type)cap[type], addr, 0, 0);
	return cap_frame(addr, size[type], ABI_RIGHT_READ | ABI_RIGHT_WRITE, device);
}

int arch_cap_derive(struct cap c, struct cap *out)
{
	*out = c;
	switch (cap_type(c)) {
	case CAP_FRAME: *out = cap_frame_mapped(c, 0, false); break; /* a copy is not mapped */
	case CAP_IO_PORT_CONTROL: *out = cap_null(); break;
	default:
		if ((table_level(cap_type(c)) || is_root(c)) && !cap_map_asid(c))
			return ABI_ILLEGAL_OPERATION;
	}
	return ABI_OK;
}

struct cap arch_cap_mask_rights(struct cap c, word_t rights)
{
	if (cap_type(c) == CAP_FRAME)
		c.w0 = (c.w0 & ~(3ull << 51)) | (cap_frame_rights(c) & rights) << 51;
	return c;
}

struct cap arch_cap_update_data(struct cap c, word_t data, bool preserve)
{
	(void)data, (void)preserve;
	return c;
}

bool arch_cap_same_object(struct cap a, struct cap b)
{
	if (cap_type(a) != cap_type(b))
		return false;
	if (cap_type(a) == CAP_IO_PORT)
		return a.w1 == b.w1;
	if (cap_type(a) == CAP_FRAME && cap_frame_size(a) != cap_frame_size(b))
		return false;
	return cap_addr(a) == cap_addr(b);
}

word_t arch_cap_size_bits(struct cap c)
{
	switch (cap_type(c)) {
	case CAP_FRAME: return frame_bits(cap_frame_size(c));
	case CAP_VCPU: return ABI_VCPU_BITS;
	case CAP_ASID_CONTROL:
	case CAP_IO_PORT_CONTROL:
	case CAP_IO_PORT: return 0;
	default: return ABI_PAGE_BITS; /* tables of every level, ASID pools */
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
	ports_epoch += cap_type(c) == CAP_IO_PORT;
	if (cap_type(c) == CAP_EPT_PML4)
		npt_changed(); /* it may have been a thread's */
	if (!final)
		return;
	if (cap_type(c) == CAP_VCPU)
		vcpu_destroy(cap_object(c));
	else if (table_level(cap_type(c)))
		table_unmap(c);
	else if (is_root(c) && cap_map_asid(c))
		asid_release(cap_map_asid(c), cap_addr(c));
	else if (cap_type(c) == CAP_IO_PORT)
		io_port_release(c);
}

int arch_invoke(struct invocation *inv)
{
	switch (cap_type(inv->cap)) {
	case CAP_FRAME: return frame_invoke(inv);
	case CAP_VCPU: return vcpu_invoke(inv);
	case CAP_ASID_CONTROL: return asid_control_invoke(inv);
	case CAP_ASID_POOL: return asid_pool_invoke(inv);
	case CAP_IO_PORT_CONTROL: return io_port_control_invoke(inv);
	case CAP_IO_PORT: return io_port_invoke(inv);
	default:
		return table_level(cap_type(inv->cap)) ? table_invoke(inv) : ABI_ILLEGAL_OPERATION;
	}
}

/* GetIOAPIC: index, depth, ioapic, pin, level, polarity, vector; root.
 * GetMSI: index, depth, bus, device, function, handle, vector; root. */
static int check_source(struct invocation *inv, bool pin)
{
	word_t last = ioapic_count() - 1;
	word_t pins = ioapic_pins((unsigned)min_u64(inv_arg(inv, 2), last));
	const word_t of_pin[] = { last, pins - 1, 1, 1 }, of_message[] = { 255, 31, 7, ~0ull };

	for (unsigned i = 0; i < 4; i++)
		if (inv_arg(inv, 2 + i) > (pin ? of_pin : of_message)[i])
			return inv_range(inv, 0, (pin ? of_pin : of_message)[i]);
	return ABI_OK;
}

int arch_invoke_irq_control(struct invocation *inv)
{
	struct slot *dest;

	if (inv->label != ABI_INV_IRQ_CONTROL_GET_IOAPIC &&
	    inv->label != ABI_INV_IRQ_CONTROL_GET_MSI)
		return ABI_ILLEGAL_OPERATION;
	bool pin = inv->label == ABI_INV_IRQ_CONTROL_GET_IOAPIC;
	irq_t irq = (irq_t)inv_arg(inv, 6);
	int error = irq_check(inv, inv_arg(inv, 6), inv_arg(inv, 0), inv_arg(inv, 1), &dest);
	if (!error)
		error = check_source(inv, pin);
	if (error)
		return error;
	if (pin)
		irq_set_pin(irq, (unsigned)inv_arg(inv, 2), (unsigned)inv_arg(inv, 3),
			    inv_arg(inv, 4), inv_arg(inv, 5));
	else
		irq_set_message(irq);
	irq_issue(inv, irq, dest);
	return ABI_OK;
}

int arch_invoke_tcb_ext(struct invocation *inv)
{
	struct tcb *t = cap_object(inv->cap);

	switch (inv->label) {
	case ABI_INV_TCB_SET_EPT_ROOT: return ept_set_root(inv);
	case ABI_EXT_QUERY:
		inv_result(inv, 0, FEATURES | (vcpu_exists() ? VCPU_FEATURES : 0));
		return ABI_OK;
	case ABI_EXT_TCB_SET_TRACE_ID:
		t->trace_id = inv_arg(inv, 0);
		return ABI_OK;
	case ABI_EXT_TCB_SET_SYSCALL_FAULT:
		if (inv_arg(inv, 0) > ABI_THREAD_EXITS)
			return inv_range(inv, 0, ABI_THREAD_EXITS);
		t->arch.special &= SPECIAL_VM_ENTER;
		t->arch.special |= (uint8_t)inv_arg(inv, 0);
		return ABI_OK;
	default: return ABI_ILLEGAL_OPERATION;
	}
}

/* Nothing is bound to virtual interrupts. */
void arch_direct_signal(struct notification *n) { (void)n; }
void arch_direct_unbind(struct notification *n) { (void)n; }

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
