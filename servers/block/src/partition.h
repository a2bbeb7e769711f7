/*
 * The parts of a disk: GPT (UEFI 2.10, 5.3) and MBR with an extended partition. What is
 * on the disk is hostile: everything is checked, and each step reads a bounded number of
 * sectors.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PARTITION_SECTOR 512u
#define PARTITION_MAX 128u /* the last one that can be had */

struct partition_disk {
	void *opaque;
	uint64_t sectors;
	/* `n` sectors from `sector` on, which are there. False: they cannot be read. */
	bool (*read)(void *opaque, uint64_t sector, uint32_t n, void *to);
};

struct partition {
	uint64_t first, sectors;
};

/* The one of this number, from 1 on, as Linux numbers them. NULL, or why it cannot be
 * had: static text. */
const char *partition_find(const struct partition_disk *disk, unsigned number,
			   struct partition *found);
