/*
 * Stream sockets between guests: a table of connections, which sees to it that
 * packets belong to one and that nobody sends more than the other side takes
 * (virtio 1.2, 5.10.6). What breaks that resets the connection, for both.
 */
#pragma once

#include <dev/virtio/vsock.h>

#define VSOCK_GUESTS 16u
#define VSOCK_CONNECTIONS 64u

/* Private to the model. */
struct vsock_end {
	uint8_t guest;
	bool owed; /* it is to be told that the connection is no more */
	uint32_t port;
	uint32_t alloc, fwd; /* what it takes, as it said last */
	uint32_t sent;       /* bytes of data that went to it */
};
struct vsock_connection {
	bool used, over;
	struct vsock_end end[2];
};

struct vsock_switch {
	struct {
		struct virtio_vsock *device; /* NULL: none */
		uint32_t allow;              /* guests it may talk to, a bit each */
	} guest[VSOCK_GUESTS];
	struct vsock_connection connection[VSOCK_CONNECTIONS];
	uint64_t refused; /* connections that were not made, and those that were reset here */
	bool serving;
};

/* For the callbacks of a guest's device. `from` is its number. */
bool vsock_switch_packet(struct vsock_switch *s, unsigned from, const struct vsock_header *h,
			 const uint8_t *data);
void vsock_switch_room(struct vsock_switch *s);
void vsock_switch_stopped(struct vsock_switch *s, unsigned guest);
