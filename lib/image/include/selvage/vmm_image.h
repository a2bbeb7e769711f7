/*
 * Which monitor a VM gets. A monitor's image has what every VM needs, and some
 * parts; a VM gets the first image of the list that has all the parts which
 * its description asks for. `selvage build` packs those that are used, init
 * starts them, and a monitor that lacks a part refuses the VM (vmm/part.h).
 */
#pragma once

#include <selvage/sysdesc.h>
#include <stdint.h>

enum vmm_part {
	VMM_PART_KICK = 1u << 0,         /* the device for benchmarks and tests */
	VMM_PART_NARROW = 1u << 1,       /* 32-bit registers */
	VMM_PART_A9 = 1u << 2,           /* board vexpress-a9 */
	VMM_PART_GICC = 1u << 3,         /* a GICv2's CPU interface in software */
	VMM_PART_LOADER = 1u << 4,       /* of images that are no arm64 Image */
	VMM_PART_DEBUG = 1u << 5,        /* the stub that a debugger talks to */
	VMM_PART_VIRTIO = 1u << 6,       /* devices over virtio */
	VMM_PART_PCI = 1u << 7,          /* a PCI bus for them */
	VMM_PART_LINK = 1u << 8,         /* devices that are served elsewhere */
	VMM_PART_SERVE = 1u << 9,        /* connections that it serves to other VMs */
	VMM_PART_PASSTHROUGH = 1u << 10, /* devices of the machine */
	VMM_PART_WATCHDOG = 1u << 11,    /* of board virt */
};
#define VMM_PARTS 12u

/* What the VM needs on a machine with this GIC. The one place that says so. */
uint32_t vmm_parts_of(const struct sysdesc_vm *vm, uint32_t host_gic);
/* The name, for people, of the lowest part among these. */
const char *vmm_part_name(uint32_t parts);

struct vmm_image {
	const char *name; /* of the program, and of its payload item */
	uint32_t parts;   /* as in vmm/image/<name>.c */
};

/* The smallest first; the last one has all the parts. */
#define VMM_IMAGES 5u
extern const struct vmm_image vmm_images[VMM_IMAGES];
/* Index of the first image from `from` on that has these parts; VMM_IMAGES: none. */
unsigned vmm_image_next(unsigned from, uint32_t parts);
