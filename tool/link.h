/*
 * The host's end of the framed serial line (<selvage/mux.h>): greets the
 * target, keeps names and credits, splits what comes into channels. Does no
 * I/O of its own.
 */
#pragma once

#include <selvage/mux.h>
#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"

#define LINK_NAME 33
#define LINK_HELLO_EVERY_MS 300
#define LINK_IN_ANSWER 100u
#define LINK_IN_LINE 101u

struct link_channel {
	char name[LINK_NAME];  /* empty: there is no such channel now */
	uint32_t credit;       /* bytes that we may send */
	uint32_t taken;        /* bytes received, not yet granted again */
	struct buffer waiting; /* to be sent when there is credit */
};

struct link {
	struct mux_decoder decoder;
	struct link_channel channel[MUX_CHANNELS];
	struct buffer out; /* to be written to the serial line */
	bool framed;       /* the target has answered */
	/* Where in its line text outside of frames is: so many letters of the control
	 * channel's name, LINK_IN_ANSWER or LINK_IN_LINE. */
	unsigned text_at;
	uint64_t next_hello_ms;
	void *context;
	void (*on_data)(void *context, unsigned channel, const uint8_t *data,
			size_t size);
	void (*on_name)(void *context, unsigned channel);
	/* The target greets, at first or behind text: it may be another one. May be NULL. */
	void (*on_hello)(void *context);
	/* Bytes outside of frames: before HELLO, and panics. Of a serial server that speaks
	 * plainly the control channel's lines are given to on_data instead. */
	void (*on_text)(void *context, const uint8_t *data, size_t size);
};

void link_receive(struct link *link, const uint8_t *data, size_t size);
/* Queues bytes for a channel; LINK_WAITING_MAX of them at most, what is more
 * is dropped. */
#define LINK_WAITING_MAX 65536
void link_send(struct link *link, unsigned channel, const void *data,
	       size_t size);
/* How many bytes a channel takes of one that can wait. The other half is for
 * those that cannot. */
size_t link_room(const struct link *link, unsigned channel);
/* Call it now and then: repeats the greeting until it is answered, and gives
 * out text that waits for its end. */
void link_tick(struct link *link, uint64_t now_ms);
/* Whether requests can be sent: the target has answered and has its control channel. What is sent
 * to a channel that it has not is lost. */
bool link_takes_requests(const struct link *link);
/* The channel of that name, or -1. */
int link_find(const struct link *link, const char *name);
void link_free(struct link *link);
