/*
 * Network device (virtio 1.2, 5.1): one pair of queues, mergeable receive
 * buffers, no offloads: each frame is whole, and at most NET_FRAME_MAX bytes.
 *
 * Frames are sent when the owner asks for it (virtio_net_poll), as many as it
 * likes: a driver that floods takes no more time than it is given.
 */
#pragma once

#include <dev/virtio/device.h>
#include <selvage/virtio_abi.h>

#define NET_MAC_BYTES 6u
#define NET_FRAME_MIN 14u   /* addresses and type */
#define NET_FRAME_MAX 1518u /* an MTU of 1500, with a VLAN tag */
/* Buffers that a received frame may need; else it is dropped. */
#define VIRTIO_NET_MERGE VIRTQ_TOGETHER
#define VIRTIO_NET_CONFIG_BYTES 12u

struct virtio_net_env {
	void *opaque;
	/* The driver sends a frame, which is a copy. False: not now; it stays where it is. */
	bool (*transmit)(void *opaque, const uint8_t *frame, uint32_t bytes);
	/* Frames may wait for virtio_net_poll, or there are buffers again. */
	void (*kicked)(void *opaque);
};

enum virtio_net_result { VIRTIO_NET_OK,
			 VIRTIO_NET_OFF,     /* no driver that works */
			 VIRTIO_NET_NO_ROOM, /* no buffers */
			 VIRTIO_NET_TOO_LONG };

struct virtio_net {
	struct virtio v;
	struct virtio_net_env io;
	uint8_t config[VIRTIO_NET_CONFIG_BYTES];
	bool waiting;             /* frames to send may be there */
	uint64_t sent_bad;        /* frames that were dropped: their size or header */
	struct virtq_chain first; /* of the frame that is being received */
	/* That is being sent: header and frame. */
	uint8_t packet[VIRTIO_NET_HDR_BYTES + NET_FRAME_MAX];
};

/* Both are copied. */
void virtio_net_init(struct virtio_net *n, const struct virtio_env *env,
		     const struct virtio_net_env *io, const uint8_t mac[NET_MAC_BYTES]);
/* Sends up to `most` of the frames that wait; how many it took from the queue. Unless
 * `waiting` then, there are no more, and `kicked` will tell of the next one. */
unsigned virtio_net_poll(struct virtio_net *n, unsigned most);
/* Gives the driver a frame. */
enum virtio_net_result virtio_net_receive(struct virtio_net *n, const uint8_t *frame,
					  uint32_t bytes);
/* Ends a run of the two above: interrupts. */
void virtio_net_settle(struct virtio_net *n);
