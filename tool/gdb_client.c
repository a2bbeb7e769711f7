#include "gdb_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diag.h"

#define PATIENCE_MS 10000u
#define RETRIES 3u
#define CHUNK 2048u
#define ANNEX_MAX (1u << 20)
#define OUTPUT_MAX (1u << 20)

static bool wait_more(struct gdb_client *gdb)
{
	switch (wire_wait(&gdb->wire, PATIENCE_MS)) {
	case WIRE_DATA: return true;
	case WIRE_SILENT: diag_error("the GDB stub does not answer"); return false;
	case WIRE_CLOSED: diag_error("the GDB stub closed the connection"); return false;
	default: return false;
	}
}

/* The next packet, acknowledged. A stop that is announced is no answer. */
static const char *next_packet(struct gdb_client *gdb, const struct buffer *resend)
{
	unsigned retries = RETRIES;

	for (;;) {
		enum gdb_taken taken = gdb_take(&gdb->wire.in, &gdb->answer);

		if (taken == GDB_NOTHING && !wait_more(gdb))
			return NULL;
		if (taken == GDB_DAMAGED)
			(void)wire_send(&gdb->wire, "-", 1);
		if (taken == GDB_NACK && resend && retries-- > 0)
			(void)wire_send(&gdb->wire, resend->data, resend->size);
		if (taken != GDB_PACKET)
			continue;
		if (!wire_send(&gdb->wire, "+", 1))
			return NULL;
		return (const char *)gdb->answer.data;
	}
}

/* "T05thread:01;" that nobody asked for: some stubs tell at connecting that they stopped. */
static bool is_stop(const char *answer)
{
	return (answer[0] == 'T' || answer[0] == 'S') && strlen(answer) >= 3;
}

const char *gdb_client_ask(struct gdb_client *gdb, const char *packet)
{
	struct buffer out = { 0 };
	const char *answer;

	if (gdb->dead)
		return NULL;
	gdb_make(&out, packet, strlen(packet));
	if (!wire_send(&gdb->wire, out.data, out.size)) {
		diag_error("the GDB stub closed the connection");
		buffer_free(&out);
		gdb->dead = true;
		return NULL;
	}
	do {
		answer = next_packet(gdb, &out);
	} while (answer && is_stop(answer) && packet[0] != '?');
	buffer_free(&out);
	gdb->dead = !answer;
	return answer;
}

/* One annex, chunk by chunk. */
static bool read_annex(struct gdb_client *gdb, const char *name, struct buffer *text)
{
	char packet[160];

	text->size = 0;
	for (;;) {
		const char *answer;

		snprintf(packet, sizeof(packet), "qXfer:features:read:%s:%zx,%x", name, text->size,
			 CHUNK);
		answer = gdb_client_ask(gdb, packet);
		if (!answer || (answer[0] != 'm' && answer[0] != 'l') ||
		    text->size + gdb->answer.size > ANNEX_MAX)
			return false;
		buffer_append(text, answer + 1, gdb->answer.size - 1);
		if (answer[0] == 'l')
			return true;
		if (gdb->answer.size <= 1)
			return false;
	}
}

bool gdb_client_start(struct gdb_client *gdb)
{
	return gdb_client_ask(gdb, "qSupported:xmlRegisters=arm;qXfer:features:read+") != NULL;
}

bool gdb_client_describe(struct gdb_client *gdb)
{
	struct buffer text = { 0 };
	bool good = read_annex(gdb, "target.xml", &text) &&
		    gdb_parse_annex(&gdb->target, (const char *)text.data, text.size);

	/* Includes may include; the list has an end. */
	for (size_t i = 0; good && i < gdb->target.n_includes; i++)
		good = read_annex(gdb, gdb->target.include[i], &text) &&
		       gdb_parse_annex(&gdb->target, (const char *)text.data, text.size);
	buffer_free(&text);
	if (!good && !wire_signal())
		diag_error("the GDB stub has no target description that can be read");
	return good;
}

void gdb_client_close(struct gdb_client *gdb)
{
	wire_close(&gdb->wire);
	gdb_target_free(&gdb->target);
	buffer_free(&gdb->answer);
}

bool gdb_client_register(struct gdb_client *gdb, const struct gdb_reg *reg, uint64_t *value)
{
	char packet[16];
	const char *answer;
	uint8_t bytes[8];
	size_t n = reg->bits / 8;

	if (n == 0 || n > sizeof(bytes))
		return false;
	snprintf(packet, sizeof(packet), "p%x", reg->number);
	answer = gdb_client_ask(gdb, packet);
	if (!answer || gdb_parse_hex(answer, bytes, n) != n)
		return false;
	*value = 0;
	while (n-- > 0)
		*value = *value << 8 | bytes[n];
	return true;
}

bool gdb_client_memory(struct gdb_client *gdb, uint64_t address, uint8_t *bytes, size_t n)
{
	char packet[48];
	const char *answer;

	snprintf(packet, sizeof(packet), "m%llx,%zx", (unsigned long long)address, n);
	answer = gdb_client_ask(gdb, packet);
	return answer && answer[0] != 'E' && gdb_parse_hex(answer, bytes, n) == n;
}

/* Its output comes in packets `O` and hexadecimal text, or as hexadecimal text before `OK`. */
char *gdb_client_command(struct gdb_client *gdb, const char *line)
{
	struct buffer packet = { 0 }, output = { 0 };
	const char *answer;

	buffer_text(&packet, "qRcmd,");
	gdb_append_hex(&packet, line, strlen(line));
	buffer_append(&packet, "", 1);
	answer = gdb_client_ask(gdb, (const char *)packet.data);
	buffer_free(&packet);
	while (answer && *answer && strcmp(answer, "OK") != 0 && answer[0] != 'E' &&
	       output.size < OUTPUT_MAX) {
		const char *hex = answer[0] == 'O' ? answer + 1 : answer;
		uint8_t byte;

		for (; gdb_parse_hex(hex, &byte, 1) == 1; hex += 2)
			buffer_append(&output, &byte, 1);
		if (answer[0] != 'O')
			break;
		answer = next_packet(gdb, NULL);
	}
	if (!answer || (output.size == 0 && strcmp(answer, "OK") != 0)) {
		buffer_free(&output);
		return NULL;
	}
	buffer_append(&output, "", 1);
	return (char *)output.data;
}
