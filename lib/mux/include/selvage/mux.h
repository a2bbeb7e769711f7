/*
 * Framing of the one serial line between `selvage` (the host command) and
 * servers/serial. Shared by both sides; no allocation, no I/O.
 *
 * Plain mode (the default after boot): the target sends readable text, one
 * line at a time, "name| text"; what is typed goes to the console in focus.
 * The host switches to framed mode by sending MUX_HELLO_HOST; the target
 * answers with a HELLO frame and from then on sends frames only. Panic text
 * of the kernel may still appear between frames as plain bytes.
 *
 * A frame on the wire is COBS-encoded between two zero bytes:
 *   0x00 COBS(type(1) channel(1) length(2, LE) payload crc32(4, LE)) 0x00
 * so that a reader that starts at any byte is in step at the next zero, and
 * bytes between frames that do not decode are plain text (panics).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUX_VERSION 1
#define MUX_MAX_PAYLOAD 512
#define MUX_MAX_FRAME (1 + 4 + MUX_MAX_PAYLOAD + 4 + 8 + 1) /* encoded */
/* What the host sends to switch the target to framed mode. */
#define MUX_HELLO_HOST "\x1d\x1dselvage-mux 1\n"

enum mux_type {
	MUX_HELLO = 1,  /* payload: version(1) n_channels(1) */
	MUX_NAME = 2,   /* payload: channel's name; one per channel, after HELLO
	                  * and whenever a channel appears; empty = gone */
	MUX_DATA = 3,   /* payload: bytes of the channel */
	MUX_CREDIT = 4, /* payload: n(2, LE) more data bytes may be sent on it */
	MUX_BYE = 5,    /* host to target: back to plain mode */
};

/* Channels with fixed numbers; VM consoles follow from MUX_CH_FIRST_VM, and
 * as many debug channels (docs/debug-channel.md) from MUX_CH_FIRST_DEBUG. */
#define MUX_CH_CONTROL 0 /* requests to init, answers: see ipc/control.h */
#define MUX_CH_LOG 1
#define MUX_CH_FIRST_VM 2
#define MUX_CH_FIRST_DEBUG 66
#define MUX_CH_SHELL 130 /* of servers/debug */
#define MUX_CHANNELS 131

/* What a person reads and types into. */
static inline bool mux_is_console(unsigned channel)
{
	return (channel >= MUX_CH_FIRST_VM && channel < MUX_CH_FIRST_DEBUG) ||
	       channel == MUX_CH_SHELL;
}
static inline bool mux_is_debug(unsigned channel)
{
	return channel >= MUX_CH_FIRST_DEBUG && channel < MUX_CH_SHELL;
}

/* Credit each side grants for every channel at HELLO, bytes. */
#define MUX_INITIAL_CREDIT 2048

/*
 * Encodes one frame into out[MUX_MAX_FRAME]; returns its length. `size` must
 * not exceed MUX_MAX_PAYLOAD.
 */
size_t mux_encode(uint8_t *out, enum mux_type type, uint8_t channel,
		  const void *payload, size_t size);

struct mux_frame {
	uint8_t type;
	uint8_t channel;
	uint16_t size;
	uint8_t payload[MUX_MAX_PAYLOAD];
};

struct mux_decoder {
	size_t fill;
	bool in_step; /* a zero byte was seen */
	uint8_t raw[MUX_MAX_FRAME];
};

enum mux_result {
	MUX_MORE = 0,  /* byte taken, nothing complete yet */
	MUX_FRAME = 1, /* *frame is filled */
	MUX_TEXT = 2,  /* the collected bytes are no frame: plain text in
	                * text[0..*text_size) */
};

void mux_decoder_reset(struct mux_decoder *d);
/* Feeds one byte. `text` must have room for MUX_MAX_FRAME bytes. */
enum mux_result mux_decode(struct mux_decoder *d, uint8_t byte,
			   struct mux_frame *frame, uint8_t *text,
			   size_t *text_size);
/* Takes out bytes that wait for a zero and cannot be a frame any more, for a
 * reader that was idle a while (panic text without an end). */
size_t mux_decoder_flush(struct mux_decoder *d, uint8_t *text);
