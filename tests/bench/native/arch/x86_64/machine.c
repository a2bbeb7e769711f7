/* The machine under the benchmarks: a PC with COM1. */
#include "machine.h"

#include <selvage/rt.h>

#define COM1 0x3f8
#define LINE_CONTROL (COM1 + 3)
#define LINE_STATUS (COM1 + 5)
#define EIGHT_BITS 3
#define STATUS_EMPTY 0x20

static cap_t com1;

void console_open(void)
{
	cap_t slot = slots(1);

	MUST(sel4_io_port_control_issue(ABI_ROOT_IO_PORT, ABI_ROOT_CNODE, COM1, COM1 + 7, slot,
					DEPTH));
	com1 = slot;
	MUST(sel4_io_port_out8(com1, LINE_CONTROL, EIGHT_BITS));
}

void put_string(const char *s)
{
	for (; com1 && *s; s++) {
		uint64_t status = 0;

		while (!(status & STATUS_EMPTY))
			(void)sel4_io_port_in8(com1, LINE_STATUS, &status);
		(void)sel4_io_port_out8(com1, COM1, (uint8_t)*s);
	}
}

void map_into(cap_t vspace, cap_t frame, uint64_t vaddr, uint64_t attributes)
{
	static const struct {
		enum abi_object type;
		int (*map)(cap_t, cap_t, uint64_t, uint64_t);
	} tables[] = { { ABI_OBJ_PDPT, sel4_pdpt_map },
		       { ABI_OBJ_PAGE_DIRECTORY, sel4_page_directory_map },
		       { ABI_OBJ_PAGE_TABLE, sel4_page_table_map } };
	const uint64_t rights = ABI_RIGHT_READ | ABI_RIGHT_WRITE;

	/* A failed lookup says which bits are left: the level that is missing. */
	while (sel4_page_map(frame, vspace, vaddr, rights, attributes) == ABI_FAILED_LOOKUP) {
		uint64_t bits = sel4_error_word(2);
		unsigned level = bits == 39 ? 0 : bits == 30 ? 1
							     : 2;

		MUST(tables[level].map(make(pool, tables[level].type, 0), vspace, vaddr, 0));
	}
}

/* Of known length: the TSC counts instructions. */
static void measure_loop(void)
{
	MEASURE("loop", ROUNDS, {
		t0 = now();
		__asm__ volatile("mov $1000, %%ecx\n1: dec %%ecx\n\tjnz 1b" ::
					 : "ecx", "cc");
		t1 = now();
	});
}

void measure_arch(void)
{
	measure_loop();
	measure_irq();
	measure_guest();
}
