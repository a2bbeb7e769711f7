/* Where in guest RAM devicetree, kernel and initrd go. */
#pragma once

#include "arm64_image.h"

#include <selvage/sysdesc.h>
#include <stdint.h>

#define BOOT_FDT_BYTES 0x10000u

#define BOOT_NOWHERE 0xffffffffffffffffull

struct boot_layout {
	uint64_t fdt_gpa; /* BOOT_FDT_BYTES; of pieces, BOOT_NOWHERE: no room */
	uint64_t kernel_gpa;
	uint64_t initrd_gpa; /* meaningful if there is one */
};

/* RAM of `ram_bytes` at `ram_gpa`. NULL and *out, or what does not fit. */
const char *boot_layout_plan(uint64_t ram_gpa, uint64_t ram_bytes,
			     const struct arm64_image *kernel,
			     uint64_t initrd_bytes, struct boot_layout *out);
/* The same for a 32-bit zImage of so many bytes. */
const char *boot_layout_zimage(uint64_t ram_gpa, uint64_t ram_bytes, uint64_t kernel_bytes,
			       uint64_t initrd_bytes, struct boot_layout *out);
/* The same around the pieces of a description: devicetree and initrd. */
const char *boot_layout_pieces(const struct sysdesc_vm *vm, uint64_t initrd_bytes,
			       struct boot_layout *out);
