/*
 * Control connections: requests of `selvage` and of servers/debug
 * (selvage/control.h), answered as fast as a channel takes the lines.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The serial line's control channel; servers/debug. */
enum { CONTROL_HOST,
       CONTROL_SHELL,
       CONTROL_CONNECTIONS };

/* What an answer of several lines is about. */
struct control_subject {
	unsigned vm;
	uint64_t number, count;
	uint64_t life; /* of the VM, when it was asked */
};
typedef bool (*control_step)(const struct control_subject *subject, unsigned n, char *text,
			     size_t size);

/* channel: CHANNEL_BYTES, of which we are the client; signal: to the other side. */
void control_init(unsigned connection, void *channel, void (*signal)(void));
/* The other side begins anew: what it had asked for is not answered. */
void control_forget(unsigned connection);
/* Call whenever a channel has input or room. */
void control_run(void);
