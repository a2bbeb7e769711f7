/*
 * Images of PC guests, one protocol per target: whatever the image says, it is
 * refused with a reason, or the guest is entered in memory that it has and what
 * it is pointed at is there.
 */
#include "boot/pc/boot.h"

#include <selvage/base.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LOW_BYTES 0x9fc00u
#define HIGH_BYTES 0x800000u

static void need(bool condition)
{
	if (!condition)
		abort();
}

static const char *load(const struct pc_boot *b, struct pc_entry *e)
{
#if defined(FUZZ_bzimage)
	return bzimage_load(b, b->kernel_bytes % 2 ? PC_MODE_LONG : PC_MODE_PROTECTED, e);
#elif defined(FUZZ_pvh)
	return pvh_load(b, e);
#else
	return multiboot_load(b, e);
#endif
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t low[LOW_BYTES], high[HIGH_BYTES], module[0x1234];
	static struct gmem mem;
	static struct pc_map map;
	struct pc_boot b = { .mem = &mem,
			     .map = &map,
			     .kernel = data,
			     .kernel_bytes = size,
			     .cmdline = "console=ttyS0",
			     .n_modules = 1,
			     .module = { { module, sizeof(module), "module" } },
			     .rsdp = 0xe0000 };
	struct pc_entry e;
	uint64_t given;

	if (mem.n_regions == 0) {
		need(gmem_add(&mem, 0, sizeof(low), low));
		need(gmem_add(&mem, 0x100000, sizeof(high), high));
		need(pc_map_from_ram(&map, &mem, PC_LOW_PC));
	}
	if (load(&b, &e) != NULL)
		return 0;
	given = e.gpr[PC_RSI] | e.gpr[PC_RBX];
	need(given >= 0x1000 && gmem_holds(&mem, given, 56));
	need(gmem_holds(&mem, e.gdtr.base, e.gdtr.limit + 1));
	need(e.mode != PC_MODE_LONG || gmem_holds(&mem, e.cr3, 0x6000));
	need(e.rip < PC_4GIB && e.rflags == 2);
	return 0;
}
