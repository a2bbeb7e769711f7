#include "gdb_packet.h"

#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diag.h"

/* --- packets --- */

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

size_t gdb_parse_hex(const char *text, uint8_t *bytes, size_t room)
{
	size_t n = 0;

	while (n < room && digit(text[0]) >= 0 && digit(text[1]) >= 0) {
		bytes[n++] = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
		text += 2;
	}
	return n;
}

void gdb_append_hex(struct buffer *out, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	char text[3];

	for (size_t i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "%02x", p[i]);
		buffer_append(out, text, 2);
	}
}

static uint8_t sum_of(const uint8_t *p, size_t n)
{
	unsigned sum = 0;

	while (n--)
		sum += *p++;
	return (uint8_t)sum;
}

void gdb_make(struct buffer *out, const void *content, size_t n)
{
	const uint8_t *p = content;
	size_t begin;
	uint8_t sum;

	buffer_append(out, "$", 1);
	begin = out->size;
	for (size_t i = 0; i < n; i++) {
		const char escaped[2] = { '}', (char)(p[i] ^ 0x20) };

		if (p[i] == '$' || p[i] == '#' || p[i] == '}' || p[i] == '*')
			buffer_append(out, escaped, 2);
		else
			buffer_append(out, &p[i], 1);
	}
	sum = sum_of(out->data + begin, out->size - begin);
	buffer_append(out, "#", 1);
	gdb_append_hex(out, &sum, 1);
}

/* Undoes escapes and run lengths. */
static void unpack(const uint8_t *p, size_t n, struct buffer *packet)
{
	packet->size = 0;
	for (size_t i = 0; i < n && packet->size < GDB_PACKET_MAX; i++) {
		if (p[i] == '}' && i + 1 < n) {
			const uint8_t byte = p[++i] ^ 0x20;

			buffer_append(packet, &byte, 1);
		} else if (p[i] == '*' && i + 1 < n && packet->size > 0) {
			const uint8_t byte = packet->data[packet->size - 1];

			for (int count = p[++i] - 29; count > 0; count--)
				buffer_append(packet, &byte, 1);
		} else {
			buffer_append(packet, &p[i], 1);
		}
	}
	buffer_append(packet, "", 1);
	packet->size--;
}

static enum gdb_taken take_packet(struct buffer *in, struct buffer *packet)
{
	const uint8_t *begin = in->data + 1;
	const uint8_t *end = memchr(begin, '#', in->size - 1);
	uint8_t sum;
	char text[3] = "";
	bool good;

	if (!end || (size_t)(end - in->data) + 3 > in->size) {
		if (in->size <= GDB_PACKET_MAX)
			return GDB_NOTHING;
		in->size = 0;
		return GDB_DAMAGED;
	}
	memcpy(text, end + 1, 2);
	good = gdb_parse_hex(text, &sum, 1) == 1 && sum == sum_of(begin, (size_t)(end - begin));
	if (good)
		unpack(begin, (size_t)(end - begin), packet);
	buffer_drop(in, (size_t)(end - in->data) + 3);
	return good ? GDB_PACKET : GDB_DAMAGED;
}

enum gdb_taken gdb_take(struct buffer *in, struct buffer *packet)
{
	while (in->size > 0) {
		uint8_t first = in->data[0];

		if (first == '$')
			return take_packet(in, packet);
		buffer_drop(in, 1);
		if (first == '+')
			return GDB_ACK;
		if (first == '-')
			return GDB_NACK;
	}
	return GDB_NOTHING;
}

/* --- the target's description --- */

struct annex {
	struct gdb_target *target;
	bool in_architecture;
};

static const char *attribute(const char *const *list, const char *name)
{
	for (; list[0]; list += 2) {
		if (strcmp(list[0], name) == 0)
			return list[1];
	}
	return NULL;
}

static void add_reg(struct gdb_target *t, const char *name, const char *bits, const char *number)
{
	struct gdb_reg *reg;
	unsigned long value = number ? strtoul(number, NULL, 10) : t->next;

	if (!name || !bits || t->n == GDB_REGS_MAX || strlen(name) >= sizeof(reg->name) ||
	    value > 0xffff)
		return;
	reg = realloc(t->reg, (t->n + 1) * sizeof(*reg));
	if (!reg) {
		diag_error("out of memory");
		exit(1);
	}
	t->reg = reg;
	reg += t->n++;
	*reg = (struct gdb_reg){ .number = (unsigned)value,
				 .bits = (unsigned)strtoul(bits, NULL, 10) & 0xffff };
	snprintf(reg->name, sizeof(reg->name), "%s", name);
	t->next = (unsigned)value + 1;
}

static void on_start(void *context, const char *tag, const char **attributes)
{
	struct annex *annex = context;
	struct gdb_target *t = annex->target;
	const char *const *list = (const char *const *)attributes;
	const char *href = attribute(list, "href");

	annex->in_architecture = strcmp(tag, "architecture") == 0;
	if (strcmp(tag, "reg") == 0)
		add_reg(t, attribute(list, "name"), attribute(list, "bitsize"),
			attribute(list, "regnum"));
	else if (strcmp(tag, "xi:include") == 0 && href && strlen(href) < sizeof(t->include[0]) &&
		 t->n_includes < sizeof(t->include) / sizeof(t->include[0]))
		snprintf(t->include[t->n_includes++], sizeof(t->include[0]), "%s", href);
}

static void on_text(void *context, const char *text, int n)
{
	struct annex *annex = context;
	char *to = annex->target->architecture;
	size_t used = strlen(to), room = sizeof(annex->target->architecture) - used;

	if (annex->in_architecture)
		snprintf(to + used, room, "%.*s", n, text);
}

static void on_end(void *context, const char *tag)
{
	struct annex *annex = context;

	(void)tag;
	annex->in_architecture = false;
}

bool gdb_parse_annex(struct gdb_target *target, const char *text, size_t n)
{
	struct annex annex = { .target = target };
	XML_Parser parser = XML_ParserCreate(NULL);
	bool good;

	if (!parser)
		return false;
	XML_SetUserData(parser, &annex);
	XML_SetElementHandler(parser, on_start, on_end);
	XML_SetCharacterDataHandler(parser, on_text);
	good = XML_Parse(parser, text, (int)n, 1) == XML_STATUS_OK;
	XML_ParserFree(parser);
	return good;
}

void gdb_target_free(struct gdb_target *target)
{
	free(target->reg);
	*target = (struct gdb_target){ 0 };
}
