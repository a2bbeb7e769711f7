/* Invocations that x86-64 adds. Included by <selvage/sel4.h>; include that. */
#pragma once

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
