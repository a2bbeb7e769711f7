/*
 * Control connections: requests of `selvage` and of servers/debug
 * (selvage/control.h), answered as fast as a channel takes the lines.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTROL_CONNECTIONS 2u /* the serial line's control channel; servers/debug */

/* What an answer of several lines is about. */
struct control_subject {
	unsigned vm;
	uint64_t number, count;
};
typedef bool (*control_step)(const struct control_subject *subject, unsigned n, char *text,
			     size_t size);

/* channel: CHANNEL_BYTES, of which we are the client; signal: to the other side. */
void control_init(unsigned connection, void *channel, void (*signal)(void));
/* Call whenever a channel has input or room. */
void control_run(void);
