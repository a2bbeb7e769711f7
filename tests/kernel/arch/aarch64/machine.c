/* The machine under the tests: QEMU's virt. */
#include "../../kt.h"

#include <selvage/sel4.h>

#define UART_VADDR 0x30000000ull

static volatile uint32_t *uart;

volatile uint32_t *kt_uart(void) { return uart; }

void kt_console_put(char c)
{
	if (uart) {
		while (uart[0x18 / 4] & 0x20)
			;
		uart[0] = (uint8_t)c;
	} else if (SELVAGE_DEBUG) {
		sel4_debug_put_char(c);
	}
}

static bool covers(const struct abi_untyped_desc *u, uint64_t paddr)
{
	return u->is_device && paddr - u->paddr < 1ull << u->size_bits;
}

/* Maps the board's PL011. The untyped's
 * first page must be the UART's: retypes skip to it as untypeds. */
void kt_console_open(cap_t normal)
{
	const struct abi_bootinfo *info = rt_bootinfo();
	const uint64_t paddr = 0x09000000;
	cap_t frame = kt_slot();

	for (uint64_t i = 0; i < info->untyped.end - info->untyped.start; i++) {
		const struct abi_untyped_desc *u = &info->untyped_list[i];
		cap_t from = info->untyped.start + i;

		if (!covers(u, paddr))
			continue;
		uint64_t base = u->paddr;
		for (unsigned bits = u->size_bits; bits-- > 12;) {
			cap_t half = kt_slots(2);

			if (sel4_untyped_retype(from, KT_CNODE, ABI_OBJ_UNTYPED, bits, 0, 0, half,
						2) != ABI_OK)
				return;
			from = half + (paddr - base >= 1ull << bits);
			base += paddr - base >= 1ull << bits ? 1ull << bits : 0;
		}
		if (sel4_untyped_retype(from, KT_CNODE, ABI_OBJ_SMALL_PAGE, 0, 0, 0, frame, 1))
			return;
		/* Missing tables, of whichever levels. */
		for (unsigned level = 0; level < 3; level++) {
			cap_t table = kt_slot();

			if (sel4_page_map(frame, ABI_ROOT_VSPACE, UART_VADDR,
					  ABI_RIGHT_READ | ABI_RIGHT_WRITE,
					  ABI_VM_EXECUTE_NEVER) == ABI_OK)
				break;
			(void)sel4_untyped_retype(normal, KT_CNODE, ABI_OBJ_PAGE_TABLE, 0, 0, 0,
						  table, 1);
			(void)sel4_page_table_map(table, ABI_ROOT_VSPACE, UART_VADDR,
						  ABI_VM_DEFAULT);
		}
		uart = (volatile uint32_t *)UART_VADDR;
		return;
	}
}

/* As seL4 with its export options, until it is closed: a fault here ends all. */
void kt_arch_set_up(void)
{
	uint64_t v;

	if (kt_plain())
		return;
	__asm__ volatile("msr pmcntenset_el0, %0\n\tmrs %0, pmccntr_el0"
			 : "=r"(v)
			 : "0"(1ull << 31));
	__asm__ volatile("msr cntp_cval_el0, %1\n\tmsr cntp_ctl_el0, %2\n\tmrs %0, cntp_cval_el0"
			 : "=r"(v)
			 : "r"(~0ull), "r"(1ull));
	(void)v;
	CHECK_OK(sel4_ext_close_el0(ABI_ROOT_IRQ_CONTROL));
}

int kt_map_table(cap_t vspace, uint64_t vaddr)
{
	return sel4_page_table_map(kt_make(ABI_OBJ_PAGE_TABLE, 0), vspace, vaddr, ABI_VM_DEFAULT);
}

bool kt_has_object(unsigned type) { return type < ABI_OBJ_COUNT; }

/* --- groups --- */

/* What asks for more than plain seL4 has, or looks at how it differs. */
bool kt_has_group(const struct kt_group *g)
{
	if (g == &kt_calls || g == &kt_bad || g == &kt_vcpu || g == &kt_state ||
	    g == &kt_exit_message || g == &kt_extension || g == &kt_direct || g == &kt_hostile ||
	    g == &kt_el0 || g == &kt_expiry)
		return !kt_plain();
	return g != &kt_plain_kernel || kt_plain();
}

const struct kt_group *const kt_groups[] = {
	&kt_boot,
	&kt_edges,
	&kt_calls,
	&kt_lookups,
	&kt_bad,
	&kt_syscall,
	&kt_runtime,
	&kt_untyped,
	&kt_cnode,
	&kt_deletion,
	&kt_ipc,
	&kt_transfer,
	&kt_notification,
	&kt_reply,
	&kt_fault,
	&kt_answered,
	&kt_tcb,
	&kt_sched,
#if !SELVAGE_DEBUG /* its checks take time */
	&kt_budget,
	&kt_expiry,
#endif
	&kt_donation,
	&kt_irq,
	&kt_domain,
	&kt_memory,
	&kt_vspace,
	&kt_vcpu,
	&kt_state,
	&kt_stopped,
	&kt_exit_message,
	&kt_extension,
	&kt_direct,
	&kt_hostile,
	&kt_el0,
	&kt_corners,
	&kt_fastpath,
	&kt_plain_kernel,
	&kt_benchmark,
};
const unsigned kt_group_count = sizeof(kt_groups) / sizeof(kt_groups[0]);
