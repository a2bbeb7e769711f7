/* A capture of any QEMU: by its monitor, and for system registers by its GDB server. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture_image.h"
#include "capture_source.h"
#include "diag.h"
#include "files.h"
#include "gdb_client.h"
#include "hmp_text.h"
#include "monitor.h"
#include "vectors.h"

#define LOADERS_MAX 16u

struct qemu_source {
	struct monitor monitor;
	struct capture *capture;
};

static char *ask(struct qemu_source *q, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static char *ask(struct qemu_source *q, const char *format, ...)
{
	char line[256];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	return monitor_ask(&q->monitor, line);
}

/* --- what it is --- */

static bool ask_state(struct qemu_source *q)
{
	char *text = ask(q, "info status");
	bool good = text && hmp_status(text, q->capture->state, sizeof(q->capture->state));

	if (text && !good)
		diag_error("the monitor does not know `info status`; is it QEMU's?");
	free(text);
	return good;
}

static void ask_version(struct qemu_source *q)
{
	char *text = ask(q, "info version");

	if (text)
		capture_set_text(q->capture->version, sizeof(q->capture->version), text,
				 strcspn(text, "\n"));
	free(text);
	text = ask(q, "info name");
	if (text && *text)
		capture_set_text(q->capture->guest_name, sizeof(q->capture->guest_name), text,
				 strcspn(text, "\n"));
	free(text);
}

/* What ran it, not what somebody says: QEMU itself answers. */
static void ask_accelerator(struct qemu_source *q)
{
	struct capture *c = q->capture;
	char *kvm = ask(q, "info kvm"), *jit = ask(q, "info jit");
	const char *ran = "unknown";

	if (kvm && strstr(kvm, "kvm support: enabled"))
		ran = "kvm";
	else if (jit && strncmp(jit, "Translation buffer state", 24) == 0)
		ran = "tcg";
	snprintf(c->accel_ran, sizeof(c->accel_ran), "%s", ran);
	if (kvm)
		snprintf(c->accel_evidence, sizeof(c->accel_evidence), "info kvm: %.*s%s",
			 (int)strcspn(kvm, "\n"), kvm,
			 strcmp(ran, "tcg") == 0 ? "; info jit: translation buffer" : "");
	free(kvm);
	free(jit);
}

static bool get_string(struct qemu_source *q, char *to, size_t room, const char *path,
		       const char *property)
{
	char *text = ask(q, "qom-get %s %s", path, property);
	bool good = text && hmp_string(text, to, room);

	free(text);
	return good;
}

/* The machine's name, and the first processor's, which QEMU keeps in no fixed place. */
static void ask_machine(struct qemu_source *q)
{
	struct capture *c = q->capture;
	char path[80], type[CAPTURE_TEXT];

	if (get_string(q, type, sizeof(type), "/machine", "type")) {
		snprintf(c->machine, sizeof(c->machine), "%s", type);
		hmp_board(type, c->board, sizeof(c->board));
	}
	for (unsigned i = 0; i < 8 && !*c->cpu; i++) {
		snprintf(path, sizeof(path), "/machine/unattached/device[%u]", i);
		if (!get_string(q, type, sizeof(type), path, "type"))
			break;
		(void)hmp_cpu(type, c->cpu, sizeof(c->cpu));
	}
}

static void count_vcpus(struct qemu_source *q)
{
	char *text = ask(q, "info cpus");

	for (const char *p = text; p && (p = strstr(p, "CPU #")); p++)
		q->capture->vcpus++;
	free(text);
}

/* --- the image --- */

/* `-device loader` */
static bool ask_loader(struct qemu_source *q, char *file, size_t room, uint64_t *address)
{
	static const char *const folders[] = { "/machine/peripheral", "/machine/peripheral-anon" };
	char path[160], name[64];
	bool found = false;

	for (unsigned i = 0; i < 2 && !found; i++) {
		char *list = ask(q, "qom-list %s", folders[i]);

		for (unsigned n = 0; list && !found && n < LOADERS_MAX &&
				     hmp_child(list, "loader", n, name, sizeof(name));
		     n++) {
			char *text;

			snprintf(path, sizeof(path), "%s/%s", folders[i], name);
			found = get_string(q, file, room, path, "file") && *file;
			text = found ? ask(q, "qom-get %s addr", path) : NULL;
			*address = text ? strtoull(text, NULL, 10) : 0;
			free(text);
		}
		free(list);
	}
	return found;
}

static void ask_image(struct qemu_source *q)
{
	struct capture_image *image = &q->capture->image;
	uint64_t address = 0;
	char file[CAPTURE_PATH] = "", *roms;
	bool by_loader = false;

	if (!get_string(q, file, sizeof(file), "/machine", "kernel") || !*file)
		by_loader = ask_loader(q, file, sizeof(file), &address);
	if (!*file)
		return;
	snprintf(image->file, sizeof(image->file), "%s", file);
	roms = ask(q, "info roms");
	image->has_load = (roms && hmp_rom(roms, file, &image->load)) || (by_loader && address);
	if (image->has_load && by_loader && address)
		image->load = address;
	free(roms);
}

/* --- memory --- */

static const struct capture_region *region_at(const struct capture *c, uint64_t address, size_t n)
{
	for (size_t i = 0; i < c->n_regions; i++) {
		const struct capture_region *r = &c->region[i];

		if (address >= r->first && address <= r->last && r->last - address >= n - 1)
			return r;
	}
	return NULL;
}

static enum capture_place read_memory(void *context, uint64_t address, uint8_t *bytes, size_t n,
				      uint64_t *physical, bool *known)
{
	struct qemu_source *q = context;
	char *text = ask(q, "gva2gpa 0x%llx", (unsigned long long)address);
	uint32_t word[GUEST_MEMORY_BYTES / 4];
	const struct capture_region *region;
	bool good;

	*known = text && hmp_physical(text, physical);
	good = text != NULL;
	free(text);
	if (!good || q->capture->n_regions == 0)
		return PLACE_UNKNOWN;
	region = *known ? region_at(q->capture, *physical, n) : NULL;
	if (!region)
		return PLACE_UNMAPPED;
	/* Reading a device can change it. */
	if (strncmp(region->kind, "ram", 3) != 0 && strncmp(region->kind, "rom", 3) != 0)
		return PLACE_DEVICE;
	text = ask(q, "xp /%zuwx 0x%llx", n / 4, (unsigned long long)*physical);
	good = text && n <= GUEST_MEMORY_BYTES && hmp_words(text, word, n / 4);
	free(text);
	for (size_t i = 0; good && i < n; i++)
		bytes[i] = (uint8_t)(word[i / 4] >> (8 * (i % 4)));
	return good ? PLACE_MEMORY : PLACE_UNKNOWN;
}

static void ask_map(struct qemu_source *q)
{
	char *text = ask(q, "info mtree -f");
	bool found = false;

	if (text && q->capture->secure)
		found = hmp_memory_map(text, "cpu-secure-memory-0", q->capture);
	if (text && !found)
		found = hmp_memory_map(text, "cpu-memory-0", q->capture);
	if (text && !found)
		(void)hmp_memory_map(text, "memory", q->capture);
	free(text);
}

/* --- system registers --- */

/* Those that general_name() of the monitor's text gives already. */
static bool is_core(const struct capture *c, const struct gdb_reg *reg)
{
	return capture_find_reg(&c->general, reg->name) || strcmp(reg->name, "cpsr") == 0 ||
	       reg->name[0] == 'x' || reg->name[0] == 'r';
}

static bool read_registers(struct gdb_client *gdb, struct capture *c)
{
	for (size_t i = 0; i < gdb->target.n; i++) {
		const struct gdb_reg *reg = &gdb->target.reg[i];
		uint64_t value;

		if (!is_core(c, reg) && gdb_client_register(gdb, reg, &value))
			(void)capture_add_reg(&c->system, reg->name, value, reg->bits);
	}
	return !gdb->dead;
}

static bool read_by_gdb(struct capture *c, const char *address)
{
	struct gdb_client gdb = { 0 };
	bool good = wire_open(&gdb.wire, address) && gdb_client_start(&gdb) &&
		    gdb_client_describe(&gdb) && read_registers(&gdb, c);

	gdb_client_close(&gdb);
	return good;
}

/* The address at which we reach a server that listens at `its`: on the monitor's host. */
static void reachable(char to[CAPTURE_PATH], const char *its, const char *monitor)
{
	char host[WIRE_HOST_MAX];
	const char *port = strrchr(its, ':');

	wire_host(monitor, host);
	if (strncmp(its, "unix:", 5) == 0 || !port)
		snprintf(to, CAPTURE_PATH, "%s", its);
	else
		snprintf(to, CAPTURE_PATH, "%s%s", *host ? host : "127.0.0.1", port);
}

/* QEMU has no GDB server: it gets one on a socket of ours, for as long as we read. */
static bool read_by_own_server(struct qemu_source *q)
{
	char folder[] = "/tmp/selvage-capture-XXXXXX", *address, *text;
	bool good = false;

	if (!mkdtemp(folder))
		return false;
	address = files_text("unix:%s/gdb", folder);
	text = ask(q, "gdbserver %s,server=on,wait=off", address);
	if (text && access(address + strlen("unix:"), F_OK) == 0)
		good = read_by_gdb(q->capture, address);
	free(text);
	free(ask(q, "gdbserver none"));
	unlink(address + strlen("unix:"));
	rmdir(folder);
	free(address);
	return good;
}

static void ask_system_registers(struct qemu_source *q, const struct capture_request *request)
{
	char its[CAPTURE_TEXT], address[CAPTURE_PATH], *text;
	bool busy = false, there, good;

	if (request->gdb_server) {
		good = read_by_gdb(q->capture, request->gdb_server);
	} else {
		text = ask(q, "info chardev");
		there = text && hmp_gdb_server(text, its, sizeof(its), &busy);
		free(text);
		reachable(address, there ? its : "", request->monitor);
		good = busy    ? false
		       : there ? read_by_gdb(q->capture, address)
			       : read_by_own_server(q);
	}
	if (busy)
		capture_note(q->capture,
			     "system registers are not known: a debugger is connected "
			     "to QEMU's GDB server at %s",
			     its);
	else if (!good)
		capture_note(q->capture,
			     "system registers are not known: QEMU's GDB server could "
			     "not be reached; start QEMU with -gdb, or give --gdb-server");
}

/* QEMU's monitor and GDB server show an AArch32 guest's SPSRs in part, and that of the mode in use
 * not at all or as it was before; of an x86 no model-specific registers but EFER. */
static void note_not_shown(struct capture *c)
{
	if (capture_is_x86(c))
		capture_note(c, "STAR, LSTAR, SFMASK, SYSENTER and PAT are not known: QEMU does "
				"not show them");
	if (c->width == WIDTH_AARCH32)
		capture_note(c, "SPSR of mode %s is not known: QEMU does not show it", c->mode);
}

static void name_host_cpu(struct capture *c)
{
	const struct capture_reg *midr = capture_find_reg(&c->system, "MIDR_EL1");

	if (!midr)
		midr = capture_find_reg(&c->system, "MIDR");
	if (midr && midr->value && (!*c->cpu || strcmp(c->cpu, "host") == 0))
		capture_cpu_of_midr((uint32_t)midr->value, c->cpu, sizeof(c->cpu));
}

static bool look(struct qemu_source *q, const struct capture_request *request)
{
	const struct guest_memory memory = { q, read_memory };
	char *text;
	bool good;

	diag_progress("%s   %s", q->monitor.qmp ? "QMP" : "HMP", request->monitor);
	ask_version(q);
	ask_accelerator(q);
	ask_machine(q);
	count_vcpus(q);
	ask_image(q);
	text = ask(q, "info registers");
	good = text && (hmp_registers_x86(text, q->capture) || hmp_registers(text, q->capture));
	if (text && !good)
		diag_error("this QEMU emulates neither an Arm nor an x86 processor, or its "
			   "registers cannot be read");
	free(text);
	if (!good || wire_signal())
		return false;
	ask_map(q);
	diag_progress("GDB   system registers");
	ask_system_registers(q, request);
	name_host_cpu(q->capture);
	note_not_shown(q->capture);
	vectors_find_base(q->capture);
	diag_progress("READ  vectors at 0x%llx", (unsigned long long)q->capture->base);
	vectors_read(q->capture, &memory);
	return !wire_signal();
}

bool capture_from_qemu(struct capture *capture, const struct capture_request *request)
{
	struct qemu_source q = { .capture = capture };
	bool good;

	if (!monitor_open(&q.monitor, request->monitor))
		return false;
	snprintf(capture->source, sizeof(capture->source), "qemu");
	snprintf(capture->protocol, sizeof(capture->protocol), "%s", q.monitor.qmp ? "qmp" : "hmp");
	snprintf(capture->address, sizeof(capture->address), "%s", request->monitor);
	good = ask_state(&q);
	if (good) {
		bool running = strcmp(capture->state, "running") == 0;

		if (running)
			free(ask(&q, "stop"));
		good = look(&q, request);
		wire_ignore_interrupts(true);
		if (running)
			free(ask(&q, "cont"));
	}
	monitor_close(&q.monitor);
	return good;
}
