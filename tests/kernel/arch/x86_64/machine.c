/* The machine under the tests: a PC with COM1. */
#include "guest.h"

#include <abi/ext.h>

#define COM1 0x3f8
#define COM1_LAST 0x3ff
#define LINE_STATUS (COM1 + 5)
#define STATUS_EMPTY 0x20

/* Bochs's own, which takes no time: it reads as its number. */
#define DEBUG_PORT 0xe9

static cap_t com1, debug_port;

void kt_console_open(cap_t normal)
{
	cap_t slot = kt_slot();
	uint64_t value = 0;

	(void)normal;
	if (sel4_io_port_control_issue(ABI_ROOT_IO_PORT, KT_CNODE, COM1, COM1_LAST, slot, 64) ==
	    ABI_OK)
		com1 = slot;
	slot = kt_slot();
	if (sel4_io_port_control_issue(ABI_ROOT_IO_PORT, KT_CNODE, DEBUG_PORT, DEBUG_PORT, slot,
				       64) == ABI_OK &&
	    sel4_io_port_in8(slot, DEBUG_PORT, &value) == ABI_OK && value == DEBUG_PORT)
		debug_port = slot;
}

/* Between two checks of an error's words: they stay. */
void kt_console_put(char c)
{
	uint64_t status = 0;

	if (debug_port) {
		(void)sel4_io_port_out8(debug_port, DEBUG_PORT, (uint8_t)c);
		return;
	}
	do
		(void)sel4_io_port_in8(com1, LINE_STATUS, &status);
	while (!(status & STATUS_EMPTY));
	(void)sel4_io_port_out8(com1, COM1, (uint8_t)c);
}

int kt_map_table(cap_t vspace, uint64_t vaddr)
{
	int error = sel4_pdpt_map(kt_make(ABI_OBJ_PDPT, 0), vspace, vaddr, 0);

	if (error == ABI_DELETE_FIRST)
		error = sel4_page_directory_map(kt_make(ABI_OBJ_PAGE_DIRECTORY, 0), vspace, vaddr,
						0);
	if (error == ABI_DELETE_FIRST)
		error = sel4_page_table_map(kt_make(ABI_OBJ_PAGE_TABLE, 0), vspace, vaddr, 0);
	return error;
}

/* Not the IOMMU's yet; those of guests where the processor has SVM or VT-x. */
bool kt_has_object(unsigned type)
{
	return type < ABI_OBJ_IO_PAGE_TABLE ||
	       (type != ABI_OBJ_IO_PAGE_TABLE &&
		(sel4_ext_query(ABI_ROOT_TCB) & ABI_EXTF_EXIT_MESSAGE));
}

void kt_arch_set_up(void) {}
bool kt_has_group(const struct kt_group *g)
{
	bool has_guests = sel4_ext_query(ABI_ROOT_TCB) & ABI_EXTF_EXIT_MESSAGE;

	if (g == &kt_vmcs)
		return has_guests && guest_has_vmx();
	return g != &kt_guest_pc || has_guests;
}

/* The others of tests/kernel know AArch64 still. */
const struct kt_group *const kt_groups[] = {
	&kt_runtime,
	&kt_untyped,
	&kt_cnode,
	&kt_deletion,
	&kt_ipc,
	&kt_transfer,
	&kt_notification,
	&kt_reply,
	&kt_sched,
#if !SELVAGE_DEBUG /* its checks take time */
	&kt_budget,
#endif
	&kt_donation,
	&kt_domain,
	&kt_paging,
	&kt_asid,
	&kt_ports,
	&kt_irq_pc,
	&kt_fault_pc,
	&kt_exits_pc,
	&kt_stopped,
	&kt_registers_pc,
	&kt_fastpath,
	&kt_guest_pc,
	&kt_vmcs,
};
const unsigned kt_group_count = sizeof(kt_groups) / sizeof(kt_groups[0]);
