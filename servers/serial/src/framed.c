/* Framed mode: frames of <selvage/mux.h> both ways, with credits. */
#include "internal.h"

#include <selvage/base.h>
#include <string.h>

uint32_t framed_turn_room(void)
{
	/* At most a NAME, a CREDIT and a DATA frame. */
	return 3 * MUX_MAX_FRAME;
}

static void put_frame(struct serial_mux *m, enum mux_type type,
		      uint32_t channel, const void *payload, size_t size)
{
	uint8_t wire[MUX_MAX_FRAME];
	size_t n = mux_encode(wire, type, (uint8_t)channel, payload, size);

	mux_tx_put(m, wire, (uint32_t)n);
}

bool framed_hello(struct serial_mux *m)
{
	static const uint8_t payload[2] = { MUX_VERSION, MUX_CHANNELS };

	if (!m->hello_due)
		return false;
	m->hello_due = false;
	put_frame(m, MUX_HELLO, MUX_CH_CONTROL, payload, sizeof(payload));
	return true;
}

/* An empty name says that the channel is gone. */
static bool send_name(struct serial_mux *m, uint32_t channel)
{
	struct serial_channel *c = &m->channel[channel];

	if (!c->name_due)
		return false;
	c->name_due = false;
	put_frame(m, MUX_NAME, channel, c->name,
		  c->used ? strlen(c->name) : 0);
	return true;
}

/* The host may send as much as the client's ring has room for; what it may
 * already send is part of that. */
static bool send_credit(struct serial_mux *m, uint32_t channel)
{
	struct serial_channel *c = &m->channel[channel];
	uint32_t room = ring_room(&c->in);
	uint8_t payload[2];

	if (room < c->rx_credit + SERIAL_CREDIT_STEP)
		return false;
	store_le16(payload, (uint16_t)(room - c->rx_credit));
	c->rx_credit = room;
	put_frame(m, MUX_CREDIT, channel, payload, sizeof(payload));
	return true;
}

/* What is left of a line from plain mode, then the channel's output. */
static uint32_t take_data(struct serial_mux *m, uint32_t channel,
			  uint8_t *bytes, uint32_t n)
{
	struct serial_channel *c = &m->channel[channel];
	uint32_t kept = min_u32(c->fill, n);

	if (!kept)
		return mux_take_output(m, channel, bytes, n);
	memcpy(bytes, c->line, kept);
	memmove(c->line, c->line + kept, c->fill - kept);
	c->fill -= kept;
	c->shown = 0;
	return kept;
}

static bool send_data(struct serial_mux *m, uint32_t channel)
{
	struct serial_channel *c = &m->channel[channel];
	uint8_t bytes[SERIAL_TURN_FRAMED];
	uint32_t n = min_u32(c->tx_credit, sizeof(bytes));

	n = n ? take_data(m, channel, bytes, n) : 0;
	if (!n)
		return false;
	c->tx_credit -= n;
	put_frame(m, MUX_DATA, channel, bytes, n);
	return true;
}

bool framed_turn(struct serial_mux *m, uint32_t channel)
{
	bool moved = send_name(m, channel);

	if (m->channel[channel].used) {
		moved |= send_credit(m, channel);
		moved |= send_data(m, channel);
	}
	return moved;
}

static void rx_data(struct serial_mux *m, const struct mux_frame *f)
{
	struct serial_channel *c = &m->channel[f->channel];
	uint32_t n = min_u32(f->size, c->rx_credit);

	c->rx_credit -= n;
	m->stats.dropped_in += f->size - n;
	mux_give_input(m, f->channel, f->payload, n);
}

static void rx_credit(struct serial_mux *m, const struct mux_frame *f)
{
	struct serial_channel *c = &m->channel[f->channel];

	if (f->size != 2) {
		m->stats.bad_frames++;
		return;
	}
	c->tx_credit = min_u32(c->tx_credit + load_le16(f->payload),
			       SERIAL_CREDIT_MAX);
}

static void rx_frame(struct serial_mux *m, const struct mux_frame *f)
{
	if (f->type == MUX_BYE) {
		mux_enter_plain(m);
		return;
	}
	if (f->channel >= MUX_CHANNELS || !m->channel[f->channel].used) {
		m->stats.bad_frames++;
		return;
	}
	if (f->type == MUX_DATA)
		rx_data(m, f);
	else if (f->type == MUX_CREDIT)
		rx_credit(m, f);
	else
		m->stats.bad_frames++;
}

/*
 * A host that starts anew says hello while framed mode is on. Only right
 * after a frame's end: no frame starts with these bytes (their type would be
 * 0x1d), so a hello in some channel's data does not count.
 */
static bool rx_hello(struct serial_mux *m, uint8_t byte)
{
	if (byte == 0) {
		m->frame_start = true;
		m->hello_match = 0;
		return false;
	}
	if (!m->frame_start || byte != (uint8_t)MUX_HELLO_HOST[m->hello_match]) {
		m->frame_start = false;
		return false;
	}
	return ++m->hello_match == sizeof(MUX_HELLO_HOST) - 1;
}

void framed_rx(struct serial_mux *m, uint8_t byte)
{
	uint8_t text[MUX_MAX_FRAME];
	struct mux_frame frame;
	size_t text_size;

	if (rx_hello(m, byte)) {
		mux_enter_framed(m);
		return;
	}
	switch (mux_decode(&m->decoder, byte, &frame, text, &text_size)) {
	case MUX_FRAME:
		rx_frame(m, &frame);
		break;
	case MUX_TEXT:
		m->stats.bad_frames++;
		break;
	case MUX_MORE:
		break;
	}
}
