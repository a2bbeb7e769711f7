/* Loading what is no arm64 Image. */
#include "layout.h"
#include "load.h"

#include <selvage/base.h>

static const char *load_zimage(struct vm *vm, struct boot_layout *layout)
{
	const struct vmm_info *info = vm->info;
	const struct sysdesc_region *ram = &info->vm.region[0];
	const char *error = boot_layout_zimage(ram->gpa, ram->size, info->kernel_bytes,
					       info->initrd_bytes, layout);

	if (error == NULL)
		error = boot_copy(vm, layout->kernel_gpa, info->kernel_vaddr, info->kernel_bytes);
	return error;
}

/* What is behind a piece's bytes is zero, as all memory at the start. */
static const char *load_pieces(struct vm *vm, struct boot_layout *layout)
{
	const struct vmm_info *info = vm->info;
	const char *error = boot_layout_pieces(&info->vm, info->initrd_bytes, layout);

	for (uint32_t i = 0; error == NULL && i < info->vm.n_pieces; i++) {
		const struct sysdesc_piece *p = &info->vm.piece[i];

		if (!range_within_u64(p->offset, p->bytes, 0, info->kernel_bytes))
			return "a piece that the image does not have";
		error = boot_copy(vm, p->gpa, info->kernel_vaddr + p->offset, p->bytes);
	}
	return error;
}

static void install(struct vm *vm)
{
	vm->hooks.load = vm->info->vm.boot == SYSDESC_BOOT_ZIMAGE ? load_zimage : load_pieces;
}

const struct vm_part part_loader = {
	.bit = VMM_PART_LOADER,
	.install = install,
};
