#include "link.h"

#include <string.h>

/* Grant credit anew when that much was used: few frames, no stall. */
#define GRANT_AT (MUX_INITIAL_CREDIT / 2)

/* What a line of the control channel begins with in plain mode. */
static const char control_line[] = "control| ";

static void put_frame(struct link *link, enum mux_type type, unsigned channel,
		      const void *payload, size_t size)
{
	uint8_t frame[MUX_MAX_FRAME];
	size_t n = mux_encode(frame, type, (uint8_t)channel, payload, size);

	buffer_append(&link->out, frame, n);
}

static void send_waiting(struct link *link, unsigned channel)
{
	struct link_channel *c = &link->channel[channel];

	while (c->waiting.size > 0 && c->credit > 0) {
		size_t n = c->waiting.size;

		if (n > c->credit)
			n = c->credit;
		if (n > MUX_MAX_PAYLOAD)
			n = MUX_MAX_PAYLOAD;
		put_frame(link, MUX_DATA, channel, c->waiting.data, n);
		buffer_drop(&c->waiting, n);
		c->credit -= (uint32_t)n;
	}
}

static void got_hello(struct link *link)
{
	/* Each of our greetings has its answer: the first one counts. */
	const bool anew = !link->framed;

	link->framed = true;
	/* Another serial server has these channels only when it is told so, and names them then. */
	if (anew) {
		link->channel[MUX_CH_CONTROL].name[0] = '\0';
		link->channel[MUX_CH_SHELL].name[0] = '\0';
	}
	if (anew && link->on_hello)
		link->on_hello(link->context);
	for (unsigned i = 0; i < MUX_CHANNELS; i++) {
		link->channel[i].credit = MUX_INITIAL_CREDIT;
		link->channel[i].taken = 0;
		send_waiting(link, i);
	}
}

static void got_name(struct link *link, const struct mux_frame *frame)
{
	struct link_channel *c = &link->channel[frame->channel];
	size_t n = frame->size < LINK_NAME - 1 ? frame->size : LINK_NAME - 1;

	for (size_t i = 0; i < n; i++) {
		uint8_t byte = frame->payload[i];

		/* It goes to a terminal: nothing but readable letters. */
		c->name[i] = byte > ' ' && byte < 0x7f ? (char)byte : '?';
	}
	c->name[n] = '\0';
	link->on_name(link->context, frame->channel);
}

static void got_data(struct link *link, const struct mux_frame *frame)
{
	struct link_channel *c = &link->channel[frame->channel];
	uint8_t grant[2];

	link->on_data(link->context, frame->channel, frame->payload,
		      frame->size);
	c->taken += frame->size;
	if (c->taken < GRANT_AT)
		return;
	grant[0] = (uint8_t)c->taken;
	grant[1] = (uint8_t)(c->taken >> 8);
	c->taken = 0;
	put_frame(link, MUX_CREDIT, frame->channel, grant, sizeof(grant));
}

static void got_credit(struct link *link, const struct mux_frame *frame)
{
	struct link_channel *c = &link->channel[frame->channel];

	if (frame->size != 2)
		return;
	c->credit += (uint32_t)frame->payload[0] |
		     (uint32_t)frame->payload[1] << 8;
	if (c->credit > LINK_WAITING_MAX)
		c->credit = LINK_WAITING_MAX;
	send_waiting(link, frame->channel);
}

static void got_frame(struct link *link, const struct mux_frame *frame)
{
	if (frame->channel >= MUX_CHANNELS)
		return;
	switch (frame->type) {
	case MUX_HELLO:
		got_hello(link);
		return;
	case MUX_NAME:
		got_name(link, frame);
		return;
	case MUX_DATA:
		got_data(link, frame);
		return;
	case MUX_CREDIT:
		got_credit(link, frame);
		return;
	default:
		return;
	}
}

static void put_text(struct link *link, const void *text, size_t size)
{
	if (size > 0)
		link->on_text(link->context, text, size);
}

/* Half of the control channel's name was taken for its start. */
static void release_text(struct link *link)
{
	if (link->text_at >= LINK_IN_ANSWER)
		return;
	put_text(link, control_line, link->text_at);
	link->text_at = link->text_at > 0 ? LINK_IN_LINE : 0;
}

static void text_byte(struct link *link, const uint8_t *byte)
{
	if (link->text_at < LINK_IN_ANSWER) {
		if (*byte == (uint8_t)control_line[link->text_at]) {
			if (control_line[++link->text_at] == '\0')
				link->text_at = LINK_IN_ANSWER;
			return;
		}
		release_text(link);
	}
	if (link->text_at == LINK_IN_ANSWER)
		link->on_data(link->context, MUX_CH_CONTROL, byte, 1);
	else
		put_text(link, byte, 1);
	link->text_at = *byte == '\n' ? 0 : LINK_IN_LINE - (link->text_at == LINK_IN_ANSWER);
}

/* A serial server that was started again speaks plainly until it is greeted: answers too. What is
 * no answer is given on in one piece, as far as it goes. */
static void got_text(struct link *link, const uint8_t *text, size_t size)
{
	for (size_t i = 0; i < size;) {
		size_t n = 0;

		while (link->text_at == LINK_IN_LINE && i + n < size && text[i + n] != '\n')
			n++;
		put_text(link, text + i, n);
		i += n;
		if (i < size)
			text_byte(link, &text[i++]);
	}
}

void link_receive(struct link *link, const uint8_t *data, size_t size)
{
	struct mux_frame frame;
	uint8_t text[MUX_MAX_FRAME];
	size_t text_size;

	for (size_t i = 0; i < size; i++) {
		switch (mux_decode(&link->decoder, data[i], &frame, text,
				   &text_size)) {
		case MUX_FRAME:
			got_frame(link, &frame);
			break;
		case MUX_TEXT:
			/* The serial server may have started anew, in plain
			 * mode; one that has not bears a second greeting. */
			link->framed = false;
			got_text(link, text, text_size);
			break;
		case MUX_MORE:
			break;
		}
	}
}

void link_send(struct link *link, unsigned channel, const void *data,
	       size_t size)
{
	struct link_channel *c = &link->channel[channel];
	size_t room = LINK_WAITING_MAX - c->waiting.size;

	buffer_append(&c->waiting, data, size < room ? size : room);
	if (link->framed)
		send_waiting(link, channel);
}

size_t link_room(const struct link *link, unsigned channel)
{
	size_t waiting = link->channel[channel].waiting.size;

	/* There soon. Others are gone when they have no name. */
	if (channel == MUX_CH_SHELL && link->channel[channel].name[0] == '\0')
		return 0;
	return waiting < LINK_WAITING_MAX / 2 ? LINK_WAITING_MAX / 2 - waiting : 0;
}

void link_tick(struct link *link, uint64_t now_ms)
{
	uint8_t text[MUX_MAX_FRAME];
	size_t n = mux_decoder_flush(&link->decoder, text);

	if (n > 0)
		got_text(link, text, n);
	if (link->framed || now_ms < link->next_hello_ms)
		return;
	/* Not more than one unread greeting: they would pile up in the
	 * target's receive FIFO while it boots. */
	if (link->out.size == 0)
		buffer_append(&link->out, MUX_HELLO_HOST,
			      strlen(MUX_HELLO_HOST));
	link->next_hello_ms = now_ms + LINK_HELLO_EVERY_MS;
}

bool link_takes_requests(const struct link *link)
{
	return link->framed && link->channel[MUX_CH_CONTROL].name[0] != '\0';
}

int link_find(const struct link *link, const char *name)
{
	for (int i = 0; i < MUX_CHANNELS; i++) {
		if (link->channel[i].name[0] &&
		    strcmp(link->channel[i].name, name) == 0)
			return i;
	}
	return -1;
}

void link_free(struct link *link)
{
	for (unsigned i = 0; i < MUX_CHANNELS; i++)
		buffer_free(&link->channel[i].waiting);
	buffer_free(&link->out);
}
