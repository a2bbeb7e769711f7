/*
 * The device's side of a virtqueue (virtio 1.2, 2.6 to 2.8): split and packed
 * rings behind one interface, with indirect descriptors and event index.
 *
 * The other side is hostile and may write to the rings at any moment. Each
 * shared word is read once, copied, and then judged; every index, length and
 * chain is bounded by the queue's size. What cannot be right sets `error`, and
 * the queue does nothing more until it is reset.
 */
#pragma once

#include <dev/virtio/mem.h>

#define VIRTQ_MAX_SIZE 256u

/* Where the driver put it (2.6): descriptor, driver and device area. */
struct virtq_layout {
	uint64_t desc;
	uint64_t driver;
	uint64_t device;
	uint32_t size; /* entries */
};

struct virtq_segment {
	uint64_t at;
	uint32_t bytes;
};

/* A buffer that the driver has made available: n_out segments to read, then
 * n_in to write. None of the addresses has been looked at. */
struct virtq_chain {
	uint16_t id;
	uint16_t slots; /* places it takes in a packed ring */
	uint16_t n_out, n_in;
	uint32_t out_bytes, in_bytes;
	struct virtq_segment segment[VIRTQ_MAX_SIZE];
};

struct virtq_used {
	uint16_t id, slots; /* of the chain */
	uint32_t written;
};

/*
 * A device that ends while it gives buffers back, at any instant, can be followed by
 * another one that goes on (virtq_resume), if buffers go back in order. The used index
 * of a split ring says all that it needs. A packed ring does not, and has descriptors
 * overwritten before the driver may see it: so what is about to be given back is written
 * down first, and `place` says that it is: VIRTQ_PLACE where `used` was before, and
 * behind it in the upper half. They are the same when nothing is under way.
 */
#define VIRTQ_TOGETHER 32u
struct virtq_journal {
	uint32_t n, pad;
	struct virtq_used used[VIRTQ_TOGETHER];
};
#define VIRTQ_PLACE(used, wrap) ((uint32_t)(used) | ((wrap) ? 1u << 15 : 0))
#define VIRTQ_PLACE_START 0x80008000u

struct virtq {
	const struct virtio_mem *mem;
	struct virtq_layout at; /* the transport's to fill in while !ready */
	bool ready;
	bool packed, event_idx, indirect; /* what was negotiated */
	const char *error;                /* static text, or NULL */
	/* Next to look at, next to use, next at the last interrupt. Split:
	 * counted freely; packed: places in the ring, with wrap counters. */
	uint16_t next, used, signalled;
	uint16_t seen; /* split: how far there are buffers, as read last */
	bool next_wrap, used_wrap;
	/* Of packed rings, unless they are NULL: what virtq_resume needs, of each queue and
	 * of all of them. */
	uint32_t *place;
	struct virtq_journal *journal;
	uint64_t requests, bytes; /* given back so far; copied from and to buffers */
};

/* NULL and the queue is ready, or why it cannot be: static text. `q` has been
 * reset; its layout and what was negotiated have been filled in. */
const char *virtq_enable(struct virtq *q);
/* Of a queue that was just enabled, and that another device had before, which is no more:
 * goes on behind the last buffer that the driver has back. NULL, or why it cannot be. */
const char *virtq_resume(struct virtq *q);
/* Forgets everything but `mem`, `place`, `journal` and what was counted. */
void virtq_reset(struct virtq *q);

/* Takes the next buffer. False: there is none, and the driver will tell of the
 * next one; or the queue is not ready or in error. */
bool virtq_pop(struct virtq *q, struct virtq_chain *c);
/* Gives a buffer back; `written` bytes at its start are new. */
void virtq_push(struct virtq *q, const struct virtq_chain *c, uint32_t written);
/* The same for several, at most VIRTQ_TOGETHER: the driver sees all at once, or none yet. */
void virtq_push_all(struct virtq *q, const struct virtq_used *used, unsigned n);
/* Puts back what was taken since the mark; nothing of it was pushed. */
struct virtq_mark {
	uint16_t next;
	bool wrap;
};
static inline struct virtq_mark virtq_mark(const struct virtq *q)
{
	return (struct virtq_mark){ q->next, q->next_wrap };
}
static inline void virtq_rewind(struct virtq *q, struct virtq_mark mark)
{
	q->next = mark.next;
	q->next_wrap = mark.wrap;
}
/* Whether the driver wants to hear of what was given back since the last
 * call that said so. */
bool virtq_interrupts(struct virtq *q);

/* A place in one half of a chain. */
struct virtq_cursor {
	const struct virtq_segment *segment;
	uint32_t offset; /* in it */
	uint32_t left;   /* bytes, to the end of the half */
};
struct virtq_cursor virtq_out(const struct virtq_chain *c);
struct virtq_cursor virtq_in(const struct virtq_chain *c);
/* Both copy and move on by `bytes`, which are not more than are left. False:
 * it is not the driver's memory, and `error` says so. */
bool virtq_read(struct virtq *q, struct virtq_cursor *from, void *to, uint32_t bytes);
bool virtq_write(struct virtq *q, struct virtq_cursor *to, const void *from, uint32_t bytes);
void virtq_skip(struct virtq_cursor *c, uint32_t bytes);
