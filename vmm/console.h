/*
 * The VM's console: a channel to the serial server, bytes out and in. The
 * server is signalled for whole lines or 64 bytes, and whenever the guest
 * pauses (console_flush), not for each byte.
 */
#pragma once

#include <selvage/ring.h>
#include <stdbool.h>
#include <stdint.h>

struct console {
	bool attached;
	uint32_t unsent; /* bytes that the server was not signalled for */
	uint64_t server; /* notification to signal */
	struct ring out, in;
};

/* channel: CHANNEL_BYTES shared with the serial server, or NULL for none
 * (output vanishes). */
void console_init(struct console *c, void *channel, uint64_t server);
/* False: no room; the server is told and will signal when there is. */
bool console_put(struct console *c, uint8_t byte);
/* False: nothing there. */
bool console_get(struct console *c, uint8_t *byte);
/* Tells the server about bytes it has not been told about. */
void console_flush(struct console *c);
/* Tells the server that input was taken. */
void console_taken(struct console *c);
