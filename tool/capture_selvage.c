/* A capture of a VM of a running Selvage system, by its debug channel (docs/debug-channel.md). */
#include <cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture_source.h"
#include "diag.h"
#include "gdb_client.h"
#include "sockpath.h"
#include "vectors.h"
#include "x86_state.h"

#define CONNECT_PATIENCE_MS 20000u

struct midr_name {
	unsigned implementer, part;
	const char *name;
};

static const struct midr_name midr_names[] = {
	{ 0x41, 0xc07, "cortex-a7" },
	{ 0x41, 0xc09, "cortex-a9" },
	{ 0x41, 0xc0f, "cortex-a15" },
	{ 0x41, 0xd03, "cortex-a53" },
	{ 0x41, 0xd04, "cortex-a35" },
	{ 0x41, 0xd05, "cortex-a55" },
	{ 0x41, 0xd07, "cortex-a57" },
	{ 0x41, 0xd08, "cortex-a72" },
	{ 0x41, 0xd0b, "cortex-a76" },
	{ 0x41, 0xd0c, "neoverse-n1" },
	{ 0x00, 0x051, "max" }, /* QEMU's own */
};

void capture_cpu_of_midr(uint32_t midr, char *to, size_t room)
{
	for (size_t i = 0; i < sizeof(midr_names) / sizeof(midr_names[0]); i++) {
		if (midr_names[i].implementer == midr >> 24 &&
		    midr_names[i].part == (midr >> 4 & 0xfff)) {
			snprintf(to, room, "%s", midr_names[i].name);
			return;
		}
	}
	snprintf(to, room, "MIDR 0x%08x", midr);
}

/* --- what the channel tells --- */

static void take_text(const cJSON *object, const char *key, char *to, size_t room)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	if (cJSON_IsString(item))
		capture_set_text(to, room, item->valuestring, strlen(item->valuestring));
}

static bool take_number(const cJSON *object, const char *key, uint64_t *value)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	if (cJSON_IsString(item))
		*value = strtoull(item->valuestring, NULL, 16);
	else if (cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < 1e15)
		*value = (uint64_t)item->valuedouble;
	else
		return false;
	return true;
}

bool capture_take_identity(struct capture *c, const char *text)
{
	cJSON *o = cJSON_Parse(text);
	uint64_t midr, id, width = 0, crc = 0, vcpus = 0;

	if (!cJSON_IsObject(o) || !take_number(o, "width", &width)) {
		cJSON_Delete(o);
		return false;
	}
	take_text(o, "vm", c->guest_name, sizeof(c->guest_name));
	take_text(o, "hypervisor", c->accel_ran, sizeof(c->accel_ran));
	take_text(o, "accelerator", c->accel_evidence, sizeof(c->accel_evidence));
	take_text(o, "board", c->board, sizeof(c->board));
	take_text(o, "board", c->machine, sizeof(c->machine));
	if (strcmp(c->board, "pc") == 0)
		c->width = width == 32 ? WIDTH_X86_32 : WIDTH_X86_64;
	else
		c->width = width == 32 ? WIDTH_AARCH32 : WIDTH_AARCH64;
	if (take_number(o, "cpu_id", &id))
		x86_cpu_of_signature((uint32_t)id, c->cpu, sizeof(c->cpu));
	if (take_number(o, "cpu_midr", &midr))
		capture_cpu_of_midr((uint32_t)midr, c->cpu, sizeof(c->cpu));
	(void)take_number(o, "vcpus", &vcpus);
	c->vcpus = (unsigned)vcpus;
	(void)take_number(o, "image_bytes", &c->image.bytes);
	c->image.has_crc32 = take_number(o, "image_crc32", &crc);
	c->image.crc32 = (uint32_t)crc;
	c->image.has_load = take_number(o, "load", &c->image.load);
	c->image.has_entry = take_number(o, "entry", &c->image.entry);
	cJSON_Delete(o);
	return true;
}

bool capture_take_map(struct capture *c, const char *text)
{
	cJSON *root = cJSON_Parse(text);
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "regions"), *item;
	bool good = cJSON_IsArray(list);

	cJSON_ArrayForEach(item, list)
	{
		struct capture_region region = { 0 };
		uint64_t size = 0;

		if (!take_number(item, "base", &region.first) ||
		    !take_number(item, "size", &size) || size == 0)
			continue;
		region.last = region.first + (size - 1);
		take_text(item, "kind", region.kind, sizeof(region.kind));
		take_text(item, "name", region.name, sizeof(region.name));
		if (region.last >= region.first)
			(void)capture_add_region(c, &region);
	}
	cJSON_Delete(root);
	return good;
}

/* --- memory --- */

struct selvage_source {
	struct gdb_client gdb;
	struct capture *capture;
};

static bool is_device(const struct capture *c, uint64_t address)
{
	for (size_t i = 0; i < c->n_regions; i++) {
		if (address >= c->region[i].first && address <= c->region[i].last)
			return strcmp(c->region[i].kind, "device") == 0;
	}
	return false;
}

/* `monitor translate`: a number, or words that say why not. */
static bool translate(struct selvage_source *s, uint64_t address, uint64_t *physical)
{
	char line[48], *text, *end = NULL;
	bool good = false;

	snprintf(line, sizeof(line), "translate 0x%llx", (unsigned long long)address);
	text = gdb_client_command(&s->gdb, line);
	if (text && strncmp(text, "0x", 2) == 0) {
		*physical = strtoull(text, &end, 16);
		good = end != text && (*end == '\n' || *end == '\0');
	}
	free(text);
	return good;
}

static enum capture_place read_memory(void *context, uint64_t address, uint8_t *bytes, size_t n,
				      uint64_t *physical, bool *known)
{
	struct selvage_source *s = context;

	*known = translate(s, address, physical);
	if (*known && is_device(s->capture, *physical))
		return PLACE_DEVICE;
	if (gdb_client_memory(&s->gdb, address, bytes, n))
		return PLACE_MEMORY;
	/* Only an answer says that nothing is there. */
	return !s->gdb.dead && s->gdb.answer.size && s->gdb.answer.data[0] == 'E' ? PLACE_UNMAPPED
										  : PLACE_UNKNOWN;
}

/* --- registers --- */

static void set_mode(struct capture *c, uint32_t cpsr)
{
	/* By CPSR[3:0]; bit 4 is set in all of them. */
	static const char *const modes[16] = {
		[0] = "usr",
		[1] = "fiq",
		[2] = "irq",
		[3] = "svc",
		[6] = "mon",
		[7] = "abt",
		[10] = "hyp",
		[11] = "und",
		[15] = "sys",
	};
	const char *mode = modes[cpsr & 15];

	if (c->width == WIDTH_AARCH64) {
		snprintf(c->mode, sizeof(c->mode), "el%u%c", cpsr >> 2 & 3, cpsr & 1 ? 'h' : 't');
		return;
	}
	snprintf(c->mode, sizeof(c->mode), "%s", mode ? mode : "");
}

static bool is_general(const struct capture *c, const struct gdb_reg *reg)
{
	/* docs/debug-channel.md; of an x86 without the x87's. */
	static const unsigned n[N_WIDTHS] = { [WIDTH_AARCH32] = 17,
					      [WIDTH_AARCH64] = 34,
					      [WIDTH_X86_32] = 16,
					      [WIDTH_X86_64] = 24 };

	return reg->number < n[c->width];
}

static bool read_registers(struct selvage_source *s)
{
	struct capture *c = s->capture;

	for (size_t i = 0; i < s->gdb.target.n; i++) {
		const struct gdb_reg *reg = &s->gdb.target.reg[i];
		bool cpsr = strcmp(reg->name, "cpsr") == 0;
		const char *name = cpsr && c->width == WIDTH_AARCH64 ? "pstate" : reg->name;
		uint64_t value;

		if (!gdb_client_register(&s->gdb, reg, &value))
			continue;
		(void)capture_add_reg(is_general(c, reg) ? &c->general : &c->system, name, value,
				      reg->bits);
		if (cpsr)
			set_mode(c, (uint32_t)value);
	}
	if (capture_is_x86(c))
		x86_state_find(c);
	return !s->gdb.dead && capture_pc(c);
}

/* --- the conversation --- */

/* The broker's "ok" or "error ...", up to its newline. */
static bool accepted(struct wire *wire)
{
	const char *end, *line;
	bool good;

	while (!wire->in.size || !(end = memchr(wire->in.data, '\n', wire->in.size))) {
		if (wire_wait(wire, CONNECT_PATIENCE_MS) != WIRE_DATA) {
			diag_error("the system ended before it answered");
			return false;
		}
	}
	line = (const char *)wire->in.data;
	good = end - line == 2 && memcmp(line, "ok", 2) == 0;
	if (!good && end - line > 6 && memcmp(line, "error ", 6) == 0)
		line += 6;
	if (!good)
		diag_error("%.*s", (int)(end - line), line);
	buffer_drop(&wire->in, (size_t)(end - (const char *)wire->in.data) + 1);
	return good;
}

static bool open_channel(struct selvage_source *s, const struct capture_request *request)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "gdb %s\n", request->vm);

	if (n >= (int)sizeof(line) || strchr(request->vm, '\n')) {
		diag_error("`%.20s...` is too long a name", request->vm);
		return false;
	}
	s->gdb.wire.fd = sockpath_connect(request->system);
	if (s->gdb.wire.fd < 0)
		return false;
	if (wire_send(&s->gdb.wire, line, (size_t)n))
		return accepted(&s->gdb.wire);
	diag_error("the running system went away");
	return false;
}

static bool ask_json(struct selvage_source *s, const char *command,
		     bool (*take)(struct capture *c, const char *text))
{
	char *text = gdb_client_command(&s->gdb, command);
	bool good = text && take(s->capture, text);

	if (!good && !wire_signal())
		diag_error("the debug channel does not answer `monitor %s` as expected", command);
	free(text);
	return good;
}

/* `?` stops the VM where the channel's right is control, and takes a snapshot where it is observe;
 * it comes first, for a VM may be up for moments only. D, and after it the end of the connection,
 * let it go on. Nobody else can have stopped it: a VM has one debugger at a time. */
static bool look(struct selvage_source *s)
{
	const struct guest_memory memory = { s, read_memory };

	snprintf(s->capture->state, sizeof(s->capture->state), "running");
	diag_progress("GDB   %s", s->capture->address);
	if (!gdb_client_start(&s->gdb) || !gdb_client_ask(&s->gdb, "?") ||
	    !gdb_client_describe(&s->gdb) || !ask_json(s, "identity", capture_take_identity) ||
	    !ask_json(s, "map", capture_take_map) || !read_registers(s))
		return false;
	vectors_find_base(s->capture);
	vectors_read(s->capture, &memory);
	return !wire_signal();
}

bool capture_from_selvage(struct capture *c, const struct capture_request *request)
{
	struct selvage_source s = { .capture = c };
	bool good;

	snprintf(c->source, sizeof(c->source), "selvage");
	snprintf(c->protocol, sizeof(c->protocol), "gdb");
	snprintf(c->address, sizeof(c->address), "%s", request->vm);
	snprintf(c->accel_ran, sizeof(c->accel_ran), "unknown");
	good = open_channel(&s, request) && look(&s);
	wire_ignore_interrupts(true);
	if (s.gdb.wire.fd >= 0 && good)
		(void)gdb_client_ask(&s.gdb, "D");
	gdb_client_close(&s.gdb);
	return good;
}
