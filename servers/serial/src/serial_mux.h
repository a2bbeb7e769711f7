/*
 * What servers/serial does between the one wire and the clients' channels:
 * plain mode and framed mode of <selvage/mux.h>. State and bytes only: no
 * UART, no clock, no system call, so it is tested and fuzzed on the host.
 *
 * The caller feeds bytes from the wire (serial_mux_rx), lets output move
 * (serial_mux_pump), takes bytes for the wire (serial_mux_tx), calls
 * serial_mux_tick() a while after serial_mux_wants_tick() became true, and
 * signals the clients that serial_mux_take_notify() names.
 */
#pragma once

#include <selvage/mux.h>
#include <selvage/procinfo.h>
#include <selvage/ring.h>
#include <stdbool.h>
#include <stdint.h>

#define SERIAL_LINE 256u      /* of a channel's line that can be shown again */
#define SERIAL_TX_SIZE 8192u  /* bytes on their way to the wire */
#define SERIAL_TURN_PLAIN 64u /* bytes of one channel before the next one */
#define SERIAL_TURN_FRAMED 256u
#define SERIAL_CREDIT_STEP 256u /* input credit is granted in steps */
#define SERIAL_CREDIT_MAX 0x100000u
#define SERIAL_NO_CHANNEL (-1)
#define SERIAL_ESCAPE 0x1d /* Ctrl-]: the next console gets the input */

enum serial_mode { SERIAL_PLAIN = 0,
		   SERIAL_FRAMED = 1 };

struct serial_channel {
	bool used;
	bool name_due;   /* framed: a NAME frame has to go out */
	bool starved;    /* its client may wait for room in `out` */
	bool pending_cr; /* plain: a CR that may belong to a CR LF */
	bool touched;    /* plain: output came since the last tick */
	char name[PROC_NAME];
	struct ring out, in;
	uint32_t fill;      /* plain: bytes of the unfinished line */
	uint32_t shown;     /* plain: how many of them the wire has seen */
	uint32_t tx_credit; /* framed: DATA bytes that the host takes */
	uint32_t rx_credit; /* framed: DATA bytes that the host may send */
	char line[SERIAL_LINE];
};

struct serial_stats {
	uint64_t dropped_in; /* input bytes without a taker or room */
	uint64_t bad_frames; /* frames of unknown kind or channel, garbage */
};

struct serial_mux {
	enum serial_mode mode;
	bool eager; /* unfinished lines show at once: no ticks */
	bool hello_due;
	uint32_t top;         /* channels at and above it are unused */
	uint32_t turn;        /* the channel whose turn is next */
	int32_t focus;        /* console that gets plain input, or none */
	int32_t line_owner;   /* whose unfinished line the wire ends with */
	uint32_t hello_match; /* bytes of MUX_HELLO_HOST seen */
	uint32_t hello_acted; /* of those: already treated as input */
	int32_t hello_focus;  /* the focus before them */
	bool frame_start;     /* framed: nothing but the hello since a zero */
	uint32_t tx_head, tx_tail;
	uint64_t notify[3]; /* bit set of channels */
	struct serial_stats stats;
	struct mux_decoder decoder;
	struct serial_channel channel[MUX_CHANNELS];
	uint8_t tx[SERIAL_TX_SIZE];
};

void serial_mux_init(struct serial_mux *m);
/* pages: the channel's CHANNEL_BYTES. False: bad number or already there. */
bool serial_mux_add(struct serial_mux *m, uint64_t channel, const char *name,
		    void *pages);
bool serial_mux_remove(struct serial_mux *m, uint64_t channel);

void serial_mux_rx(struct serial_mux *m, uint8_t byte);
/* Moves output until nothing waits or the bytes for the wire fill up; each
 * channel in its turn. True: it stopped for want of room. */
bool serial_mux_pump(struct serial_mux *m);
/* Up to n bytes for the wire. */
uint32_t serial_mux_tx(struct serial_mux *m, uint8_t *bytes, uint32_t n);
bool serial_mux_tx_waits(const struct serial_mux *m);

/* Something waits for its channel to be quiet (a prompt without a newline). */
bool serial_mux_wants_tick(const struct serial_mux *m);
void serial_mux_tick(struct serial_mux *m);

/* A channel whose client is to be signalled, or SERIAL_NO_CHANNEL. */
int serial_mux_take_notify(struct serial_mux *m);
