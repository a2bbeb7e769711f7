/*
 * The driver's side of a virtqueue (virtio 1.2, 2.7: a split ring, event
 * index), for native drivers and for shadow queues.
 *
 * The device is hostile and may write to all of the queue's memory at any
 * moment: what we gave it is kept apart, in private memory; each shared word is
 * read once; ids, lengths and indexes of used buffers are checked against what
 * was given. What cannot be right sets `error`, and the queue does nothing more
 * until vqueue_init.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VQUEUE_MAX_SIZE 256u
#define VQUEUE_ALIGN 64u

/* Memory as the device addresses it. */
struct vqueue_segment {
	uint64_t at;
	uint32_t bytes;
};

struct vqueue_slot {
	uint16_t next;
	uint16_t entries;  /* of the chain that begins here; 0: none does */
	uint32_t in_bytes; /* of the chain: what the device can have written */
	uint32_t token;    /* the owner's */
};

struct vqueue {
	uint8_t *desc, *avail, *used; /* shared with the device */
	uint64_t desc_at, avail_at, used_at;
	uint16_t size; /* entries */
	bool event_idx;
	const char *error;          /* static text, or NULL */
	uint16_t made, told, taken; /* buffers: available, at the last kick, back; free counters */
	uint16_t free, n_free;      /* descriptors */
	struct vqueue_slot slot[VQUEUE_MAX_SIZE];
};

/* Bytes that the rings of a queue take. */
size_t vqueue_bytes(unsigned size);
/* A queue of `size` entries (a power of two, at most VQUEUE_MAX_SIZE) in memory of ours
 * at `memory` (VQUEUE_ALIGN), which the device addresses as `at`. Nothing is available.
 * The device must not work on the queue. */
void vqueue_init(struct vqueue *q, unsigned size, void *memory, uint64_t at, bool event_idx);

/* Makes a buffer available: n_out segments for the device to read, then n_in to write.
 * Not before vqueue_publish. False: no room, or the queue is in error. */
bool vqueue_add(struct vqueue *q, const struct vqueue_segment *segments, unsigned n_out,
		unsigned n_in, uint32_t token);
/* Shows the device what was added. Whether it wants a kick. */
bool vqueue_publish(struct vqueue *q);
/* Takes a buffer that the device gave back: its token, and how many bytes at the start of
 * its writable part are new. False: there is none, or the queue is in error. */
bool vqueue_take(struct vqueue *q, uint32_t *token, uint32_t *written);
/* Asks for an interrupt at the next buffer that comes back. True: there is one already. */
bool vqueue_listen(struct vqueue *q);
/* Does without interrupts until vqueue_listen. */
void vqueue_mute(struct vqueue *q);

/* Buffers that the device has. */
static inline unsigned vqueue_outstanding(const struct vqueue *q)
{
	return (uint16_t)(q->made - q->taken);
}
