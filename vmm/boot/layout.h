/* Where in guest RAM devicetree, kernel and initrd go. */
#pragma once

#include "arm64_image.h"

#include <stdint.h>

#define BOOT_FDT_BYTES 0x10000u

struct boot_layout {
	uint64_t fdt_gpa; /* BOOT_FDT_BYTES */
	uint64_t kernel_gpa;
	uint64_t initrd_gpa; /* meaningful if there is one */
};

/* RAM of `ram_bytes` at `ram_gpa`. NULL and *out, or what does not fit. */
const char *boot_layout_plan(uint64_t ram_gpa, uint64_t ram_bytes,
			     const struct arm64_image *kernel,
			     uint64_t initrd_bytes, struct boot_layout *out);
