/* Invocations that AArch64 adds. Included by <selvage/sel4.h>; include that. */
#pragma once

#include <selvage/sel4.h>

/* --- Interrupts ------------------------------------------------------- */

/* edge: 0 level-triggered, 1 edge-triggered. */
static inline int sel4_irq_control_get_trigger(cap_t control, cap_t root,
					       uint64_t irq, uint64_t edge,
					       uint64_t index, uint64_t depth)
{
	uint64_t mr[SEL4_MSG_REGS] = { irq, edge, index, depth };

	sel4_ipcbuf->caps_or_badges[0] = root;
	return sel4_invoke(control, ABI_INV_IRQ_CONTROL_GET_TRIGGER, 1, 4, mr);
}

static inline int
sel4_irq_control_issue_sgi_signal(cap_t control, cap_t root, uint64_t irq,
				  uint64_t target, uint64_t index,
				  uint64_t depth)
{
	uint64_t mr[SEL4_MSG_REGS] = { irq, target, index, depth };

	sel4_ipcbuf->caps_or_badges[0] = root;
	return sel4_invoke(control, ABI_INV_IRQ_CONTROL_ISSUE_SGI_SIGNAL, 1, 4,
			   mr);
}

/* --- Address spaces ------------------------------------------------------ */

static inline int sel4_vspace_clean_data(cap_t vspace, uint64_t start,
					 uint64_t end)
{
	uint64_t mr[SEL4_MSG_REGS] = { start, end };

	return sel4_invoke(vspace, ABI_INV_ARM_VSPACE_CLEAN_DATA, 0, 2, mr);
}

static inline int sel4_vspace_invalidate_data(cap_t vspace, uint64_t start,
					      uint64_t end)
{
	uint64_t mr[SEL4_MSG_REGS] = { start, end };

	return sel4_invoke(vspace, ABI_INV_ARM_VSPACE_INVALIDATE_DATA, 0, 2,
			   mr);
}

static inline int
sel4_vspace_clean_invalidate_data(cap_t vspace, uint64_t start, uint64_t end)
{
	uint64_t mr[SEL4_MSG_REGS] = { start, end };

	return sel4_invoke(vspace, ABI_INV_ARM_VSPACE_CLEAN_INVALIDATE_DATA,
			   0, 2, mr);
}

static inline int sel4_vspace_unify_instruction(cap_t vspace, uint64_t start,
						uint64_t end)
{
	uint64_t mr[SEL4_MSG_REGS] = { start, end };

	return sel4_invoke(vspace, ABI_INV_ARM_VSPACE_UNIFY_INSTRUCTION, 0, 2,
			   mr);
}

/* Fills the first missing level on the way to vaddr. */
static inline int sel4_page_table_map(cap_t table, cap_t vspace, uint64_t vaddr,
				      uint64_t attributes)
{
	uint64_t mr[SEL4_MSG_REGS] = { vaddr, attributes };

	sel4_ipcbuf->caps_or_badges[0] = vspace;
	return sel4_invoke(table, ABI_INV_ARM_PAGE_TABLE_MAP, 1, 2, mr);
}

static inline int sel4_page_table_unmap(cap_t table)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	return sel4_invoke(table, ABI_INV_ARM_PAGE_TABLE_UNMAP, 0, 0, mr);
}

/* rights: ABI_RIGHT_READ, ABI_RIGHT_WRITE; attributes: ABI_VM_*. */
static inline int sel4_page_map(cap_t page, cap_t vspace, uint64_t vaddr,
				uint64_t rights, uint64_t attributes)
{
	uint64_t mr[SEL4_MSG_REGS] = { vaddr, rights, attributes };

	sel4_ipcbuf->caps_or_badges[0] = vspace;
	return sel4_invoke(page, ABI_INV_ARM_PAGE_MAP, 1, 3, mr);
}

static inline int sel4_page_unmap(cap_t page)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	return sel4_invoke(page, ABI_INV_ARM_PAGE_UNMAP, 0, 0, mr);
}

static inline int sel4_page_clean_data(cap_t page, uint64_t start, uint64_t end)
{
	uint64_t mr[SEL4_MSG_REGS] = { start, end };

	return sel4_invoke(page, ABI_INV_ARM_PAGE_CLEAN_DATA, 0, 2, mr);
}

static inline int sel4_page_invalidate_data(cap_t page, uint64_t start,
					    uint64_t end)
{
	uint64_t mr[SEL4_MSG_REGS] = { start, end };

	return sel4_invoke(page, ABI_INV_ARM_PAGE_INVALIDATE_DATA, 0, 2, mr);
}

static inline int
sel4_page_clean_invalidate_data(cap_t page, uint64_t start, uint64_t end)
{
	uint64_t mr[SEL4_MSG_REGS] = { start, end };

	return sel4_invoke(page, ABI_INV_ARM_PAGE_CLEAN_INVALIDATE_DATA, 0, 2,
			   mr);
}

static inline int sel4_page_unify_instruction(cap_t page, uint64_t start,
					      uint64_t end)
{
	uint64_t mr[SEL4_MSG_REGS] = { start, end };

	return sel4_invoke(page, ABI_INV_ARM_PAGE_UNIFY_INSTRUCTION, 0, 2, mr);
}

static inline int sel4_page_get_address(cap_t page, uint64_t *paddr)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };
	int error;

	error = sel4_invoke(page, ABI_INV_ARM_PAGE_GET_ADDRESS, 0, 0, mr);
	*paddr = mr[0];
	return error;
}

static inline int sel4_asid_control_make_pool(cap_t control, cap_t untyped,
					      cap_t root, uint64_t index,
					      uint64_t depth)
{
	uint64_t mr[SEL4_MSG_REGS] = { index, depth };

	sel4_ipcbuf->caps_or_badges[0] = untyped;
	sel4_ipcbuf->caps_or_badges[1] = root;
	return sel4_invoke(control, ABI_INV_ARM_ASID_CONTROL_MAKE_POOL, 2, 2,
			   mr);
}

static inline int sel4_asid_pool_assign(cap_t pool, cap_t vspace)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	sel4_ipcbuf->caps_or_badges[0] = vspace;
	return sel4_invoke(pool, ABI_INV_ARM_ASID_POOL_ASSIGN, 1, 0, mr);
}

/* args and results: x0-x7. */
static inline int sel4_smc_call(cap_t smc, const uint64_t args[8],
				uint64_t results[8])
{
	uint64_t mr[SEL4_MSG_REGS] = { args[0], args[1], args[2], args[3] };
	int error;

	for (unsigned i = SEL4_MSG_REGS; i < 8; i++)
		sel4_ipcbuf->msg[i] = args[i];
	error = sel4_invoke(smc, ABI_INV_ARM_SMC_CALL, 0, 8, mr);
	for (unsigned i = 0; i < 8; i++)
		results[i] = i < SEL4_MSG_REGS ? mr[i] : sel4_ipcbuf->msg[i];
	return error;
}

/* --- VCPU ---------------------------------------------------------------- */

static inline int sel4_vcpu_set_tcb(cap_t vcpu, cap_t tcb)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	sel4_ipcbuf->caps_or_badges[0] = tcb;
	return sel4_invoke(vcpu, ABI_INV_ARM_VCPU_SET_TCB, 1, 0, mr);
}

/* Puts a virtual interrupt into list register `index`. */
static inline int sel4_vcpu_inject_irq(cap_t vcpu, uint16_t virq,
				       uint8_t priority, uint8_t group,
				       uint8_t index)
{
	uint64_t mr[SEL4_MSG_REGS] = {
		(uint64_t)virq |
		(uint64_t)priority << ABI_INJECT_PRIORITY_SHIFT |
		(uint64_t)group << ABI_INJECT_GROUP_SHIFT |
		(uint64_t)index << ABI_INJECT_INDEX_SHIFT
	};

	return sel4_invoke(vcpu, ABI_INV_ARM_VCPU_INJECT_IRQ, 0, 1, mr);
}

/* field: enum abi_vcpu_reg or enum abi_ext_vcpu_field. */
static inline int sel4_vcpu_read_regs(cap_t vcpu, uint64_t field,
				      uint64_t *value)
{
	uint64_t mr[SEL4_MSG_REGS] = { field };
	int error;

	error = sel4_invoke(vcpu, ABI_INV_ARM_VCPU_READ_REGS, 0, 1, mr);
	*value = mr[0];
	return error;
}

static inline int sel4_vcpu_write_regs(cap_t vcpu, uint64_t field,
				       uint64_t value)
{
	uint64_t mr[SEL4_MSG_REGS] = { field, value };

	return sel4_invoke(vcpu, ABI_INV_ARM_VCPU_WRITE_REGS, 0, 2, mr);
}

static inline int sel4_vcpu_ack_vppi(cap_t vcpu, uint64_t ppi)
{
	uint64_t mr[SEL4_MSG_REGS] = { ppi };

	return sel4_invoke(vcpu, ABI_INV_ARM_VCPU_ACK_VPPI, 0, 1, mr);
}
