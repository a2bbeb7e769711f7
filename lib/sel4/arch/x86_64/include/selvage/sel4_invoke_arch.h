/* Invocations that x86-64 adds. Included by <selvage/sel4.h>; include that. */
#pragma once

#include <abi/vcpu.h>
#include <selvage/sel4.h>

/* --- Address spaces: tables of three levels, and pages ----------------- */

static inline int sel4_pdpt_map(cap_t cap, cap_t vspace, uint64_t vaddr, uint64_t attr)
{
	uint64_t mr[SEL4_MSG_REGS] = { vaddr, attr };

	sel4_ipcbuf->caps_or_badges[0] = vspace;
	return sel4_invoke(cap, ABI_INV_X86_PDPT_MAP, 1, 2, mr);
}

static inline int sel4_pdpt_unmap(cap_t cap)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	return sel4_invoke(cap, ABI_INV_X86_PDPT_UNMAP, 0, 0, mr);
}

static inline int sel4_page_directory_map(cap_t cap, cap_t vspace, uint64_t vaddr,
					  uint64_t attr)
{
	uint64_t mr[SEL4_MSG_REGS] = { vaddr, attr };

	sel4_ipcbuf->caps_or_badges[0] = vspace;
	return sel4_invoke(cap, ABI_INV_X86_PAGE_DIRECTORY_MAP, 1, 2, mr);
}

static inline int sel4_page_directory_unmap(cap_t cap)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	return sel4_invoke(cap, ABI_INV_X86_PAGE_DIRECTORY_UNMAP, 0, 0, mr);
}

static inline int sel4_page_table_map(cap_t cap, cap_t vspace, uint64_t vaddr, uint64_t attr)
{
	uint64_t mr[SEL4_MSG_REGS] = { vaddr, attr };

	sel4_ipcbuf->caps_or_badges[0] = vspace;
	return sel4_invoke(cap, ABI_INV_X86_PAGE_TABLE_MAP, 1, 2, mr);
}

static inline int sel4_page_table_unmap(cap_t cap)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	return sel4_invoke(cap, ABI_INV_X86_PAGE_TABLE_UNMAP, 0, 0, mr);
}

/* attr: ABI_VM_*. */
static inline int sel4_page_map(cap_t cap, cap_t vspace, uint64_t vaddr, uint64_t rights,
				uint64_t attr)
{
	uint64_t mr[SEL4_MSG_REGS] = { vaddr, rights, attr };

	sel4_ipcbuf->caps_or_badges[0] = vspace;
	return sel4_invoke(cap, ABI_INV_X86_PAGE_MAP, 1, 3, mr);
}

/* The same; after ABI_FAILED_LOOKUP *missing is what the table that is missing spans,
 * log2 bytes. */
static inline int sel4_page_map_missing(cap_t cap, cap_t vspace, uint64_t vaddr, uint64_t rights,
					uint64_t attr, uint64_t *missing)
{
	uint64_t mr[SEL4_MSG_REGS] = { vaddr, rights, attr };
	int error;

	sel4_ipcbuf->caps_or_badges[0] = vspace;
	error = sel4_invoke(cap, ABI_INV_X86_PAGE_MAP, 1, 3, mr);
	*missing = mr[2];
	return error;
}

static inline int sel4_page_unmap(cap_t cap)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	return sel4_invoke(cap, ABI_INV_X86_PAGE_UNMAP, 0, 0, mr);
}

static inline int sel4_page_get_address(cap_t cap, uint64_t *paddr)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	int error = sel4_invoke(cap, ABI_INV_X86_PAGE_GET_ADDRESS, 0, 0, mr);

	*paddr = mr[0];
	return error;
}

/* The 4 KiB untyped becomes a pool of address-space numbers. */
static inline int sel4_asid_control_make_pool(cap_t cap, cap_t untyped, cap_t root,
					      uint64_t index, uint64_t depth)
{
	uint64_t mr[SEL4_MSG_REGS] = { index, depth };

	sel4_ipcbuf->caps_or_badges[0] = untyped;
	sel4_ipcbuf->caps_or_badges[1] = root;
	return sel4_invoke(cap, ABI_INV_X86_ASID_CONTROL_MAKE_POOL, 2, 2, mr);
}

static inline int sel4_asid_pool_assign(cap_t cap, cap_t vspace)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	sel4_ipcbuf->caps_or_badges[0] = vspace;
	return sel4_invoke(cap, ABI_INV_X86_ASID_POOL_ASSIGN, 1, 0, mr);
}

/* --- I/O ports ----------------------------------------------------------- */

static inline int sel4_io_port_control_issue(cap_t cap, cap_t root, uint64_t first,
					     uint64_t last, uint64_t index, uint64_t depth)
{
	uint64_t mr[SEL4_MSG_REGS] = { first, last, index, depth };

	sel4_ipcbuf->caps_or_badges[0] = root;
	return sel4_invoke(cap, ABI_INV_X86_IO_PORT_CONTROL_ISSUE, 1, 4, mr);
}

static inline int sel4_io_port_in8(cap_t cap, uint64_t port, uint64_t *value)
{
	uint64_t mr[SEL4_MSG_REGS] = { port };

	int error = sel4_invoke(cap, ABI_INV_X86_IO_PORT_IN8, 0, 1, mr);

	*value = mr[0];
	return error;
}

static inline int sel4_io_port_out8(cap_t cap, uint64_t port, uint64_t value)
{
	uint64_t mr[SEL4_MSG_REGS] = { port, value };

	return sel4_invoke(cap, ABI_INV_X86_IO_PORT_OUT8, 0, 2, mr);
}

static inline int sel4_io_port_in16(cap_t cap, uint64_t port, uint64_t *value)
{
	uint64_t mr[SEL4_MSG_REGS] = { port };

	int error = sel4_invoke(cap, ABI_INV_X86_IO_PORT_IN16, 0, 1, mr);

	*value = mr[0];
	return error;
}

static inline int sel4_io_port_out16(cap_t cap, uint64_t port, uint64_t value)
{
	uint64_t mr[SEL4_MSG_REGS] = { port, value };

	return sel4_invoke(cap, ABI_INV_X86_IO_PORT_OUT16, 0, 2, mr);
}

static inline int sel4_io_port_in32(cap_t cap, uint64_t port, uint64_t *value)
{
	uint64_t mr[SEL4_MSG_REGS] = { port };

	int error = sel4_invoke(cap, ABI_INV_X86_IO_PORT_IN32, 0, 1, mr);

	*value = mr[0];
	return error;
}

static inline int sel4_io_port_out32(cap_t cap, uint64_t port, uint64_t value)
{
	uint64_t mr[SEL4_MSG_REGS] = { port, value };

	return sel4_invoke(cap, ABI_INV_X86_IO_PORT_OUT32, 0, 2, mr);
}

/* --- Interrupts ------------------------------------------------------- */

/* level, low: 0 or 1. */
static inline int sel4_irq_control_get_ioapic(cap_t cap, cap_t root, uint64_t index,
					      uint64_t depth, uint64_t ioapic, uint64_t pin,
					      uint64_t level, uint64_t low, uint64_t vector)
{
	uint64_t mr[SEL4_MSG_REGS] = { index, depth, ioapic, pin };

	sel4_ipcbuf->caps_or_badges[0] = root;
	sel4_ipcbuf->msg[4] = level;
	sel4_ipcbuf->msg[5] = low;
	sel4_ipcbuf->msg[6] = vector;
	return sel4_invoke(cap, ABI_INV_IRQ_CONTROL_GET_IOAPIC, 1, 7, mr);
}

static inline int sel4_irq_control_get_msi(cap_t cap, cap_t root, uint64_t index,
					   uint64_t depth, uint64_t bus, uint64_t device,
					   uint64_t function, uint64_t handle, uint64_t vector)
{
	uint64_t mr[SEL4_MSG_REGS] = { index, depth, bus, device };

	sel4_ipcbuf->caps_or_badges[0] = root;
	sel4_ipcbuf->msg[4] = function;
	sel4_ipcbuf->msg[5] = handle;
	sel4_ipcbuf->msg[6] = vector;
	return sel4_invoke(cap, ABI_INV_IRQ_CONTROL_GET_MSI, 1, 7, mr);
}

/* --- Guests ------------------------------------------------------------ */

/* attr: the EPT's memory type, 6 write-back, 0 uncached. */
static inline int sel4_page_map_ept(cap_t cap, cap_t ept, uint64_t gpa, uint64_t rights,
				    uint64_t attr)
{
	uint64_t mr[SEL4_MSG_REGS] = { gpa, rights, attr };

	sel4_ipcbuf->caps_or_badges[0] = ept;
	return sel4_invoke(cap, ABI_INV_X86_PAGE_MAP_EPT, 1, 3, mr);
}

/* The same; *missing as of sel4_page_map_missing. */
static inline int sel4_page_map_ept_missing(cap_t cap, cap_t ept, uint64_t gpa, uint64_t rights,
					    uint64_t attr, uint64_t *missing)
{
	uint64_t mr[SEL4_MSG_REGS] = { gpa, rights, attr };
	int error;

	sel4_ipcbuf->caps_or_badges[0] = ept;
	error = sel4_invoke(cap, ABI_INV_X86_PAGE_MAP_EPT, 1, 3, mr);
	*missing = mr[2];
	return error;
}

/* label: ABI_INV_X86_EPT_PDPT_MAP, EPT_PD_MAP, EPT_PT_MAP. */
static inline int sel4_ept_table_map(cap_t cap, uint64_t label, cap_t ept, uint64_t gpa)
{
	uint64_t mr[SEL4_MSG_REGS] = { gpa, 0 };

	sel4_ipcbuf->caps_or_badges[0] = ept;
	return sel4_invoke(cap, label, 1, 2, mr);
}

static inline int sel4_ept_table_unmap(cap_t cap, uint64_t label)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	return sel4_invoke(cap, label, 0, 0, mr);
}

static inline int sel4_tcb_set_ept_root(cap_t tcb, cap_t ept)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	sel4_ipcbuf->caps_or_badges[0] = ept;
	return sel4_invoke(tcb, ABI_INV_TCB_SET_EPT_ROOT, 1, 0, mr);
}

static inline int sel4_vcpu_set_tcb(cap_t vcpu, cap_t tcb)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	sel4_ipcbuf->caps_or_badges[0] = tcb;
	return sel4_invoke(vcpu, ABI_INV_X86_VCPU_SET_TCB, 1, 0, mr);
}

/* field: a VMCS field, or one of abi/vcpu.h. */
static inline int sel4_vcpu_read_field(cap_t vcpu, uint64_t field, uint64_t *value)
{
	uint64_t mr[SEL4_MSG_REGS] = { field };
	int error = sel4_invoke(vcpu, ABI_INV_X86_VCPU_READ_VMCS, 0, 1, mr);

	*value = mr[0];
	return error;
}

static inline int sel4_vcpu_write_field(cap_t vcpu, uint64_t field, uint64_t value)
{
	uint64_t mr[SEL4_MSG_REGS] = { field, value };

	return sel4_invoke(vcpu, ABI_INV_X86_VCPU_WRITE_VMCS, 0, 2, mr);
}

/* ABI_VCPU_FPU. */
static inline int sel4_vcpu_read_fpu(cap_t vcpu, uint64_t part, uint64_t word[2])
{
	uint64_t mr[SEL4_MSG_REGS] = { ABI_VCPU_FPU, part };
	int error = sel4_invoke(vcpu, ABI_INV_X86_VCPU_READ_VMCS, 0, 2, mr);

	word[0] = mr[0];
	word[1] = mr[1];
	return error;
}

static inline int sel4_vcpu_write_fpu(cap_t vcpu, uint64_t part, const uint64_t word[2])
{
	uint64_t mr[SEL4_MSG_REGS] = { ABI_VCPU_FPU, part, word[0], word[1] };

	return sel4_invoke(vcpu, ABI_INV_X86_VCPU_WRITE_VMCS, 0, 4, mr);
}

/* The registers of `set` (abi/vcpu.h) from, or to, `value`, indexed by their
 * numbers: others in it stay. */
static inline int sel4_vcpu_read_set(cap_t vcpu, uint64_t set, uint64_t *value)
{
	uint64_t mr[SEL4_MSG_REGS] = { ABI_VCPU_SET, set };
	int error = sel4_invoke(vcpu, ABI_INV_X86_VCPU_READ_VMCS, 0, 2, mr);

	for (unsigned i = 0; error == ABI_OK && set; i++, set &= set - 1)
		value[__builtin_ctzll(set)] = i < SEL4_MSG_REGS ? mr[i] : sel4_ipcbuf->msg[i];
	return error;
}

static inline int sel4_vcpu_write_set(cap_t vcpu, uint64_t set, const uint64_t *value)
{
	uint64_t mr[SEL4_MSG_REGS] = { ABI_VCPU_SET, set };
	unsigned n = 2;

	for (; set; n++, set &= set - 1) {
		uint64_t v = value[__builtin_ctzll(set)];

		if (n < SEL4_MSG_REGS)
			mr[n] = v;
		else
			sel4_ipcbuf->msg[n] = v;
	}
	return sel4_invoke(vcpu, ABI_INV_X86_VCPU_WRITE_VMCS, 0, n, mr);
}
