/* The host's end of the serial line, fed with anything: the target may be
 * under an attacker's control. */
#include <stdlib.h>
#include <string.h>

#include "link.h"
#include "replay.h"
#include "requests.h"
#include "view.h"
#include "vmstates.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct host {
	struct link link;
	struct view view;
	struct requests requests;
	struct vmstates states;
};

static void on_data(void *context, unsigned channel, const uint8_t *data,
		    size_t size)
{
	struct host *h = context;

	if (channel == MUX_CH_CONTROL)
		requests_receive(&h->requests, data, size);
	else
		(void)view_data(&h->view, channel, data, size);
}

static void on_name(void *context, unsigned channel)
{
	struct host *h = context;

	if (strlen(h->link.channel[channel].name) >= LINK_NAME)
		abort();
}

static void on_text(void *context, const uint8_t *data, size_t size)
{
	struct host *h = context;

	(void)view_text(&h->view, data, size);
}

static void send_line(void *context, const char *line)
{
	struct host *h = context;

	link_send(&h->link, MUX_CH_CONTROL, line, strlen(line));
}

static void on_line(void *context, int owner, const char *line, bool last)
{
	struct host *h = context;

	(void)owner;
	(void)last;
	vmstates_line(&h->states, line);
}

/* A frame around the input too: no fuzzer guesses a CRC. */
static void feed_framed(struct host *h, const uint8_t *data, size_t size)
{
	uint8_t wire[MUX_MAX_FRAME];
	size_t n;

	while (size > 2) {
		size_t part = data[1] < size - 2 ? data[1] : size - 2;

		n = mux_encode(wire, (enum mux_type)(data[0] & 7),
			       data[0] >> 3, data + 2, part);
		link_receive(&h->link, wire, n);
		link_tick(&h->link, size);
		data += 2 + part;
		size -= 2 + part;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct host *h = calloc(1, sizeof(*h));
	struct buffer shown = { 0 };

	h->link.context = h->requests.context = h;
	h->link.on_data = on_data;
	h->link.on_name = on_name;
	h->link.on_text = on_text;
	h->requests.send = send_line;
	h->requests.on_line = on_line;
	h->view.log_symbols.folder = strdup("/nonexistent");
	h->view.text_symbols.folder = strdup("/nonexistent");
	requests_add(&h->requests, 1, "ps");
	requests_tick(&h->requests, 1, true);
	link_receive(&h->link, data, size / 2);
	feed_framed(h, data, size);
	scroll_replay(&h->view.channel[MUX_CH_FIRST_VM].scroll, SCROLL_KEEP, &shown);
	replay_add(&shown, data, size);
	buffer_free(&shown);
	view_finish(&h->view);
	view_free(&h->view);
	link_free(&h->link);
	buffer_free(&h->requests.line);
	free(h);
	return 0;
}
