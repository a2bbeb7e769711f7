/*
 * Stream sockets between guests: a table of connections, which sees to it that
 * packets belong to one and that nobody sends more than the other side takes
 * (virtio 1.2, 5.10.6). What breaks that resets the connection, for both.
 */
#pragma once

#include <dev/virtio/vsock.h>

#define VSOCK_GUESTS 16u
/* That a guest has opened, at a time: none can use up another's. For one more, the oldest is
 * reset that has had no answer. */
#define VSOCK_OPENED 16u

/* Private to the model. */
struct vsock_end {
	uint8_t guest;
	bool owed; /* it is to be told that the connection is no more */
	uint32_t port;
	/* Bytes of data that went to it, and that may go at most: what it has once said it
	 * takes. */
	int64_t sent, limit;
};
struct vsock_connection {
	bool used, over, answered;
	uint64_t since;          /* packets that its opener had sent */
	struct vsock_end end[2]; /* the first one has opened it */
};

struct vsock_guest {
	struct virtio_vsock *device; /* NULL: none */
	uint64_t cid;
	uint32_t allow; /* guests it may talk to, a bit each; both ends must agree */
	/* The owner's word that it takes too few packets: nobody waits for it, what it has no
	 * room for resets the connection, and of one that is over it may hear only when it next
	 * sends on it. It is taken back when the guest makes room. */
	bool deaf;
	uint64_t taken;          /* packets of others */
	uint64_t packets, bytes; /* that it sent, and of data in them */
	uint64_t refused;        /* connections of its that were not made, or reset here */
};

struct vsock_switch {
	struct vsock_guest guest[VSOCK_GUESTS];
	struct vsock_connection connection[VSOCK_GUESTS][VSOCK_OPENED]; /* by who opened them */
	/* Guests that had no room for a packet which waits, since the owner cleared this; a bit
	 * each. */
	uint32_t full;
	bool serving;
};

void vsock_switch_add(struct vsock_switch *s, unsigned guest, struct virtio_vsock *device,
		      uint32_t allow);
/* Its connections are gone. */
void vsock_switch_remove(struct vsock_switch *s, unsigned guest);

/* For the callbacks of a guest's device. `from` is its number. */
bool vsock_switch_packet(struct vsock_switch *s, unsigned from, const struct vsock_header *h,
			 const uint8_t *data);
void vsock_switch_room(struct vsock_switch *s, unsigned guest);
void vsock_switch_stopped(struct vsock_switch *s, unsigned guest);
/* Packets that wait are tried again. */
void vsock_switch_retry(struct vsock_switch *s);
