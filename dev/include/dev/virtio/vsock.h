/*
 * Socket device (virtio 1.2, 5.10), streams only: packets of the driver's are
 * judged and handed on in pieces, others are given to it.
 */
#pragma once

#include <dev/virtio/device.h>

#define VSOCK_HEADER_BYTES 44u
#define VSOCK_PIECE 2048u /* bytes of data of one packet that is handed on */
#define VSOCK_STREAM 1u

enum vsock_op {
	VSOCK_REQUEST = 1,
	VSOCK_RESPONSE = 2,
	VSOCK_RST = 3,
	VSOCK_SHUTDOWN = 4,
	VSOCK_RW = 5,
	VSOCK_CREDIT_UPDATE = 6,
	VSOCK_CREDIT_REQUEST = 7,
};

struct vsock_header {
	uint64_t src_cid, dst_cid;
	uint32_t src_port, dst_port;
	uint32_t len; /* of the data; 0 unless VSOCK_RW */
	uint16_t type, op;
	uint32_t flags;
	uint32_t buf_alloc, fwd_cnt; /* what the sender can take (5.10.6.3) */
};

struct virtio_vsock_env {
	void *opaque;
	/* A packet of the driver's, in its own name. False: not now; the device
	 * keeps it until virtio_vsock_service. */
	bool (*packet)(void *opaque, const struct vsock_header *h, const uint8_t *data);
	/* Whether it may have another piece handed on now; else it is to be asked to go on
	 * (virtio_vsock_service). NULL: always. */
	bool (*may_send)(void *opaque);
	/* The driver has made room for packets. */
	void (*room)(void *opaque);
	/* The driver works no more: its connections are gone. */
	void (*stopped)(void *opaque);
};

struct virtio_vsock {
	struct virtio v;
	struct virtio_vsock_env io;
	uint8_t config[8]; /* the CID */
	bool owes_reset;   /* the driver is to be told that its connections are gone */
	bool later;        /* there may be more to send, for which there was no time */
	/* The packet under way: what is left of it, and the piece that waits. */
	bool sending, waiting;
	struct virtq_chain chain;
	struct virtq_cursor cursor;
	struct vsock_header header;
	uint32_t left;
	uint8_t piece[VSOCK_PIECE];
};

/* Both are copied. */
void virtio_vsock_init(struct virtio_vsock *s, const struct virtio_env *env,
		       const struct virtio_vsock_env *io, uint64_t cid);
uint64_t virtio_vsock_cid(const struct virtio_vsock *s);
/* Connections of before are gone, and the driver is told (5.10.6.7) as soon as it can be. */
void virtio_vsock_lost(struct virtio_vsock *s);
/* Packets that waited may go on. */
void virtio_vsock_service(struct virtio_vsock *s);
/* Gives the driver a packet of up to VSOCK_PIECE bytes. False: it has no room,
 * or does not work. */
bool virtio_vsock_deliver(struct virtio_vsock *s, const struct vsock_header *h,
			  const uint8_t *data);
bool virtio_vsock_live(const struct virtio_vsock *s);
