/* q and Q packets: features, descriptions, threads, monitor commands. */
#include "gdb_impl.h"

#include <selvage/base.h>
#include <string.h>

#define MAP_BYTES 2048u
#define PRINT_BYTES 1024u /* of text in one O packet */
#define COMMAND_BYTES 256u
#define TEXT_BYTES 64u

void gdb_thread_put(struct gdb *g, unsigned vcpu)
{
	gdb_put_number(g, vcpu + 1);
}

bool gdb_thread_take(struct gdb *g, unsigned *vcpu)
{
	uint64_t id;

	*vcpu = GDB_VCPUS;
	if (gdb_take_word(g, "-1"))
		return true;
	if (!gdb_take_number(g, &id) || id > GDB_VCPUS)
		return false;
	if (id > 0)
		*vcpu = (unsigned)id - 1;
	return true;
}

bool gdb_thread_is(const struct gdb *g, unsigned vcpu)
{
	return vcpu < g->target->n_vcpus && g->target->is_on(g->target->opaque, vcpu);
}

static void supported(struct gdb *g)
{
	/* A new client: what the last one chose does not count. */
	g->physical = false;
	if (g->target->begin != NULL)
		g->target->begin(g->target->opaque);
	gdb_begin(g);
	gdb_put_text(g, "PacketSize=");
	gdb_put_number(g, GDB_PACKET);
	/* Not qXfer:memory-map:read: GDB would hold the map, which is physical,
	 * for all that can be accessed. */
	gdb_put_text(g, ";QStartNoAckMode+;qXfer:features:read+;vContSupported+;"
			"swbreak+;hwbreak+");
	gdb_end(g);
}

/* :offset,length of a text: 'm' and a part of it, or 'l' and the last one. */
static void transfer(struct gdb *g, const char *text, size_t size)
{
	uint64_t offset, length;
	bool more;

	if (!gdb_take_number(g, &offset) || !gdb_take(g, ',') || !gdb_take_number(g, &length) ||
	    offset > size) {
		gdb_say(g, "E01");
		return;
	}
	/* Each byte may take two. */
	length = min_u64(length, GDB_PACKET / 2 - 1);
	more = size - offset > length;
	gdb_begin(g);
	gdb_put(g, more ? 'm' : 'l');
	for (uint64_t i = offset; i < (more ? offset + length : size); i++)
		gdb_put_binary(g, (uint8_t)text[i]);
	gdb_end(g);
}

static void transfers(struct gdb *g)
{
	char map[MAP_BYTES];

	if (gdb_take_word(g, "features:read:target.xml:"))
		transfer(g, g->target->xml, strlen(g->target->xml));
	else if (gdb_take_word(g, "features:read:"))
		gdb_say(g, "E00");
	else if (gdb_take_word(g, "memory-map:read::"))
		transfer(g, map, g->target->memory_map(g->target->opaque, map, sizeof(map)));
	else
		gdb_say(g, "");
}

static void threads(struct gdb *g)
{
	char before = 'm';

	gdb_begin(g);
	for (unsigned i = 0; i < g->target->n_vcpus; i++) {
		if (!gdb_thread_is(g, i))
			continue;
		gdb_put(g, before);
		gdb_thread_put(g, i);
		before = ',';
	}
	if (before == 'm')
		gdb_put(g, 'l');
	gdb_end(g);
}

static void thread_info(struct gdb *g)
{
	char text[TEXT_BYTES] = "";
	unsigned vcpu;

	if (!gdb_thread_take(g, &vcpu) || !gdb_thread_is(g, vcpu)) {
		gdb_say(g, "E.no such thread");
		return;
	}
	g->target->describe(g->target->opaque, vcpu, text, sizeof(text));
	gdb_begin(g);
	for (const char *c = text; *c != '\0'; c++)
		gdb_put_byte(g, (uint8_t)*c);
	gdb_end(g);
}

static void current_thread(struct gdb *g)
{
	gdb_begin(g);
	gdb_put_text(g, "QC");
	gdb_thread_put(g, g->vcpu);
	gdb_end(g);
}

void gdb_print(struct gdb *g, const char *text)
{
	while (*text != '\0') {
		gdb_begin(g);
		gdb_put(g, 'O');
		for (unsigned i = 0; i < PRINT_BYTES && *text != '\0'; i++)
			gdb_put_byte(g, (uint8_t)*text++);
		gdb_end(g);
	}
}

static void command(struct gdb *g)
{
	char text[COMMAND_BYTES];
	unsigned n = 0;
	bool good = true;
	uint8_t byte;

	while (n < sizeof(text) - 1 && !gdb_at_end(g) && good) {
		good = gdb_take_byte(g, &byte);
		text[n++] = (char)byte;
	}
	text[n] = '\0';
	if (!good || !gdb_at_end(g))
		gdb_say(g, "E.command too long, or no text");
	else if (!g->target->monitor(g->target->opaque, g, text))
		gdb_say(g, "");
	else
		gdb_say(g, "OK");
}

void gdb_query(struct gdb *g)
{
	if (gdb_take_word(g, "Supported"))
		supported(g);
	else if (gdb_take_word(g, "Xfer:"))
		transfers(g);
	else if (gdb_take_word(g, "fThreadInfo"))
		threads(g);
	else if (gdb_take_word(g, "sThreadInfo"))
		gdb_say(g, "l");
	else if (gdb_take_word(g, "ThreadExtraInfo,"))
		thread_info(g);
	else if (gdb_take_word(g, "Attached"))
		gdb_say(g, "1");
	else if (gdb_take_word(g, "Rcmd,"))
		command(g);
	else if (gdb_take_word(g, "qemu.PhyMemMode"))
		gdb_say(g, g->physical ? "1" : "0");
	else if (gdb_take(g, 'C') && gdb_at_end(g))
		current_thread(g);
	else
		gdb_say(g, "");
}

void gdb_set(struct gdb *g)
{
	if (gdb_take_word(g, "StartNoAckMode")) {
		gdb_say(g, "OK");
		g->no_ack = true;
	} else if (gdb_take_word(g, "qemu.PhyMemMode:")) {
		g->physical = gdb_next(g) == '1';
		gdb_say(g, "OK");
	} else {
		gdb_say(g, "");
	}
}
