/* The console's channel. */
#include "console.h"

#include <selvage/sel4.h>
#include <string.h>

#define FLUSH_BYTES 64u

void console_init(struct console *c, void *channel, uint64_t server)
{
	uint8_t *base = channel;

	memset(c, 0, sizeof(*c));
	c->attached = channel != NULL;
	c->server = server;
	if (!c->attached)
		return;
	ring_attach(&c->out, base + CHANNEL_OUT_OFFSET, CHANNEL_OUT_SIZE, true);
	ring_attach(&c->in, base + CHANNEL_IN_OFFSET, CHANNEL_IN_SIZE, false);
}

void console_flush(struct console *c)
{
	if (c->unsent == 0)
		return;
	c->unsent = 0;
	sel4_signal(c->server);
}

bool console_put(struct console *c, uint8_t byte)
{
	if (!c->attached)
		return true;
	if (ring_put(&c->out, &byte, 1) == 0) {
		c->unsent = 0;
		sel4_signal(c->server);
		return false;
	}
	c->unsent++;
	if (byte == '\n' || c->unsent >= FLUSH_BYTES)
		console_flush(c);
	return true;
}

bool console_get(struct console *c, uint8_t *byte)
{
	return c->attached && ring_get(&c->in, byte, 1) == 1;
}

void console_taken(struct console *c)
{
	if (c->attached)
		sel4_signal(c->server);
}
