#include "requests.h"

#include <stdio.h>
#include <string.h>

#define ANSWER_LINE_MAX 4096

bool requests_add(struct requests *r, int owner, const char *line)
{
	struct request *request;

	if (r->n == REQUESTS_MAX || strlen(line) + 2 > CONTROL_MAX_LINE)
		return false;
	request = &r->queue[r->n++];
	request->owner = owner;
	snprintf(request->line, sizeof(request->line), "%s\n", line);
	return true;
}

void requests_pass(struct requests *r, int from, int to)
{
	for (size_t i = 0; i < r->n; i++) {
		if (r->queue[i].owner == from)
			r->queue[i].owner = to;
	}
}

void requests_forget(struct requests *r, int owner)
{
	requests_pass(r, owner, REQUEST_NO_OWNER);
}

static void finish(struct requests *r)
{
	r->n--;
	memmove(&r->queue[0], &r->queue[1], r->n * sizeof(r->queue[0]));
	r->sent = r->maybe = r->begun = r->cut = r->grace = r->swallowed = false;
}

void requests_restart(struct requests *r)
{
	r->owed = 0;
	r->maybe = r->sent;
	r->cut = r->sent && (r->begun || r->line.size > 0);
	r->grace = false;
	r->line.size = 0;
}

static const char restarted[] =
	"{\"ok\":false,\"error\":\"the serial server was started again, and the answer is lost\"}";
static const char silent[] = "{\"ok\":false,\"error\":\"the system does not answer\"}";

static void got_line(struct requests *r, const char *line)
{
	bool last = strncmp(line, "{\"ok\":", 6) == 0;
	int owner;

	if (line[0] != '{')
		return;
	if (r->owed > 0) {
		r->owed -= last;
		r->swallowed = r->swallowed || (last && r->sent);
		r->deadline_ms = 0; /* then it is the next one's turn */
		return;
	}
	if (!r->sent)
		return;
	owner = r->queue[0].owner;
	r->begun = true;
	if (last && r->cut)
		line = restarted;
	if (owner != REQUEST_NO_OWNER)
		r->on_line(r->context, owner, line, last);
	if (last)
		finish(r);
	else
		r->deadline_ms = 0; /* it comes: the next line has as long */
}

void requests_receive(struct requests *r, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (data[i] == '\n') {
			buffer_append(&r->line, "", 1);
			got_line(r, (const char *)r->line.data);
			r->line.size = 0;
		} else if (data[i] >= ' ' && r->line.size < ANSWER_LINE_MAX) {
			buffer_append(&r->line, &data[i], 1);
		}
	}
}

/* What was asked for is what has happened. */
static bool ends_serial(const char *line)
{
	return strcmp(line, "kill serial\n") == 0 || strcmp(line, "crash serial\n") == 0;
}

static void give_up(struct requests *r)
{
	const char *why = !r->maybe                       ? silent
			  : ends_serial(r->queue[0].line) ? "{\"ok\":true}"
							  : restarted;

	if (r->queue[0].owner != REQUEST_NO_OWNER)
		r->on_line(r->context, r->queue[0].owner, why, true);
	/* A verdict that was taken for an owed one was this one's: that one is lost. */
	r->owed = r->swallowed ? 0 : r->owed + (r->sent && !r->maybe);
	finish(r);
}

void requests_tick(struct requests *r, uint64_t now_ms, bool connected)
{
	if (r->n == 0)
		return;
	if (r->deadline_ms == 0 || (!r->sent && connected))
		r->deadline_ms = now_ms + REQUEST_TIMEOUT_MS;
	if (r->maybe && !r->grace && connected) {
		r->grace = true;
		r->deadline_ms = now_ms + REQUEST_GRACE_MS;
	}
	if (!r->sent && connected) {
		r->sent = true;
		r->send(r->context, r->queue[0].line);
	} else if (now_ms > r->deadline_ms) {
		give_up(r);
		r->deadline_ms = 0;
	}
}
