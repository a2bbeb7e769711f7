/*
 * Stream sockets between VMs: a socket device and its connection for each, and the table of
 * connections between them. Portable.
 *
 * Time. A VM's packets may have SOCKET_TIME_US of ours in each SOCKET_PERIOD_US. Who has no
 * room for packets makes those who send to it wait, with all that they have for others, for
 * SOCKET_DEAF_US, and SOCKET_PACKET_US more for each packet that it takes; after that what
 * it has no room for resets its connection. One that is slow but goes on is waited for.
 */
#pragma once

#include <dev/virtio/link_server.h>
#include <dev/virtio/vsock_switch.h>

#define SOCKET_PERIOD_US 10000u
#define SOCKET_TIME_US 3000u
#define SOCKET_DEAF_US 100000u
#define SOCKET_PACKET_US 1000u
#define SOCKET_FIRST_CID 3u /* of socket 0 */

struct sockets_env {
	uint64_t (*now)(void); /* the counter */
	uint64_t ticks_per_us;
	void (*interrupt)(unsigned socket);
	void (*event)(unsigned socket);
};

/* What a socket device is made of. */
struct socket_spec {
	struct link_page *page;
	uint8_t *memory;
	uint64_t bytes;
	const struct link_piece *piece; /* as in struct link_server_env */
	unsigned n_pieces;
	uint32_t allowed; /* sockets, a bit each */
};

void sockets_init(const struct sockets_env *env);
bool sockets_add(unsigned socket, const struct socket_spec *spec);
void sockets_remove(unsigned socket);
/* Somebody has kicked in the connection. */
void sockets_kicked(unsigned socket);
/* Whether one waits for time to pass: call sockets_tick after a while. */
bool sockets_wait(void);
void sockets_tick(void);
/* What it sent, and what was refused it. */
const struct vsock_guest *sockets_counters(unsigned socket);
