/* Where images go in the first region of RAM. */
#include "layout.h"

#include <selvage/base.h>

#define INITRD_ALIGN 0x10000ull

/*
 * From the bottom of RAM: the devicetree in its own 2 MiB, the kernel at the
 * next 2 MiB boundary plus its text offset, the initrd right behind. The
 * kernel finds memory below itself usable (Linux 4.6 and later).
 */
const char *boot_layout_plan(uint64_t ram_gpa, uint64_t ram_bytes,
			     const struct arm64_image *kernel,
			     uint64_t initrd_bytes, struct boot_layout *out)
{
	uint64_t base = align_up_u64(ram_gpa, ARM64_IMAGE_ALIGN);

	if (base < ram_gpa)
		return "the memory's address is too high";
	out->fdt_gpa = base;
	out->kernel_gpa = base + ARM64_IMAGE_ALIGN + kernel->text_offset;
	if (!range_within_u64(out->kernel_gpa, kernel->memory_bytes, ram_gpa,
			      ram_bytes))
		return "the kernel does not fit into the memory";
	out->initrd_gpa = align_up_u64(out->kernel_gpa + kernel->memory_bytes,
				       INITRD_ALIGN);
	if (initrd_bytes != 0 &&
	    !range_within_u64(out->initrd_gpa, initrd_bytes, ram_gpa,
			      ram_bytes))
		return "kernel and initrd do not fit into the memory";
	return NULL;
}
