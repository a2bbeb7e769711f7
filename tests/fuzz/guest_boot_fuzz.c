/*
 * Image headers and what follows from them: whatever the header says, the
 * plan stays inside the memory and the devicetree is sound.
 */
#include "a9_regs.h"
#include "boot/arm64_image.h"
#include "boot/fdt.h"
#include "boot/layout.h"

#include <libfdt.h>
#include <selvage/base.h>
#include <stdbool.h>
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
		.width = in->n_cpus & 8 ? 32 : 64,
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

static void need(bool condition)
{
	if (!condition)
		abort();
}

/* A zImage and pieces: what is placed is in the memory and apart. */
static void check_others(const struct input *in)
{
	struct sysdesc_vm vm = { .n_regions = 1, .n_pieces = 1, .n_vectors = in->gic };
	struct boot_layout l;

	if (boot_layout_zimage(in->ram_gpa, in->ram_bytes, in->initrd_bytes, in->n_cpus, &l) ==
	    NULL) {
		need(range_within_u64(l.kernel_gpa, in->initrd_bytes, in->ram_gpa, in->ram_bytes));
		need(range_within_u64(l.fdt_gpa, BOOT_FDT_BYTES, in->ram_gpa, in->ram_bytes));
		need(range_within_u64(l.initrd_gpa, in->n_cpus, in->ram_gpa, in->ram_bytes));
		need(l.kernel_gpa + in->initrd_bytes <= l.initrd_gpa &&
		     l.initrd_gpa + in->n_cpus <= l.fdt_gpa);
	}
	/* Regions as a checked description has them. */
	vm.region[0].gpa = in->ram_gpa & mask_u64(43) & ~4095ull;
	vm.region[0].size = (in->ram_bytes & mask_u64(43) & ~4095ull) + 4096;
	memcpy(&vm.piece[0].gpa, in->header, 8);
	vm.piece[0].size = in->header[8];
	if (boot_layout_pieces(&vm, in->initrd_bytes, &l) != NULL)
		return;
	if (l.fdt_gpa != BOOT_NOWHERE) {
		need(range_within_u64(l.fdt_gpa, BOOT_FDT_BYTES, vm.region[0].gpa,
				      vm.region[0].size));
		need(!range_overlaps_u64(l.fdt_gpa, BOOT_FDT_BYTES, vm.piece[0].gpa,
					 vm.piece[0].size));
	}
	if (in->initrd_bytes != 0)
		need(range_within_u64(l.initrd_gpa, in->initrd_bytes, vm.region[0].gpa,
				      vm.region[0].size) &&
		     !range_overlaps_u64(l.initrd_gpa, in->initrd_bytes, l.fdt_gpa,
					 l.fdt_gpa == BOOT_NOWHERE ? 0 : BOOT_FDT_BYTES));
}

/* The search through an image for registers that only a Cortex-A9 has. */
static void search(const uint8_t *data, size_t size)
{
	struct a9_regs regs = { { 0 } };
	struct a9_insn insn;

	for (size_t at = 0; (at = a9_insn_find(data, size, at)) < size; at += 4) {
		uint32_t low = data[at] | (uint32_t)data[at + 1] << 8;
		uint32_t high = data[at + 2] | (uint32_t)data[at + 3] << 8;

		need(at % 2 == 0 && size - at >= 4);
		need(a9_insn_decode(high, low, &insn) || a9_insn_decode(low, high, &insn));
		need(insn.rt < 15);
		a9_reg_write(&regs, insn.code, high);
		(void)a9_reg_read(&regs, insn.code, low);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in;
	struct arm64_image image;
	struct boot_layout l;

	search(data, size);
	if (size < sizeof(in))
		return 0;
	memcpy(&in, data, sizeof(in));
	in.bootargs[sizeof(in.bootargs) - 1] = '\0';
	check_others(&in);
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
