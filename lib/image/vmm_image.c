#include <selvage/vmm_image.h>

#include <stdbool.h>

#define ANY_GUEST                                                                          \
	(VMM_PART_KICK | VMM_PART_NARROW | VMM_PART_A9 | VMM_PART_GICC | VMM_PART_LOADER | \
	 VMM_PART_WATCHDOG)

const struct vmm_image vmm_images[VMM_IMAGES] = {
	{ "vmm", 0 },
	{ "vmm-virtio",
	  VMM_PART_VIRTIO | VMM_PART_LINK | VMM_PART_PASSTHROUGH | VMM_PART_WATCHDOG },
	{ "vmm-pci", VMM_PART_VIRTIO | VMM_PART_LINK | VMM_PART_PASSTHROUGH | VMM_PART_PCI |
			     VMM_PART_SERVE | VMM_PART_WATCHDOG },
	{ "vmm-any", ANY_GUEST },
	{ "vmm-debug",
	  ANY_GUEST | VMM_PART_VIRTIO | VMM_PART_LINK | VMM_PART_PASSTHROUGH | VMM_PART_PCI |
		  VMM_PART_SERVE |
		  VMM_PART_DEBUG },
};

uint32_t vmm_parts_of(const struct sysdesc_vm *vm, uint32_t host_gic)
{
	const bool a9 = vm->board == SYSDESC_BOARD_VEXPRESS_A9;
	uint32_t parts = 0;

	parts |= vm->debug != SYSDESC_DEBUG_NONE ? VMM_PART_DEBUG : 0;
	parts |= sysdesc_has_virtio(vm) ? VMM_PART_VIRTIO : 0;
	parts |= vm->flags & SYSDESC_VM_PCI ? VMM_PART_PCI : 0;
	parts |= vm->n_connections != 0 ? VMM_PART_LINK : 0;
	if (vm->board == SYSDESC_BOARD_PC)
		return parts; /* the rest is in each of its monitors */
	parts |= vm->devices & SYSDESC_DEV_KICK ? VMM_PART_KICK : 0;
	parts |= vm->width == 32 ? VMM_PART_NARROW : 0;
	parts |= a9 ? VMM_PART_A9 : 0;
	/* The A9's interface shares a page with its timers; a GICv3 has none. */
	parts |= vm->gic == 2 && (a9 || host_gic == 3) ? VMM_PART_GICC : 0;
	parts |= vm->boot != SYSDESC_BOOT_IMAGE ? VMM_PART_LOADER : 0;
	parts |= vm->n_served != 0 ? VMM_PART_PCI | VMM_PART_SERVE : 0;
	parts |= vm->devices & SYSDESC_DEV_WATCHDOG ? VMM_PART_WATCHDOG : 0;
	parts |= vm->n_passthrough != 0 ? VMM_PART_PASSTHROUGH : 0;
	return parts;
}

const char *vmm_part_name(uint32_t parts)
{
	static const char *const names[VMM_PARTS] = {
		"the kick device",
		"32-bit guests",
		"the board vexpress-a9",
		"a GICv2 in software",
		"images other than an arm64 Image",
		"a debugger's stub",
		"virtio devices",
		"a PCI bus",
		"devices that are served elsewhere",
		"connections that it serves",
		"devices of the machine",
		"a watchdog",
	};

	for (unsigned i = 0; i < VMM_PARTS; i++)
		if (parts >> i & 1u)
			return names[i];
	return "nothing";
}

unsigned vmm_image_next(unsigned from, uint32_t parts)
{
	while (from < VMM_IMAGES && (parts & ~vmm_images[from].parts) != 0)
		from++;
	return from;
}
