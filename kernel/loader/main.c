/*
 * Puts kernel, devicetree and root task where they belong and starts the
 * kernel: docs/kernel-interface.md, "hand-over".
 */
#include "loader.h"
#include "mmu.h"

#include <loader_header.h>
#include <string.h>

#define PAGE 4096ull
#define DTB_ROOM 0x10000ull /* added to the tree's size for what we note */

static uint64_t page_up(uint64_t v)
{
	return (v + PAGE - 1) & ~(PAGE - 1);
}

/* A range that we are about to overwrite: must be RAM and not the image. */
static void claim(const void *dtb, uint64_t start, uint64_t end)
{
	uint64_t image_end = LOADER_BASE + loader_header.cpio_offset +
			     loader_header.cpio_bytes;
	uint64_t dtb_start = (uint64_t)(uintptr_t)dtb;

	if (loader_header.payload_bytes)
		image_end = LOADER_BASE + loader_header.payload_offset +
			    loader_header.payload_bytes;
	if (!dt_is_ram(dtb, start, end))
		die("the machine has too little RAM: nothing up to", end);
	if (start < image_end && end > LOADER_BASE)
		die("the system image is too large: it reaches", image_end);
	if (start < dtb_start + dt_size(dtb) && end > dtb_start)
		die("the devicetree is in the kernel's place", dtb_start);
	if (mmu_map(start, end - start, MMU_NORMAL))
		die("out of page tables at", start);
}

static const void *archive_file(const char *name, uint64_t *size)
{
	return cpio_find((const void *)(uintptr_t)(LOADER_BASE + loader_header.cpio_offset),
			 loader_header.cpio_bytes, name, size);
}

static void map_image(void)
{
	if (loader_header.magic != LOADER_MAGIC || !loader_header.cpio_bytes)
		die("this is a bare loader, not a system image", loader_header.magic);
	if (mmu_map(LOADER_BASE + loader_header.cpio_offset, loader_header.cpio_bytes,
		    MMU_NORMAL))
		die("out of page tables", loader_header.cpio_bytes);
}

static uint64_t place_kernel(const void *dtb, uint64_t *entry)
{
	struct elf_extent e;
	uint64_t bytes;
	const void *elf = archive_file("kernel.elf", &bytes);

	if (!elf)
		die("no kernel.elf in the image", 0);
	elf_extent(elf, bytes, &e);
	claim(dtb, e.pstart, page_up(e.pend));
	elf_copy(elf, 0, 1);
	mmu_flush(e.pstart, e.pend - e.pstart);
	if (e.vstart != e.pstart && mmu_map_at(e.vstart, e.pstart, e.pend - e.pstart))
		die("the kernel's virtual and physical address do not fit", e.vstart);
	*entry = e.entry;
	return page_up(e.pend);
}

static uint64_t place_devicetree(const void *dtb, uint64_t at, uint64_t *bytes)
{
	uint64_t payload = 0, file_bytes;
	const void *file = archive_file("kernel.dtb", &file_bytes);
	const void *from = file ? file : dtb;
	uint64_t room = page_up(dt_size(from) + DTB_ROOM);

	if (loader_header.payload_bytes)
		payload = LOADER_BASE + loader_header.payload_offset;
	claim(dtb, at, at + room);
	*bytes = dt_prepare(from, (void *)(uintptr_t)at, room, payload,
			    loader_header.payload_bytes);
	mmu_flush(at, *bytes);
	return page_up(at + *bytes);
}

static void place_root(const void *dtb, uint64_t at, uint64_t args[6])
{
	struct elf_extent e;
	uint64_t bytes;
	const void *elf = archive_file("rootserver", &bytes);

	if (!elf)
		die("no rootserver in the image", 0);
	elf_extent(elf, bytes, &e);
	uint64_t vstart = e.vstart & ~(PAGE - 1), size = page_up(e.vend) - vstart;
	claim(dtb, at, at + size);
	memset((void *)(uintptr_t)at, 0, size);
	elf_copy(elf, at - vstart, 0);
	mmu_flush(at, size);
	args[0] = at;
	args[1] = at + size;
	args[2] = at - vstart;
	args[3] = e.entry;
}

void loader_main(uint64_t dtb_addr)
{
	const void *dtb = (const void *)(uintptr_t)dtb_addr;
	uint64_t args[6], entry;

	map_image();
	uint64_t end = place_kernel(dtb, &entry);
	args[4] = end;
	end = place_devicetree(dtb, end, &args[5]);
	place_root(dtb, end, args);
	loader_jump(entry, args);
}

void loader_exception(uint64_t esr, uint64_t elr, uint64_t far)
{
	print("selvage loader: exception at ");
	print_hex(elr);
	print(", address ");
	print_hex(far);
	print("\n");
	die("syndrome", esr);
}
