/* `selvage create`: VMs of a description, for a system that runs. */
#include <cJSON.h>
#include <selvage/control.h>
#include <selvage/crc32.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"
#include "buffer.h"
#include "build.h"
#include "cli.h"
#include "client.h"
#include "diag.h"
#include "payload_build.h"
#include "units.h"

#define AREA_MAX (64u << 20) /* that init takes (servers/init/upload.h) */
#define DIGITS (CONTROL_PUT_BYTES / 3 * 4)
#define NO_PERCENT 101u /* none was shown */

/* RFC 4648, 4. */
static void base64(char out[DIGITS + 1], const uint8_t *bytes, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		uint32_t bits = (uint32_t)bytes[i] << 16;

		if (i + 1 < n)
			bits |= (uint32_t)bytes[i + 1] << 8;
		if (i + 2 < n)
			bits |= bytes[i + 2];
		*out++ = digits[bits >> 18];
		*out++ = digits[bits >> 12 & 63];
		*out++ = i + 1 < n ? digits[bits >> 6 & 63] : '=';
		*out++ = i + 2 < n ? digits[bits & 63] : '=';
	}
	*out = '\0';
}

static bool all_zero(const uint8_t *bytes, size_t n)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, n - 1) == 0;
}

/* The system that runs, the description, and the VM that is under way. */
struct creation {
	const struct options *options;
	struct system *sys;
	uint32_t vm;
	int fd;
	unsigned percent; /* that was shown */
	bool pc;          /* the machine is one */
	bool narrow;      /* it runs 32-bit guests */
	bool is_there[SYSDESC_MAX_VMS];
	uint32_t n_made, made[SYSDESC_MAX_VMS];
};

static const char *name_of(const struct creation *c, uint32_t vm)
{
	return c->sys->desc->vm[vm].name;
}

static unsigned line_of(const struct creation *c, uint32_t vm)
{
	return yamldoc_line(&c->sys->doc, system_vm_node(c->sys, vm));
}

/* One line that is written again and again; nothing where nobody looks. */
static void show_progress(struct creation *c, size_t done, size_t size)
{
	const unsigned percent = (unsigned)(done * 100 / size);

	if (!isatty(STDERR_FILENO) || percent == c->percent)
		return;
	c->percent = percent;
	fprintf(stderr, "\r  %s: %zu of %zu KiB, %u %%\033[K", name_of(c, c->vm), done / 1024,
		(size + 1023) / 1024, percent);
}

static void end_progress(const struct creation *c)
{
	if (c->percent != NO_PERCENT)
		fputs("\r\033[K", stderr);
}

static bool ask(struct creation *c, const char *request)
{
	char wrong[1024];

	if (client_request_on(c->fd, request, wrong, sizeof(wrong)))
		return true;
	end_progress(c);
	c->percent = NO_PERCENT;
	diag_error_at(c->sys->file, line_of(c, c->vm), "VM `%s`: %s", name_of(c, c->vm), wrong);
	return false;
}

/* What is zero is there already. */
static bool put_all(struct creation *c, const struct buffer *area, uint32_t *crc32)
{
	char request[DIGITS + 40];

	for (size_t at = 0; at < area->size; at += CONTROL_PUT_BYTES) {
		const uint8_t *bytes = area->data + at;
		size_t left = area->size - at;
		size_t n = left < CONTROL_PUT_BYTES ? left : CONTROL_PUT_BYTES;
		int used;

		show_progress(c, at, area->size);
		if (all_zero(bytes, n))
			continue;
		*crc32 = crc32_update(*crc32, bytes, n);
		used = snprintf(request, sizeof(request), "put %zu ", at);
		base64(request + used, bytes, n);
		if (!ask(c, request))
			return false;
	}
	return true;
}

static bool fits(const struct creation *c, size_t size)
{
	if (size <= AREA_MAX)
		return true;
	diag_error_at(c->sys->file, line_of(c, c->vm),
		      "VM `%s` has %zu KiB of images, and `create` brings %s at most; give it "
		      "smaller ones, or a disk of `block`, or start the system with it",
		      name_of(c, c->vm), (size + 1023) / 1024, units_size_text(AREA_MAX));
	return false;
}

static bool create_vm(struct creation *c, uint32_t vm)
{
	struct buffer area = { 0 };
	char request[40];
	uint32_t crc32 = 0;
	bool ok = payload_vm(&area, c->sys, vm);

	c->vm = vm;
	c->percent = NO_PERCENT;
	snprintf(request, sizeof(request), "create %zu", area.size);
	ok = ok && fits(c, area.size) && ask(c, request) && put_all(c, &area, &crc32);
	snprintf(request, sizeof(request), "commit %u", crc32);
	ok = ok && ask(c, request);
	end_progress(c);
	if (ok)
		c->made[c->n_made++] = vm;
	buffer_free(&area);
	return ok;
}

/* Places in the network are given when a VM comes: others' are not known here. */
static bool names_others(const struct sysdesc_connection *c)
{
	return c->allow != ~0ull && (c->allow & ~(1ull << SYSDESC_UPLINK)) != 0;
}

/* What only a system that starts can do. */
static bool can_come(struct system *sys, uint32_t vm)
{
	const struct sysdesc_vm *d = &sys->desc->vm[vm];

	if (d->n_served != 0)
		diag_error_at(sys->file, yamldoc_line(&sys->doc, system_vm_node(sys, vm)),
			      "VM `%s` serves connections, which a VM that `create` brings cannot; "
			      "name another VM: `selvage create FILE VM`",
			      d->name);
	for (uint32_t i = 0; i < d->n_connections; i++) {
		const uint32_t n = sysdesc_connection_of(sys->desc, vm, i);
		yaml_node_t *list = yamldoc_get(&sys->doc, yamldoc_root(&sys->doc), "connections");

		if (!names_others(&sysdesc_connections(sys->desc)[n]))
			continue;
		diag_error_at(sys->file,
			      system_line(sys, yamldoc_item(&sys->doc, list, n), "allow"),
			      "`allow`: of a VM that `create` brings it cannot name VMs; remove "
			      "it, or give `[uplink]` or `[]`");
		return false;
	}
	return d->n_served == 0;
}

static bool find_vm(const struct system *sys, const char *name, uint32_t *vm)
{
	for (*vm = 0; *vm < sys->desc->n_vms; ++*vm)
		if (strcmp(sys->desc->vm[*vm].name, name) == 0)
			return true;
	diag_error_at(sys->file, 0, "there is no VM `%s`; give the name of one of `vms`", name);
	return false;
}

static void note_name(void *context, const char *line)
{
	struct creation *c = context;
	cJSON *object = cJSON_Parse(line);

	for (uint32_t i = 0; i < c->sys->desc->n_vms; i++) {
		if (strcmp(answer_string(object, "kind"), "vm") == 0 &&
		    strcmp(answer_string(object, "name"), name_of(c, i)) == 0)
			c->is_there[i] = true;
	}
	cJSON_Delete(object);
}

/* What sort of machine runs there. One whose processor is not known takes any VM. */
static bool ask_machine(struct creation *c)
{
	char name[64] = "";
	const struct cpu *cpu;
	int fd = client_open(c->options, "machine", NULL);
	bool ok = fd >= 0 && client_accepted(fd);

	if (ok)
		client_read_line(fd, name, sizeof(name));
	if (fd >= 0)
		close(fd);
	cpu = cpu_find(name);
	c->pc = cpu ? cpu->pc : c->sys->cpu->pc;
	c->narrow = cpu ? cpu->narrow : true;
	return ok;
}

/* Whether the machine can have it; the rest init checks. */
static bool suits(const struct creation *c, uint32_t vm)
{
	if (c->pc != c->sys->cpu->pc)
		diag_error_at(c->sys->file, line_of(c, vm),
			      "VM `%s` is for %s, and the system that runs is on %s; give it a "
			      "description of that board",
			      name_of(c, vm), c->sys->cpu->pc ? "a PC" : "an Arm machine",
			      c->pc ? "a PC" : "an Arm machine");
	else if (c->sys->desc->vm[vm].width == 32 && !c->pc && !c->narrow)
		diag_error_at(c->sys->file, line_of(c, vm),
			      "VM `%s` has a 32-bit guest, which the processor of the system that "
			      "runs does not execute; give it a 64-bit one",
			      name_of(c, vm));
	else if (c->is_there[vm])
		diag_error_at(c->sys->file, line_of(c, vm),
			      "a VM `%s` is there already; give this one another `name`, or say "
			      "which VM is to come: `selvage create FILE VM`",
			      name_of(c, vm));
	else
		return true;
	return false;
}

static void say_made(const struct creation *c)
{
	struct buffer names = { 0 };

	for (uint32_t i = 0; i < c->n_made; i++)
		buffer_text(&names, "%s`%s`", i > 0 ? ", " : "", name_of(c, c->made[i]));
	buffer_append(&names, "", 1);
	if (c->n_made > 0)
		diag_note("created before that, and there: %s", (const char *)names.data);
	buffer_free(&names);
}

/* All is looked at before the first one comes. */
static bool create_vms(struct creation *c, uint32_t first, uint32_t end)
{
	bool ok = true;

	for (uint32_t i = first; i < end && ok; i++)
		ok = can_come(c->sys, i);
	ok = ok && ask_machine(c) && client_ask(c->options, "ps", NULL, note_name, c);
	for (uint32_t i = first; i < end && ok; i++)
		ok = suits(c, i);
	if (!ok)
		return false;
	c->fd = client_open(c->options, "requests", NULL);
	if (c->fd < 0)
		return false;
	for (uint32_t i = first; i < end && ok; i++)
		ok = create_vm(c, i);
	close(c->fd);
	if (!ok)
		say_made(c);
	return ok;
}

int command_create(const struct options *options)
{
	char *build_dir = files_build_dir(options->build_dir);
	struct system sys;
	bool ok = build_read_system(&sys, options, build_dir);

	if (ok) {
		struct creation c = { .options = options, .sys = &sys };
		uint32_t first = 0, end = sys.desc->n_vms;

		ok = end > 0;
		if (!ok)
			diag_error_at(sys.file, 0,
				      "`vms` is empty: there is none to create; describe one");
		if (ok && options->arg[1]) {
			ok = find_vm(&sys, options->arg[1], &first);
			end = first + 1;
		}
		ok = ok && create_vms(&c, first, end);
		system_free(&sys);
	}
	free(build_dir);
	return ok ? EXIT_OK : EXIT_FAILED;
}
