/* Block device (virtio 1.2, 5.2): reads, writes, flush and an id. */
#pragma once

#include <dev/virtio/device.h>

#define VIRTIO_BLK_SECTOR 512u
#define VIRTIO_BLK_ID_BYTES 20

/* What is behind it. Both calls give the memory of some of the disk's bytes,
 * from `offset` on, and cut *bytes (not 0) to what lies there; the range is
 * within the disk. NULL: the disk fails there. */
struct virtio_blk_disk {
	void *opaque;
	uint64_t sectors;
	bool read_only;
	char id[VIRTIO_BLK_ID_BYTES]; /* what is left of it is zero */
	const uint8_t *(*look)(void *opaque, uint64_t offset, uint32_t *bytes);
	uint8_t *(*change)(void *opaque, uint64_t offset, uint32_t *bytes);
};

/* struct virtio_blk_config up to blk_size. */
#define VIRTIO_BLK_CONFIG_BYTES 24u

struct virtio_blk {
	struct virtio v;
	struct virtio_class class;
	struct virtio_blk_disk disk;
	uint8_t config[VIRTIO_BLK_CONFIG_BYTES];
	uint64_t failures; /* requests that did not succeed */
	bool in_turns;     /* the owner's to set: a kick does no more than a turn */
	bool more;         /* there may be more: virtio_blk_turn */
};

/* Both are copied. */
void virtio_blk_init(struct virtio_blk *b, const struct virtio_env *env,
		     const struct virtio_blk_disk *disk);
/* More of the requests that are there, VIRTIO_BLK_TURN bytes of them or one. */
#define VIRTIO_BLK_TURN 0x40000u
void virtio_blk_turn(struct virtio_blk *b);
