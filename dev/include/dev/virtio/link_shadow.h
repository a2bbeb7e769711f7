/*
 * A shadow of a driver's queues, for drivers that do not keep their rings and
 * buffers in the pool that they share with a server: what the driver offers is
 * copied into the pool, and what comes back out of it. Queues of our own lie there,
 * whose driver we are (vqueue.h). The server sees nothing else, and of the driver's
 * memory only what was given to it.
 */
#pragma once

#include <dev/virtio/device.h>
#include <selvage/vqueue.h>

#define SHADOW_CHAINS 64u /* under way at a time, of all queues */
#define SHADOW_QUEUE 128u /* entries, at most */
#define SHADOW_PAGE 4096u
#define SHADOW_PAGES 2048u /* of the pool, at most */

/* Private; here so that owners can embed it. */
struct link_shadow {
	uint8_t *pool;
	uint64_t at, bytes; /* for the server */
	uint32_t rings;     /* pages */
	struct vqueue queue[VIRTIO_MAX_QUEUES];
	bool on[VIRTIO_MAX_QUEUES];
	uint32_t under_way[VIRTIO_MAX_QUEUES];
	uint8_t taken[SHADOW_PAGES / 8]; /* pages */
	struct shadow_buffer {
		bool used;
		uint8_t queue;
		uint32_t page, pages;
		struct virtq_chain chain;
	} buffer[SHADOW_CHAINS];
};

/* Nothing is under way, no queue is on; the pool is what the server knows as
 * [at, at + bytes). */
void link_shadow_init(struct link_shadow *s, uint8_t *pool, uint64_t at, uint64_t bytes);
/* The queue's layout for the server, whose queues have at most `size` entries; false:
 * the pool is too small for it. The server must not work on the queue. */
bool link_shadow_start(struct link_shadow *s, unsigned queue, uint32_t size,
		       struct virtq_layout *layout);
/* The server works on the queue no more: forgets what is under way. */
void link_shadow_stop(struct link_shadow *s, unsigned queue);
/* Takes what the driver has made available, as far as there is room. True: the
 * server wants a kick. */
bool link_shadow_offer(struct link_shadow *s, struct virtio *v, unsigned queue);
/* Gives the driver what came back from the server, and offers it more. Breaks the
 * device if the server does what it cannot. */
bool link_shadow_return(struct link_shadow *s, struct virtio *v, unsigned queue);
