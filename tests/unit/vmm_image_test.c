/* lib/image: which monitor a VM gets. */
#include "unit.h"

#include <selvage/base.h>
#include <selvage/vmm_image.h>
#include <string.h>

/* Linux with 64 bits on board virt. */
static const struct sysdesc_vm plain = {
	.board = SYSDESC_BOARD_VIRT,
	.devices = SYSDESC_DEV_PL011 | SYSDESC_DEV_RTC,
	.gic = 3,
	.width = 64,
	.boot = SYSDESC_BOOT_IMAGE,
};

static const char *image_of(const struct sysdesc_vm *vm, uint32_t host_gic)
{
	unsigned i = vmm_image_next(0, vmm_parts_of(vm, host_gic));

	assert_true(i < VMM_IMAGES);
	return vmm_images[i].name;
}

static void each_vm_needs_its_parts(void **state)
{
	struct sysdesc_vm vm = plain;

	(void)state;
	assert_int_equal(vmm_parts_of(&vm, 3), 0);
	assert_string_equal(image_of(&vm, 3), "vmm");
	vm.gic = 2;
	assert_int_equal(vmm_parts_of(&vm, 2), 0);
	assert_int_equal(vmm_parts_of(&vm, 3), VMM_PART_GICC);
	assert_string_equal(image_of(&vm, 3), "vmm-any");
	vm = plain;
	vm.devices |= SYSDESC_DEV_KICK;
	assert_int_equal(vmm_parts_of(&vm, 3), VMM_PART_KICK);
	vm = plain;
	vm.debug = SYSDESC_DEBUG_OBSERVE;
	assert_int_equal(vmm_parts_of(&vm, 3), VMM_PART_DEBUG);
	assert_string_equal(image_of(&vm, 3), "vmm-debug");
	vm = plain;
	vm.devices |= SYSDESC_DEV_VIRTIO_RNG;
	assert_int_equal(vmm_parts_of(&vm, 3), VMM_PART_VIRTIO);
	assert_string_equal(image_of(&vm, 3), "vmm-virtio");
	vm.flags |= SYSDESC_VM_PCI;
	assert_int_equal(vmm_parts_of(&vm, 3), VMM_PART_VIRTIO | VMM_PART_PCI);
	assert_string_equal(image_of(&vm, 3), "vmm-pci");
	vm.gic = 2;
	assert_string_equal(image_of(&vm, 3), "vmm-debug");
	vm = plain;
	vm.devices |= SYSDESC_DEV_WATCHDOG;
	assert_int_equal(vmm_parts_of(&vm, 3), VMM_PART_WATCHDOG);
	assert_string_equal(image_of(&vm, 3), "vmm-virtio");
	vm = plain;
	vm.n_disks = 1;
	assert_int_equal(vmm_parts_of(&vm, 3), VMM_PART_VIRTIO);
	vm.n_disks = 0;
	vm.n_connections = 1;
	assert_int_equal(vmm_parts_of(&vm, 3), VMM_PART_VIRTIO | VMM_PART_LINK);
	assert_string_equal(image_of(&vm, 3), "vmm-virtio");
	vm = plain;
	vm.n_served = 1;
	assert_int_equal(vmm_parts_of(&vm, 3), VMM_PART_PCI | VMM_PART_SERVE);
	assert_string_equal(image_of(&vm, 3), "vmm-pci");
	vm = plain;
	vm.width = 32;
	vm.boot = SYSDESC_BOOT_ZIMAGE;
	assert_int_equal(vmm_parts_of(&vm, 3), VMM_PART_NARROW | VMM_PART_LOADER);
	assert_string_equal(image_of(&vm, 3), "vmm-any");
	vm = plain;
	vm.boot = SYSDESC_BOOT_PIECES;
	assert_int_equal(vmm_parts_of(&vm, 3), VMM_PART_LOADER);
	vm.board = SYSDESC_BOARD_VEXPRESS_A9;
	vm.width = 32;
	vm.gic = 2;
	assert_int_equal(vmm_parts_of(&vm, 2),
			 VMM_PART_LOADER | VMM_PART_NARROW | VMM_PART_A9 | VMM_PART_GICC);
	vm.debug = SYSDESC_DEBUG_CONTROL;
	assert_string_equal(image_of(&vm, 2), "vmm-debug");
}

/* Each set of parts has an image, and no smaller one would do. */
static void the_smallest_that_suffices(void **state)
{
	const uint32_t all = (1u << VMM_PARTS) - 1;

	(void)state;
	assert_int_equal(vmm_images[0].parts, 0);
	assert_int_equal(vmm_images[VMM_IMAGES - 1].parts, all);
	for (uint32_t parts = 0; parts <= all; parts++) {
		unsigned chosen = vmm_image_next(0, parts);

		assert_true(chosen < VMM_IMAGES);
		assert_int_equal(parts & ~vmm_images[chosen].parts, 0);
		for (unsigned i = 0; i < chosen; i++)
			assert_int_not_equal(parts & ~vmm_images[i].parts, 0);
	}
	assert_int_equal(vmm_image_next(VMM_IMAGES, 0), VMM_IMAGES);
	assert_int_equal(vmm_image_next(0, all + 1), VMM_IMAGES);
	for (unsigned i = 0; i < VMM_PARTS; i++)
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(vmm_part_name(1u << i), vmm_part_name(1u << j));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_vm_needs_its_parts),
		cmocka_unit_test(the_smallest_that_suffices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
