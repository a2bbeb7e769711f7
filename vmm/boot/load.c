/*
 * Images, initrd and devicetree into RAM (Linux, Documentation/arm64/booting.rst
 * and arm/booting.rst), clean to the point of coherency, since the guest starts
 * with its caches off.
 */
#include "load.h"

#include "arm64_image.h"
#include "fdt.h"
#include "layout.h"

#include <selvage/base.h>
#include <selvage/log.h>
#include <string.h>

/* Cache maintenance goes in pieces that do not hold the kernel up for long;
 * a piece lies within one page, of whatever size. */
#define CLEAN_BYTES 0x10000ull
#define SMALL_BYTES 0x1000ull

/* To the point of coherency, for a guest whose caches are off, and out of the
 * instruction cache, which may hold what the memory was before. */
static int publish(uint64_t start, uint64_t end)
{
	int error = sel4_vspace_clean_data(PROC_CAP_VSPACE, start, end);

	if (error != ABI_OK)
		return error;
	return sel4_vspace_unify_instruction(PROC_CAP_VSPACE, start, end);
}

static bool clean_by(uint64_t step, uint64_t start, uint64_t end)
{
	for (uint64_t at = start; at < end;) {
		uint64_t next = min_u64(end, align_down_u64(at, step) + step);

		if (publish(at, next) != ABI_OK &&
		    (step == SMALL_BYTES || !clean_by(SMALL_BYTES, at, next)))
			return false;
		at = next;
	}
	return true;
}

static bool clean(const void *p, uint64_t bytes)
{
	return clean_by(CLEAN_BYTES, (uintptr_t)p, (uintptr_t)p + bytes);
}

const char *boot_copy(struct vm *vm, uint64_t gpa, uint64_t vaddr, uint64_t bytes)
{
	void *to = gmem_span(&vm->mem, gpa, bytes);

	if (to == NULL)
		return "an image does not fit into the memory";
	memcpy(to, (const void *)(uintptr_t)vaddr, bytes);
	if (!clean(to, bytes))
		log_warning("the kernel refused to clean caches at %llx",
			    (unsigned long long)gpa);
	return NULL;
}

static const char *make_fdt(struct vm *vm, const struct boot_layout *layout)
{
	const struct sysdesc_vm *d = &vm->info->vm;
	struct fdt_params params = {
		.board = vm->board,
		.model = d->name,
		.bootargs = d->cmdline,
		.n_cpus = vm->info->n_vcpus,
		.width = d->width,
		.gic_version = vm->info->gic_version,
		.devices = d->devices | vm->passed,
		.virtio_slots = vm->virtio_slots,
		.initrd_gpa = layout->initrd_gpa,
		.initrd_bytes = vm->info->initrd_bytes,
		.seed = vm->info->has_seed ? vm->info->seed : NULL,
	};
	void *to = gmem_span(&vm->mem, layout->fdt_gpa, BOOT_FDT_BYTES);

	for (unsigned i = 0; i < BOARD_VIRTIO_SLOTS; i++) {
		const struct sysdesc_region *r = &d->region[vm->pool[i]];

		if (vm->pool[i] != 0)
			params.pool[i] = (struct board_range){ r->gpa, r->size };
	}
	/* What lies below the first region, vectors or code, and what is seen a
	 * second time, is no memory to give away. */
	for (unsigned i = 0; i < d->n_regions; i++) {
		const struct sysdesc_region *r = &d->region[i];

		if (!sysdesc_owns(r) || r->gpa < d->region[0].gpa)
			continue;
		params.region[params.n_regions].gpa = r->gpa;
		params.region[params.n_regions++].size = r->size;
	}
	if (to == NULL || fdt_generate(&params, to, BOOT_FDT_BYTES) == 0 ||
	    (vm->hooks.describe != NULL && !vm->hooks.describe(vm, to, BOOT_FDT_BYTES)))
		return "the devicetree does not fit";
	(void)clean(to, BOOT_FDT_BYTES);
	return NULL;
}

static const char *load_image(struct vm *vm, struct boot_layout *layout)
{
	const struct vmm_info *info = vm->info;
	const struct sysdesc_region *ram = &info->vm.region[0];
	struct arm64_image kernel;
	const char *error = arm64_image_parse((const void *)(uintptr_t)info->kernel_vaddr,
					      info->kernel_bytes, &kernel);

	if (error == NULL)
		error = boot_layout_plan(ram->gpa, ram->size, &kernel, info->initrd_bytes, layout);
	if (error == NULL)
		error = boot_copy(vm, layout->kernel_gpa, info->kernel_vaddr, info->kernel_bytes);
	return error;
}

/* Over what the image may have there. */
static const char *install_vectors(struct vm *vm)
{
	const struct sysdesc_vm *d = &vm->info->vm;

	return d->n_vectors == 0 ? NULL
				 : boot_copy(vm, 0, (uintptr_t)d->vector,
					     d->n_vectors * sizeof(d->vector[0]));
}

/* Linux takes 64-bit registers as x0 = devicetree, 32-bit ones as r0 = 0, r1 =
 * the machine's number, r2 = devicetree; other guests get the same. */
static void fill_registers(const struct vm *vm, uint64_t fdt_gpa, struct boot_entry *entry)
{
	uint64_t fdt = fdt_gpa == BOOT_NOWHERE ? 0 : fdt_gpa;

	if (vm->info->vm.width == 32) {
		entry->x[1] = vm->board->arm_machine;
		entry->x[2] = fdt;
	} else {
		entry->x[0] = fdt;
	}
}

const char *boot_load(struct vm *vm, struct boot_entry *entry)
{
	const struct vmm_info *info = vm->info;
	struct boot_layout layout;
	const char *error = (vm->hooks.load != NULL ? vm->hooks.load : load_image)(vm, &layout);

	if (error == NULL && info->initrd_bytes != 0)
		error = boot_copy(vm, layout.initrd_gpa, info->initrd_vaddr,
				  info->initrd_bytes);
	if (error == NULL)
		error = install_vectors(vm);
	if (!vm->board->devicetree)
		layout.fdt_gpa = BOOT_NOWHERE;
	if (error == NULL && layout.fdt_gpa != BOOT_NOWHERE)
		error = make_fdt(vm, &layout);
	if (error != NULL)
		return error;
	*entry = (struct boot_entry){ .pc = layout.kernel_gpa, .load = layout.kernel_gpa };
	if (info->vm.n_pieces != 0)
		entry->load = info->vm.piece[0].gpa;
	fill_registers(vm, layout.fdt_gpa, entry);
	return NULL;
}
