/* The same for what is no arm64 Image. */
#include "layout.h"

#include <selvage/base.h>

#define ALIGN 0x10000ull
/* 32-bit Linux reaches all of this without mapping it anew, wherever its
 * memory starts and however it is split. */
#define LOW_MEMORY 0x20000000ull
#define ZIMAGE_OFFSET 0x2000000ull

/* Devicetree at the top, initrd below it. False: no room. */
static bool place_at_top(uint64_t ram_gpa, uint64_t ram_bytes, uint64_t initrd_bytes,
			 struct boot_layout *out)
{
	uint64_t low = min_u64(ram_bytes, LOW_MEMORY);

	if (low < BOOT_FDT_BYTES || initrd_bytes > low - BOOT_FDT_BYTES)
		return false;
	out->fdt_gpa = align_down_u64(ram_gpa + low - BOOT_FDT_BYTES, ALIGN);
	out->initrd_gpa = align_down_u64(out->fdt_gpa - initrd_bytes, ALIGN);
	return out->fdt_gpa >= ram_gpa && out->initrd_gpa >= ram_gpa &&
	       out->initrd_gpa <= out->fdt_gpa;
}

/*
 * The zImage unpacks to the bottom of RAM (Documentation/arm/booting.rst) and
 * moves itself out of the way if it must, so what it shall not overwrite
 * stands at the top of low memory.
 */
const char *boot_layout_zimage(uint64_t ram_gpa, uint64_t ram_bytes, uint64_t kernel_bytes,
			       uint64_t initrd_bytes, struct boot_layout *out)
{
	uint64_t offset = min_u64(ZIMAGE_OFFSET,
				  align_down_u64(ram_bytes / 4, ALIGN));

	if (!is_aligned_u64(ram_gpa, ARM64_IMAGE_ALIGN) || ram_gpa >> 32 != 0)
		return "a zImage's memory must start at a multiple of 2 MiB below 4 GiB";
	out->kernel_gpa = ram_gpa + offset;
	if (!place_at_top(ram_gpa, ram_bytes, initrd_bytes, out) ||
	    !range_within_u64(out->kernel_gpa, kernel_bytes, ram_gpa, out->initrd_gpa - ram_gpa))
		return "kernel and initrd do not fit into the memory";
	return NULL;
}

static bool is_free(const struct sysdesc_vm *vm, uint64_t gpa, uint64_t bytes)
{
	const struct sysdesc_region *ram = &vm->region[0];

	if (!range_within_u64(gpa, bytes, ram->gpa, ram->size) ||
	    (vm->n_vectors != 0 && gpa < SYSDESC_PAGE))
		return false;
	for (uint32_t i = 0; i < vm->n_pieces; i++)
		if (range_overlaps_u64(gpa, bytes, vm->piece[i].gpa, vm->piece[i].size))
			return false;
	return true;
}

/* The devicetree at the start of the first region, where boot loaders look for
 * it, or else at its end. */
const char *boot_layout_pieces(const struct sysdesc_vm *vm, uint64_t initrd_bytes,
			       struct boot_layout *out)
{
	const struct sysdesc_region *ram = &vm->region[0];
	bool room = place_at_top(ram->gpa, ram->size, initrd_bytes, out);

	if (initrd_bytes != 0 && (!room || !is_free(vm, out->initrd_gpa, initrd_bytes)))
		return "the initrd does not fit beside the image";
	if (is_free(vm, ram->gpa, BOOT_FDT_BYTES) &&
	    (initrd_bytes == 0 || out->initrd_gpa - ram->gpa >= BOOT_FDT_BYTES))
		out->fdt_gpa = ram->gpa;
	else if (!room || !is_free(vm, out->fdt_gpa, BOOT_FDT_BYTES))
		out->fdt_gpa = BOOT_NOWHERE;
	out->kernel_gpa = vm->entry;
	return NULL;
}
