/* Framing: $data#checksum, acknowledgements, escapes, hexadecimal. */
#include "gdb_impl.h"

#define ESCAPE '}'
#define ESCAPE_BIT 0x20u
#define INTERRUPT 0x03
#define RESENDS 3u

static int digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* --- what arrives --- */

static void send_byte(struct gdb *g, char c)
{
	g->target->send(g->target->opaque, &c, 1);
}

static void resend(struct gdb *g)
{
	if (g->no_ack || g->out_fill == 0 || g->resent == RESENDS)
		return;
	g->resent++;
	g->target->send(g->target->opaque, g->out, g->out_fill);
}

static void complete(struct gdb *g)
{
	bool good = g->sum == g->sum_said;

	g->state = GDB_RX_IDLE;
	g->at = 0;
	/* The one packet that a new client sends before all others. */
	if (good && gdb_take_word(g, "qSupported"))
		g->no_ack = false;
	g->at = 0;
	if (!g->no_ack)
		send_byte(g, good ? '+' : '-');
	if (good && g->too_long)
		gdb_say(g, "E.packet too long");
	else if (good)
		gdb_packet(g);
}

static void between(struct gdb *g, uint8_t byte)
{
	switch (byte) {
	case '$':
		g->state = GDB_RX_DATA;
		g->fill = 0;
		g->sum = 0;
		g->too_long = false;
		break;
	case '-':
		resend(g);
		break;
	case INTERRUPT:
		gdb_interrupt(g);
		break;
	default: /* '+', and whatever does not belong here */
		break;
	}
}

static void data(struct gdb *g, uint8_t byte)
{
	if (byte == '$') { /* never within a packet: this one was cut */
		between(g, byte);
		return;
	}
	if (byte == '#') {
		g->in[g->fill] = '\0';
		g->state = GDB_RX_SUM1;
		return;
	}
	g->sum = (uint8_t)(g->sum + byte);
	if (g->fill == GDB_PACKET)
		g->too_long = true;
	else
		g->in[g->fill++] = byte;
}

/* One of its two digits, or -1. */
static void checksum(struct gdb *g, int value)
{
	bool first = g->state == GDB_RX_SUM1;

	g->state = value >= 0 && first ? GDB_RX_SUM2 : GDB_RX_IDLE;
	if (value < 0)
		return;
	g->sum_said = (uint8_t)(g->sum_said << 4 | value);
	if (!first)
		complete(g);
}

static void receive(struct gdb *g, uint8_t byte)
{
	switch (g->state) {
	case GDB_RX_IDLE:
		between(g, byte);
		break;
	case GDB_RX_DATA:
		data(g, byte);
		break;
	default:
		checksum(g, digit(byte));
		break;
	}
}

void gdb_receive(struct gdb *g, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		receive(g, bytes[i]);
}

int gdb_next(struct gdb *g)
{
	return g->at < g->fill ? g->in[g->at++] : -1;
}

bool gdb_at_end(const struct gdb *g)
{
	return g->at >= g->fill;
}

bool gdb_take(struct gdb *g, char c)
{
	if (gdb_at_end(g) || g->in[g->at] != (uint8_t)c)
		return false;
	g->at++;
	return true;
}

bool gdb_take_word(struct gdb *g, const char *word)
{
	unsigned n = 0;

	for (; word[n] != '\0'; n++) {
		if (g->at + n >= g->fill || g->in[g->at + n] != (uint8_t)word[n])
			return false;
	}
	g->at += n;
	return true;
}

bool gdb_take_number(struct gdb *g, uint64_t *value)
{
	unsigned n = 0;

	*value = 0;
	for (; g->at < g->fill && n < 16 && digit(g->in[g->at]) >= 0; n++)
		*value = *value << 4 | (unsigned)digit(g->in[g->at++]);
	return n > 0;
}

bool gdb_take_byte(struct gdb *g, uint8_t *byte)
{
	int high = digit(gdb_next(g)), low = digit(gdb_next(g));

	*byte = 0;
	if (high < 0 || low < 0)
		return false;
	*byte = (uint8_t)(high << 4 | low);
	return true;
}

bool gdb_take_binary(struct gdb *g, uint8_t *byte)
{
	int c = gdb_next(g);

	if (c == ESCAPE) {
		c = gdb_next(g);
		*byte = (uint8_t)((unsigned)c ^ ESCAPE_BIT);
	} else {
		*byte = (uint8_t)c;
	}
	return c >= 0;
}

/* --- what is sent --- */

void gdb_begin(struct gdb *g)
{
	g->out[0] = '$';
	g->out_fill = 1;
}

unsigned gdb_room(const struct gdb *g)
{
	return GDB_PACKET + 1 - g->out_fill;
}

void gdb_put(struct gdb *g, char c)
{
	if (gdb_room(g) > 0)
		g->out[g->out_fill++] = (uint8_t)c;
}

void gdb_put_text(struct gdb *g, const char *text)
{
	while (*text != '\0')
		gdb_put(g, *text++);
}

void gdb_put_byte(struct gdb *g, uint8_t byte)
{
	static const char digits[] = "0123456789abcdef";

	gdb_put(g, digits[byte >> 4]);
	gdb_put(g, digits[byte & 15]);
}

void gdb_put_number(struct gdb *g, uint64_t value)
{
	unsigned shift = 56;

	while (shift > 0 && value >> shift == 0)
		shift -= 8;
	for (;; shift -= 8) {
		gdb_put_byte(g, (uint8_t)(value >> shift));
		if (shift == 0)
			return;
	}
}

void gdb_put_binary(struct gdb *g, uint8_t byte)
{
	if (byte == '$' || byte == '#' || byte == '}' || byte == '*') {
		gdb_put(g, ESCAPE);
		byte ^= ESCAPE_BIT;
	}
	gdb_put(g, (char)byte);
}

void gdb_end(struct gdb *g)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t sum = 0;

	for (unsigned i = 1; i < g->out_fill; i++)
		sum = (uint8_t)(sum + g->out[i]);
	g->out[g->out_fill++] = '#';
	g->out[g->out_fill++] = (uint8_t)digits[sum >> 4];
	g->out[g->out_fill++] = (uint8_t)digits[sum & 15];
	g->resent = 0;
	g->target->send(g->target->opaque, g->out, g->out_fill);
}

void gdb_say(struct gdb *g, const char *text)
{
	gdb_begin(g);
	gdb_put_text(g, text);
	gdb_end(g);
}
