/*
 * An Ethernet switch: who may send to whom, which address is where. Portable,
 * no memory of its own beyond the structure, every loop bounded.
 *
 * Each port has an address. A port that is not `open` may send from that one
 * alone, and nobody else may use it. Open ports (the machine's NIC, a VM that
 * bridges) may have other addresses behind them, which are learned: a bounded
 * number for each port, so that none crowds out another, and for a bounded time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SWITCH_PORTS 64u
#define SWITCH_LEARNED 32u /* addresses behind an open port */
#define SWITCH_AGE_S 300u
#define SWITCH_BUCKETS 256u
#define SWITCH_MAC 6u

enum switch_drop {
	SWITCH_SPOOFED,   /* sender's address is not one that the port may use */
	SWITCH_FORBIDDEN, /* the ports may not talk to each other */
	SWITCH_RESERVED,  /* an address that no bridge passes on (802.1Q, 8.6.3) */
	SWITCH_UNKNOWN,   /* nobody can have the address */
	SWITCH_NO_ROOM,   /* the receiver has no buffer */
	SWITCH_DOWN,      /* the receiver's driver does not work */
	SWITCH_DROPS,
	SWITCH_HOLD /* not dropped: the sender is to wait (of single receivers only) */
};
/* For people; number out of range: NULL. */
const char *switch_drop_name(unsigned reason);

struct switch_counters {
	uint64_t frames_in, bytes_in;   /* from the port */
	uint64_t frames_out, bytes_out; /* to it */
	/* NO_ROOM and DOWN: frames for it; the others: frames from it. */
	uint64_t dropped[SWITCH_DROPS];
};

struct switch_port_spec {
	uint8_t mac[SWITCH_MAC];
	bool open;
	bool once;        /* what it sends is not tried again: nothing of it is held */
	uint64_t allowed; /* ports that it may talk to, by bits; they must agree */
	void *opaque;
	/* The frame goes out there: SWITCH_DROPS, or why not (NO_ROOM, DOWN). If it is for nobody
	 * else and can be tried again (`single`), SWITCH_HOLD too. */
	enum switch_drop (*deliver)(void *opaque, const uint8_t *frame, uint32_t bytes,
				    bool single);
};

/* An address and where it is. */
struct switch_entry {
	uint8_t mac[SWITCH_MAC];
	uint8_t port;
	bool used;
	uint16_t next; /* in its bucket */
	uint32_t seen_s;
};

struct switch_port {
	bool used;
	struct switch_port_spec spec;
	struct switch_counters count;
};

#define SWITCH_PER_PORT (1u + SWITCH_LEARNED) /* its own address is the first */
struct switch_fabric {
	bool lossy; /* a frame was dropped, since the owner cleared this */
	struct switch_port port[SWITCH_PORTS];
	struct switch_entry entry[SWITCH_PORTS * SWITCH_PER_PORT];
	uint16_t bucket[SWITCH_BUCKETS]; /* entry + 1; 0: none */
};

void switch_init(struct switch_fabric *s);
/* False: the number is taken or out of range, or the address is another port's or
 * none that a port can have. Addresses that were learned make room for it. */
bool switch_add(struct switch_fabric *s, unsigned port, const struct switch_port_spec *spec);
void switch_remove(struct switch_fabric *s, unsigned port);

/* A frame of at least 14 bytes from the port; `now_s` never goes back. False: its
 * receiver wants it later; nothing was done, and nothing counted. */
bool switch_frame(struct switch_fabric *s, unsigned port, const uint8_t *frame,
		  uint32_t bytes, uint32_t now_s);

/* The port that has the address, or SWITCH_PORTS. */
unsigned switch_find(const struct switch_fabric *s, const uint8_t mac[SWITCH_MAC], uint32_t now_s);
