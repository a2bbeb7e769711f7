/*
 * A disk in memory: an image that is only read, and, if it can be written, room
 * of its own size for the blocks that were.
 */
#pragma once

#include <dev/virtio/blk.h>

#define RAMDISK_BLOCK 4096u

struct ramdisk {
	const uint8_t *image;
	uint64_t bytes; /* a multiple of VIRTIO_BLK_SECTOR */
	uint8_t *own;   /* NULL: read-only */
	uint8_t *map;   /* a bit for each block that is in `own` */
};

/* Bytes of memory, zeroed, that a disk of that size needs to be written to. */
uint64_t ramdisk_room(uint64_t bytes);
/* `room`: NULL for a read-only disk. */
void ramdisk_init(struct ramdisk *d, const void *image, uint64_t bytes, void *room);
/* For virtio_blk_init; the id is the caller's to fill in. */
struct virtio_blk_disk ramdisk_disk(struct ramdisk *d);
