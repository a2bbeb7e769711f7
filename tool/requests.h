/*
 * Requests on the control channel, one at a time as init wants it
 * (ipc/control.h). Owners are numbers that the caller gives.
 */
#pragma once

#include <selvage/control.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"

#define REQUESTS_MAX 32
#define REQUEST_TIMEOUT_MS 20000 /* for each line of an answer */
/* For one that was under way when the serial server was started again: its answer may have been
 * lost with that. */
#define REQUEST_GRACE_MS 2000
#define REQUEST_NO_OWNER (-1) /* its answer is thrown away */

struct request {
	int owner;
	char line[CONTROL_MAX_LINE];
};

struct requests {
	struct request queue[REQUESTS_MAX];
	size_t n;
	bool sent;  /* queue[0] is on its way */
	bool maybe; /* it may have been lost on the way */
	bool begun; /* some of its answer has come */
	bool cut;   /* and some of it is lost */
	bool grace; /* it has until deadline_ms because of that */
	/* Requests that were given up and whose verdicts may still come: they
	 * are nobody's, and nothing in them says whose they were. */
	unsigned owed;
	bool swallowed; /* one came since queue[0] was sent */
	uint64_t deadline_ms;
	struct buffer line; /* of the answer, so far */
	void *context;
	void (*send)(void *context, const char *line);
	/* One line of the answer, without its end; `last` ends the answer. */
	void (*on_line)(void *context, int owner, const char *line, bool last);
};

/* False if the queue is full or the line too long. */
bool requests_add(struct requests *r, int owner, const char *line);
void requests_forget(struct requests *r, int owner);
/* The owner's requests are another one's. */
void requests_pass(struct requests *r, int from, int to);
/* The line has begun anew: what was under way may be lost. */
void requests_restart(struct requests *r);
/* Bytes of the control channel. */
void requests_receive(struct requests *r, const uint8_t *data, size_t size);
/* Sends what waits, and gives up on what takes too long. */
void requests_tick(struct requests *r, uint64_t now_ms, bool connected);
