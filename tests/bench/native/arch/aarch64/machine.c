/* The machine under the benchmarks: QEMU's virt, with its PL011. */
#include "../../bench.h"

#include <selvage/rt.h>

#define UART_PADDR 0x09000000ull
#define UART_VADDR 0x30000000ull
#define UART_DR 0
#define UART_FR (0x18 / 4)
#define UART_FR_FULL 0x20u

volatile uint32_t *uart;

void put_string(const char *s)
{
	for (; uart && *s; s++) {
		while (uart[UART_FR] & UART_FR_FULL)
			;
		uart[UART_DR] = (uint8_t)*s;
	}
}

void map_into(cap_t vspace, cap_t frame, uint64_t vaddr, uint64_t attributes)
{
	const uint64_t rights = ABI_RIGHT_READ | ABI_RIGHT_WRITE;
	int error;

	for (unsigned level = 0;; level++) {
		error = sel4_page_map(frame, vspace, vaddr, rights, attributes);
		if (error != ABI_FAILED_LOOKUP || level == 3)
			break;
		MUST(sel4_page_table_map(make(pool, ABI_OBJ_PAGE_TABLE, 0), vspace, vaddr,
					 ABI_VM_DEFAULT));
	}
	must(error, "map a page");
}

/* Splits the device untyped down to the UART's page. */
void console_open(void)
{
	const struct abi_bootinfo *info = rt_bootinfo();

	for (uint64_t i = 0; i < info->untyped.end - info->untyped.start; i++) {
		const struct abi_untyped_desc *u = &info->untyped_list[i];
		cap_t from = info->untyped.start + i;
		uint64_t base = u->paddr;

		if (!u->is_device || UART_PADDR - base >= 1ull << u->size_bits)
			continue;
		for (unsigned bits = u->size_bits; bits-- > 12;) {
			cap_t half = slots(2);

			MUST(sel4_untyped_retype(from, ABI_ROOT_CNODE, ABI_OBJ_UNTYPED, bits, 0, 0,
						 half, 2));
			from = half + (UART_PADDR - base >= 1ull << bits);
			base += UART_PADDR - base >= 1ull << bits ? 1ull << bits : 0;
		}
		cap_t frame = make(from, ABI_OBJ_SMALL_PAGE, 0);

		map_into(ABI_ROOT_VSPACE, frame, UART_VADDR, ABI_VM_EXECUTE_NEVER);
		uart = (volatile uint32_t *)UART_VADDR;
		map_into(other_vspace, copy_of(frame), UART_VADDR, ABI_VM_EXECUTE_NEVER);
		return;
	}
}
