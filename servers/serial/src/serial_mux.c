#include "internal.h"

#include <selvage/base.h>
#include <selvage/fmt.h>
#include <string.h>

void serial_mux_init(struct serial_mux *m)
{
	memset(m, 0, sizeof(*m));
	m->focus = SERIAL_NO_CHANNEL;
	m->line_owner = SERIAL_NO_CHANNEL;
	mux_decoder_reset(&m->decoder);
}

uint32_t mux_tx_room(const struct serial_mux *m)
{
	return SERIAL_TX_SIZE - (m->tx_head - m->tx_tail);
}

void mux_tx_put(struct serial_mux *m, const void *bytes, uint32_t n)
{
	const uint8_t *from = bytes;

	n = min_u32(n, mux_tx_room(m));
	for (uint32_t i = 0; i < n; i++)
		m->tx[m->tx_head++ % SERIAL_TX_SIZE] = from[i];
}

uint32_t serial_mux_tx(struct serial_mux *m, uint8_t *bytes, uint32_t n)
{
	n = min_u32(n, m->tx_head - m->tx_tail);
	for (uint32_t i = 0; i < n; i++)
		bytes[i] = m->tx[m->tx_tail++ % SERIAL_TX_SIZE];
	return n;
}

bool serial_mux_tx_waits(const struct serial_mux *m)
{
	return m->tx_head != m->tx_tail;
}

void mux_notify(struct serial_mux *m, uint32_t channel)
{
	m->notify[channel / 64] |= bit_u64(channel % 64);
}

int serial_mux_take_notify(struct serial_mux *m)
{
	for (uint32_t w = 0; w < ARRAY_SIZE(m->notify); w++) {
		if (m->notify[w]) {
			unsigned bit = bit_lowest_u64(m->notify[w]);

			m->notify[w] &= m->notify[w] - 1;
			return (int)(w * 64 + bit);
		}
	}
	return SERIAL_NO_CHANNEL;
}

/* A client that finds its ring full waits for a signal. The ring was more
 * than half full then; once it is down to a quarter the signal is due. */
uint32_t mux_take_output(struct serial_mux *m, uint32_t channel, void *bytes,
			 uint32_t n)
{
	struct serial_channel *c = &m->channel[channel];
	uint32_t waiting = ring_waiting(&c->out);
	uint32_t got;

	if (!waiting)
		return 0;
	if (waiting > CHANNEL_OUT_SIZE / 2)
		c->starved = true;
	got = ring_get(&c->out, bytes, n);
	if (c->starved && waiting - min_u32(got, waiting) <=
				  CHANNEL_OUT_SIZE / 4) {
		c->starved = false;
		mux_notify(m, channel);
	}
	return got;
}

void mux_give_input(struct serial_mux *m, int32_t channel, const void *bytes,
		    uint32_t n)
{
	uint32_t put = 0;

	if (channel >= 0 && m->channel[channel].used) {
		put = ring_put(&m->channel[channel].in, bytes, n);
		mux_notify(m, (uint32_t)channel);
	}
	m->stats.dropped_in += n - put;
}

bool serial_mux_add(struct serial_mux *m, uint64_t channel, const char *name,
		    void *pages)
{
	struct serial_channel *c;
	char *base = pages;

	if (channel >= MUX_CHANNELS || m->channel[channel].used)
		return false;
	c = &m->channel[channel];
	memset(c, 0, sizeof(*c));
	c->used = true;
	c->name_due = m->mode == SERIAL_FRAMED;
	fmt_print(c->name, sizeof(c->name), "%s", name);
	ring_attach(&c->out, base + CHANNEL_OUT_OFFSET, CHANNEL_OUT_SIZE,
		    false);
	ring_attach(&c->in, base + CHANNEL_IN_OFFSET, CHANNEL_IN_SIZE, true);
	c->tx_credit = MUX_INITIAL_CREDIT;
	c->rx_credit = MUX_INITIAL_CREDIT;
	if (channel >= m->top)
		m->top = (uint32_t)channel + 1;
	if (m->focus == SERIAL_NO_CHANNEL && channel >= MUX_CH_FIRST_VM &&
	    channel < MUX_CH_FIRST_DEBUG)
		m->focus = (int32_t)channel;
	return true;
}

bool serial_mux_remove(struct serial_mux *m, uint64_t channel)
{
	struct serial_channel *c;

	if (channel >= MUX_CHANNELS || !m->channel[channel].used)
		return false;
	c = &m->channel[channel];
	if (m->mode == SERIAL_PLAIN)
		plain_close_line(m, (uint32_t)channel);
	c->used = false;
	c->name_due = m->mode == SERIAL_FRAMED;
	m->notify[channel / 64] &= ~bit_u64(channel % 64);
	if (m->focus == (int32_t)channel)
		plain_next_focus(m);
	return true;
}

void mux_enter_framed(struct serial_mux *m)
{
	if (m->line_owner != SERIAL_NO_CHANNEL)
		mux_tx_put(m, "\r\n", 2);
	m->line_owner = SERIAL_NO_CHANNEL;
	m->mode = SERIAL_FRAMED;
	m->hello_due = true;
	m->hello_match = 0;
	m->frame_start = true;
	mux_decoder_reset(&m->decoder);
	for (uint32_t i = 0; i < m->top; i++) {
		struct serial_channel *c = &m->channel[i];

		c->name_due = c->used;
		c->tx_credit = MUX_INITIAL_CREDIT;
		c->rx_credit = MUX_INITIAL_CREDIT;
	}
}

void mux_enter_plain(struct serial_mux *m)
{
	m->mode = SERIAL_PLAIN;
	m->hello_due = false;
	m->hello_match = 0;
	for (uint32_t i = 0; i < m->top; i++) {
		struct serial_channel *c = &m->channel[i];

		c->name_due = false;
		c->fill = 0;
		c->shown = 0;
		c->pending_cr = false;
	}
}

void serial_mux_rx(struct serial_mux *m, uint8_t byte)
{
	if (m->mode == SERIAL_FRAMED)
		framed_rx(m, byte);
	else
		plain_rx(m, byte);
}

static bool turn(struct serial_mux *m, uint32_t channel)
{
	return m->mode == SERIAL_FRAMED ? framed_turn(m, channel)
					: plain_turn(m, channel);
}

static uint32_t turn_room(const struct serial_mux *m)
{
	return m->mode == SERIAL_FRAMED ? framed_turn_room()
					: plain_turn_room();
}

/*
 * Every turn that moves something takes wire room or, where a line only
 * grows, bytes out of a ring; clients fill rings while this waits for more
 * time, and `passes` bounds it.
 */
bool serial_mux_pump(struct serial_mux *m)
{
	uint32_t idle = 0;
	uint32_t passes = MUX_CHANNELS * (CHANNEL_OUT_SIZE / SERIAL_TURN_PLAIN);

	if (m->mode == SERIAL_FRAMED && mux_tx_room(m) >= framed_turn_room())
		framed_hello(m);
	while (idle < m->top && passes-- && mux_tx_room(m) >= turn_room(m)) {
		if (m->turn >= m->top)
			m->turn = 0;
		idle = turn(m, m->turn) ? 0 : idle + 1;
		m->turn++;
	}
	return idle < m->top;
}

bool serial_mux_wants_tick(const struct serial_mux *m)
{
	if (m->mode != SERIAL_PLAIN || m->eager)
		return false;
	if (m->hello_acted < m->hello_match)
		return true;
	for (uint32_t i = 0; i < m->top; i++) {
		if (m->channel[i].used &&
		    m->channel[i].fill > m->channel[i].shown)
			return true;
	}
	return false;
}

void serial_mux_tick(struct serial_mux *m)
{
	if (m->mode == SERIAL_PLAIN)
		plain_tick(m);
}
