/*
 * The ports of the switch: a network device and its connection each, and the
 * uplink. Serves them in turn, each for a bounded time.
 *
 * Time. A port may have PORT_TIME_US of ours in each PORT_PERIOD_US: a driver that
 * floods is not served any more until the period ends, and fills its own queue. One
 * turn is PORT_TURN frames.
 *
 * Waiting. A frame for a single receiver that has no buffer stays where it is, with
 * all that its sender has behind it, so that a receiver that needs the processor
 * first loses nothing. A receiver can make others wait for PORT_HOLD_US in each
 * PORT_HOLD_PERIOD_US: after that, what it has no buffer for is lost. Of the time
 * between two looks at it PORT_HOLD_STEP_US count at most: a machine that was away,
 * as an emulator on a busy host is, has not let it run.
 */
#pragma once

#include "switch.h"

#include <dev/virtio/link_server.h>
#include <dev/virtio/net.h>

#define PORT_TURN 16u
#define PORT_PERIOD_US 10000u
#define PORT_TIME_US 3000u
#define PORT_HOLD_PERIOD_US 100000u
#define PORT_HOLD_US 30000u
#define PORT_HOLD_STEP_US 5000u
#define PORTS 63u /* the uplink is one more */
#define PORT_UPLINK 63u

struct ports_env {
	uint64_t (*now)(void); /* the counter */
	uint64_t ticks_per_us;
	void (*interrupt)(unsigned port);
	void (*event)(unsigned port);
};

/* What a port is made of. */
struct port_spec {
	struct link_page *page;
	uint8_t *memory;
	uint64_t bytes;
	const struct link_piece *piece; /* as in struct link_server_env */
	unsigned n_pieces;
	uint64_t allowed;
	uint8_t mac[NET_MAC_BYTES];
	bool open;
};

void ports_init(const struct ports_env *env);
bool ports_add(unsigned port, const struct port_spec *spec);
void ports_remove(unsigned port);
/* The uplink: where frames for it go. False: the address is a port's. */
bool ports_add_uplink(const uint8_t mac[NET_MAC_BYTES],
		      enum switch_drop (*deliver)(void *opaque, const uint8_t *frame,
						  uint32_t bytes, bool single));
/* A frame from there; it does not wait for anybody. */
void ports_from_uplink(const uint8_t *frame, uint32_t bytes);

/* Somebody has kicked in the connection. */
void ports_kicked(unsigned port);
/* One turn for each port that can have one. True: some can have another at once. */
bool ports_turn(void);
/* Interrupts that are owed. */
void ports_settle(void);
/* Whether a port waits for time to pass: call ports_tick after a while. */
bool ports_wait(void);
void ports_tick(void);

const struct switch_counters *ports_counters(unsigned port);
/* Whether a frame was lost since the last question. */
bool ports_have_news(void);
/* Reasons for which the port has lost frames since the last question, by bits of enum
 * switch_drop. */
unsigned ports_news(unsigned port);
