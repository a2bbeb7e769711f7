/*
 * Traditional memory balloon (virtio 1.2, 5.5): the owner names a size, and the
 * driver gives that many pages away until they are asked back.
 */
#pragma once

#include <dev/virtio/device.h>

#define VIRTIO_BALLOON_PAGE 4096u
#define VIRTIO_BALLOON_CONFIG_BYTES 8u
/* Of one request; Linux sends up to 256. */
#define VIRTIO_BALLOON_PAGES 4096u
#define VIRTIO_BALLOON_NUMBER 4u /* bytes of each page's number */

struct virtio_balloon_env {
	void *opaque;
	/* The page at this address is not used any more; false: it is no memory. `tells`: nor
	 * before it comes back. */
	bool (*give)(void *opaque, uint64_t at, bool tells);
	/* The page is to be used again: false, there is no memory for it now. It may be asked
	 * for more than once before it comes back. */
	bool (*fetch)(void *opaque, uint64_t at);
	void (*back)(void *opaque, uint64_t at);
	/* All pages are the driver's again. */
	void (*reset)(void *opaque);
	/* The driver says how many pages it has given away. */
	void (*actual)(void *opaque, uint32_t pages);
};

struct virtio_balloon {
	struct virtio v;
	struct virtio_balloon_env io;
	uint8_t config[VIRTIO_BALLOON_CONFIG_BYTES];
	/* Pages that are to come back; whether they wait for memory. */
	struct virtq_used request;
	uint32_t n;
	uint8_t numbers[VIRTIO_BALLOON_PAGES * VIRTIO_BALLOON_NUMBER];
	bool waits;
};

/* Both are copied. */
void virtio_balloon_init(struct virtio_balloon *b, const struct virtio_env *env,
			 const struct virtio_balloon_env *io);
/* Asks the driver for as many pages. */
void virtio_balloon_ask(struct virtio_balloon *b, uint32_t pages);
/* There may be memory now: pages that wait come back. */
void virtio_balloon_service(struct virtio_balloon *b);
uint32_t virtio_balloon_asked(const struct virtio_balloon *b);
