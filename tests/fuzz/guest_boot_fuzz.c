/*
 * Image headers and what follows from them: whatever the header says, the
 * plan stays inside the memory and the devicetree is sound.
 */
#include "boot/arm64_image.h"
#include "boot/fdt.h"
#include "boot/layout.h"

#include <libfdt.h>
#include <selvage/base.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	uint8_t header[64];
	uint64_t ram_gpa, ram_bytes, initrd_bytes;
	uint8_t n_cpus, gic, n_regions, devices;
	char bootargs[64];
};

static void check_fdt(const struct input *in, const struct boot_layout *l)
{
	static uint8_t blob[BOOT_FDT_BYTES];
	struct fdt_params p = {
		.board = &board_virt,
		.model = "m",
		.bootargs = in->bootargs,
		.n_cpus = in->n_cpus,
		.gic_version = in->gic,
		.devices = in->devices,
		.initrd_gpa = l->initrd_gpa,
		.initrd_bytes = in->initrd_bytes,
		.n_regions = in->n_regions,
	};
	size_t length;

	for (unsigned i = 0; i < FDT_MAX_REGIONS; i++) {
		p.region[i].gpa = in->ram_gpa + i;
		p.region[i].size = in->ram_bytes;
	}
	length = fdt_generate(&p, blob, sizeof(blob));
	if (length != 0 && fdt_check_full(blob, length) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in;
	struct arm64_image image;
	struct boot_layout l;

	if (size < sizeof(in))
		return 0;
	memcpy(&in, data, sizeof(in));
	in.bootargs[sizeof(in.bootargs) - 1] = '\0';
	if (arm64_image_parse(in.header, size, &image) != NULL)
		return 0;
	if (image.memory_bytes < size || image.text_offset >= ARM64_IMAGE_ALIGN)
		abort();
	if (boot_layout_plan(in.ram_gpa, in.ram_bytes, &image, in.initrd_bytes,
			     &l) != NULL)
		return 0;
	if (!range_within_u64(l.kernel_gpa, image.memory_bytes, in.ram_gpa,
			      in.ram_bytes) ||
	    !range_within_u64(l.fdt_gpa, BOOT_FDT_BYTES, in.ram_gpa,
			      in.ram_bytes) ||
	    range_overlaps_u64(l.fdt_gpa, BOOT_FDT_BYTES, l.kernel_gpa,
			       image.memory_bytes))
		abort();
	if (in.initrd_bytes != 0 &&
	    (!range_within_u64(l.initrd_gpa, in.initrd_bytes, in.ram_gpa,
			       in.ram_bytes) ||
	     l.initrd_gpa < l.kernel_gpa + image.memory_bytes))
		abort();
	check_fdt(&in, &l);
	return 0;
}
