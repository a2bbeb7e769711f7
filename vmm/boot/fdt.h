/* The devicetree that a guest gets, generated with libfdt. */
#pragma once

#include "../board/board.h"

#include <stddef.h>
#include <stdint.h>

#define FDT_MAX_REGIONS 32
#define FDT_SEED_BYTES 64
#define FDT_PHANDLE_GIC 1
#define FDT_PHANDLE_POOL 3u /* + slot, of those behind the first one */
#define FDT_KASLR_BYTES 8   /* of them, for the kernel's address */

struct fdt_params {
	const struct board *board;
	const char *model;    /* NUL-terminated */
	const char *bootargs; /* NUL-terminated */
	unsigned n_cpus;
	unsigned width;        /* of the guest's registers: 32 or 64 */
	unsigned gic_version;  /* 2 or 3 */
	uint32_t devices;      /* enum sysdesc_device */
	uint32_t virtio_slots; /* of the board: bit per slot with a device */
	/* Where the slot's device has its DMA; empty: anywhere. Among the regions. */
	struct board_range pool[BOARD_VIRTIO_SLOTS];
	uint64_t initrd_gpa, initrd_bytes; /* 0 bytes: none */
	const uint8_t *seed;               /* FDT_SEED_BYTES, or NULL */
	unsigned n_regions;
	struct {
		uint64_t gpa, size;
	} region[FDT_MAX_REGIONS];
};

/* Writes the tree into buffer[size]; its length, or 0 if it does not fit or
 * the parameters are out of range. */
size_t fdt_generate(const struct fdt_params *p, void *buffer, size_t size);
