/* Block device (virtio 1.2, 5.2): reads, writes, flush and an id. */
#pragma once

#include <dev/virtio/device.h>

#define VIRTIO_BLK_SECTOR 512u
#define VIRTIO_BLK_ID_BYTES 20
#define VIRTIO_BLK_STAGE 0x10000u

struct virtio_blk;

/* Private to the model but for `write`, `flush`, `offset`, `bytes` and `answered`; here so that
 * owners of slow disks can embed it. */
struct virtio_blk_request {
	struct virtio_blk *b;
	const struct virtq_chain *chain;
	uint32_t type;
	bool write, flush; /* else it is a read */
	uint64_t offset;   /* on the disk, in bytes */
	uint32_t bytes;    /* of data */
	struct virtq_cursor out, in, status;
	uint32_t written; /* into the driver's buffer */
	bool answered;    /* the disk has nothing to do for it */
	uint8_t answer;
};

/* A request of a slow disk: owned by the disk from `take` to `put` or virtio_blk_end. */
struct virtio_blk_job {
	struct virtio_blk_request request;
	struct virtq_chain chain;
};

/* What is behind it, in one of two ways. Ranges are within the disk.
 *
 * In memory: `look` and `change` give the memory of some of the disk's bytes, from
 * `offset` on, and cut *bytes (not 0) to what lies there. NULL: the disk fails there.
 * `flush`, which may be NULL: what was written is to last; false: it does not. `stage`, of
 * VIRTIO_BLK_STAGE bytes, for who may lose the driver's memory, or his life with it, in the
 * middle of a copy: a piece of that size is written whole or not at all. NULL: none.
 *
 * Slow: `take` has room for one request more, or returns NULL: none for now, the owner
 * calls virtio_blk_turn when there is. `put` gives it back unused. `begin` starts it, or
 * only notes it if it is `answered`; virtio_blk_end follows later, not within it. `forget`:
 * nothing that was begun is to come back, since the driver has reset the device. */
struct virtio_blk_disk {
	void *opaque;
	uint64_t sectors;
	bool read_only;
	char id[VIRTIO_BLK_ID_BYTES]; /* what is left of it is zero */
	/* Bytes of memory that a driver's buffers under way have; 0: as many as it likes. A request
	 * for more fails. */
	uint64_t room;
	const uint8_t *(*look)(void *opaque, uint64_t offset, uint32_t *bytes);
	uint8_t *(*change)(void *opaque, uint64_t offset, uint32_t *bytes);
	bool (*flush)(void *opaque);
	uint8_t *stage;
	struct virtio_blk_job *(*take)(void *opaque);
	void (*put)(void *opaque, struct virtio_blk_job *job);
	void (*begin)(void *opaque, struct virtio_blk_job *job);
	void (*forget)(void *opaque);
};

/* struct virtio_blk_config up to blk_size. */
#define VIRTIO_BLK_CONFIG_BYTES 24u

struct virtio_blk {
	struct virtio v;
	struct virtio_class class;
	struct virtio_blk_disk disk;
	uint8_t config[VIRTIO_BLK_CONFIG_BYTES];
	uint32_t max_bytes;                /* of a request's data */
	struct virtio_blk_request request; /* in memory: at work on it, */
	bool busy;                         /* and more turns are */
	uint64_t failures;                 /* requests that did not succeed */
	bool in_turns;                     /* the owner's to set: a kick does no more than a turn */
	bool more;                         /* there may be more: virtio_blk_turn */
};

/* Both are copied. */
void virtio_blk_init(struct virtio_blk *b, const struct virtio_env *env,
		     const struct virtio_blk_disk *disk);
/* More of the requests that are there, about VIRTIO_BLK_TURN bytes of them. */
#define VIRTIO_BLK_TURN 0x40000u
void virtio_blk_turn(struct virtio_blk *b);

/* For slow disks. Both copy the next bytes of a request's data, not more than are left;
 * false: it is not the driver's memory. */
bool virtio_blk_fetch(struct virtio_blk_job *job, void *to, uint32_t bytes);
bool virtio_blk_give(struct virtio_blk_job *job, const void *from, uint32_t bytes);
/* Whether writes must last when they end, as the driver knows no flush. */
bool virtio_blk_writes_through(const struct virtio_blk *b);
/* Ends a request; virtio_settle is the owner's. */
void virtio_blk_end(struct virtio_blk_job *job, bool ok);
