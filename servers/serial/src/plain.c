/*
 * Plain mode: every channel's output a line at a time, "name| text". A line
 * without its end shows at once for the console in focus, else when its
 * channel has been quiet for a tick; when another channel's line has cut it,
 * it is shown again from its start.
 */
#include "internal.h"

#include <selvage/base.h>
#include <string.h>

#define PREFIX_MAX (PROC_NAME + 1) /* "name| " */

/* Each byte may be a newline (prefix, CR LF); before them an unfinished line
 * of another channel is cut and an own one shown again. */
uint32_t plain_turn_room(void)
{
	return SERIAL_TURN_PLAIN * (PREFIX_MAX + 2) + 2 * (SERIAL_LINE + 2) +
	       2 * PREFIX_MAX;
}

static void put_prefix(struct serial_mux *m, const struct serial_channel *c)
{
	mux_tx_put(m, c->name, (uint32_t)strlen(c->name));
	mux_tx_put(m, "| ", 2);
}

static void cut_line(struct serial_mux *m)
{
	if (m->line_owner != SERIAL_NO_CHANNEL)
		mux_tx_put(m, "\r\n", 2);
	m->line_owner = SERIAL_NO_CHANNEL;
}

/* Makes the wire's last line the channel's line, as far as it is known. */
static void show(struct serial_mux *m, uint32_t channel)
{
	struct serial_channel *c = &m->channel[channel];

	if (m->line_owner != (int32_t)channel) {
		cut_line(m);
		put_prefix(m, c);
		m->line_owner = (int32_t)channel;
		c->shown = 0;
	}
	mux_tx_put(m, c->line + c->shown, c->fill - c->shown);
	c->shown = c->fill;
}

static void end_line(struct serial_mux *m, uint32_t channel)
{
	struct serial_channel *c = &m->channel[channel];

	show(m, channel);
	cut_line(m);
	c->fill = 0;
	c->shown = 0;
}

static void add_char(struct serial_mux *m, uint32_t channel, char byte)
{
	struct serial_channel *c = &m->channel[channel];

	if (c->fill == SERIAL_LINE) {
		show(m, channel);
		c->fill = 0;
		c->shown = 0;
	}
	c->line[c->fill++] = byte;
}

/* CR LF is a line's end, a CR alone goes through. Zero bytes do not: they
 * would let a guest forge frames for a host that listens. */
static void output_byte(struct serial_mux *m, uint32_t channel, char byte)
{
	struct serial_channel *c = &m->channel[channel];
	bool cr = c->pending_cr;

	c->pending_cr = byte == '\r';
	if (byte == '\n') {
		end_line(m, channel);
		return;
	}
	if (cr)
		add_char(m, channel, '\r');
	if (byte != '\r' && byte != '\0')
		add_char(m, channel, byte);
}

bool plain_turn(struct serial_mux *m, uint32_t channel)
{
	struct serial_channel *c = &m->channel[channel];
	char bytes[SERIAL_TURN_PLAIN];
	uint32_t n;

	if (!c->used || mux_is_debug(channel))
		return false; /* a debugger's bytes are nothing for people */
	n = mux_take_output(m, channel, bytes, sizeof(bytes));
	for (uint32_t i = 0; i < n; i++)
		output_byte(m, channel, bytes[i]);
	if (n)
		c->touched = true;
	if (c->fill > c->shown &&
	    (m->eager || m->focus == (int32_t)channel))
		show(m, channel);
	return n > 0;
}

void plain_close_line(struct serial_mux *m, uint32_t channel)
{
	struct serial_channel *c = &m->channel[channel];

	if (c->fill > c->shown)
		show(m, channel);
	if (m->line_owner == (int32_t)channel)
		cut_line(m);
	c->fill = 0;
	c->shown = 0;
}

static bool is_console(const struct serial_mux *m, uint32_t channel)
{
	return mux_is_console(channel) && m->channel[channel].used;
}

void plain_next_focus(struct serial_mux *m)
{
	uint32_t from = m->focus < 0 ? 0 : (uint32_t)m->focus;

	m->focus = SERIAL_NO_CHANNEL;
	for (uint32_t i = 1; i <= MUX_CHANNELS; i++) {
		uint32_t channel = (from + i) % MUX_CHANNELS;

		if (is_console(m, channel)) {
			m->focus = (int32_t)channel;
			return;
		}
	}
}

static void announce_focus(struct serial_mux *m)
{
	static const char text[] = "serial| input goes to ";
	const struct serial_channel *c;

	if (m->focus == SERIAL_NO_CHANNEL || mux_tx_room(m) < plain_turn_room())
		return;
	c = &m->channel[m->focus];
	cut_line(m);
	mux_tx_put(m, text, sizeof(text) - 1);
	mux_tx_put(m, c->name, (uint32_t)strlen(c->name));
	mux_tx_put(m, "\r\n", 2);
	if (c->fill)
		show(m, (uint32_t)m->focus);
}

static void input_byte(struct serial_mux *m, uint8_t byte)
{
	if (byte == SERIAL_ESCAPE) {
		plain_next_focus(m);
		announce_focus(m);
	} else if (byte != 0) {
		mux_give_input(m, m->focus, &byte, 1);
	}
}

/* What looked like the start of MUX_HELLO_HOST is input after all. */
static void act_on_held(struct serial_mux *m, uint32_t upto)
{
	while (m->hello_acted < upto)
		input_byte(m, (uint8_t)MUX_HELLO_HOST[m->hello_acted++]);
}

static void give_up_hello(struct serial_mux *m)
{
	act_on_held(m, m->hello_match);
	m->hello_match = 0;
	m->hello_acted = 0;
}

static void hello_complete(struct serial_mux *m)
{
	if (m->hello_acted)
		m->focus = m->hello_focus;
	m->hello_acted = 0;
	mux_enter_framed(m);
}

/*
 * The host's hello begins with the key that moves the focus, so bytes that
 * match it are held until they cannot be it any more, or until a tick: then
 * they take effect, and the focus goes back if it was the hello after all.
 */
void plain_rx(struct serial_mux *m, uint8_t byte)
{
	if (m->hello_match == 2 && byte == SERIAL_ESCAPE) {
		/* The last two of three may be its start. */
		if (m->hello_acted) {
			m->hello_acted--;
		} else {
			input_byte(m, byte);
			m->hello_focus = m->focus;
		}
		return;
	}
	if (m->hello_match == 1 && byte == (uint8_t)MUX_HELLO_HOST[2]) {
		/* A UART drops what it holds when its FIFO is switched on, so
		 * one escape is enough: as if one more had been acted on. */
		m->hello_match++;
		m->hello_acted++;
	}
	if (byte != (uint8_t)MUX_HELLO_HOST[m->hello_match])
		give_up_hello(m);
	if (byte != (uint8_t)MUX_HELLO_HOST[m->hello_match]) {
		input_byte(m, byte);
		return;
	}
	if (m->hello_match++ == 0)
		m->hello_focus = m->focus;
	if (m->hello_match == sizeof(MUX_HELLO_HOST) - 1)
		hello_complete(m);
	else if (m->eager)
		act_on_held(m, m->hello_match);
}

void plain_tick(struct serial_mux *m)
{
	act_on_held(m, m->hello_match);
	for (uint32_t i = 0; i < m->top; i++) {
		struct serial_channel *c = &m->channel[i];

		if (mux_tx_room(m) < plain_turn_room())
			return;
		if (c->used && c->fill > c->shown && !c->touched)
			show(m, i);
		c->touched = false;
	}
}
