/* `selvage create`: VMs of a description, for a system that runs. */
#include <selvage/control.h>
#include <selvage/crc32.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buffer.h"
#include "build.h"
#include "cli.h"
#include "client.h"
#include "diag.h"
#include "payload_build.h"
#include "units.h"

#define AREA_MAX (64u << 20) /* that init takes (servers/init/upload.h) */
#define DIGITS (CONTROL_PUT_BYTES / 3 * 4)

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

/* What is zero is there already. */
static bool put_all(const struct options *options, const struct buffer *area, uint32_t *crc32)
{
	char argument[DIGITS + 32];

	for (size_t at = 0; at < area->size; at += CONTROL_PUT_BYTES) {
		const uint8_t *bytes = area->data + at;
		size_t left = area->size - at;
		size_t n = left < CONTROL_PUT_BYTES ? left : CONTROL_PUT_BYTES;
		int used;

		if (all_zero(bytes, n))
			continue;
		*crc32 = crc32_update(*crc32, bytes, n);
		used = snprintf(argument, sizeof(argument), "%zu ", at);
		base64(argument + used, bytes, n);
		if (!client_request(options, "put", argument))
			return false;
	}
	return true;
}

static bool fits(struct system *sys, uint32_t vm, size_t size)
{
	if (size <= AREA_MAX)
		return true;
	diag_error_at(sys->file, yamldoc_line(&sys->doc, system_vm_node(sys, vm)),
		      "VM `%s` has %zu KiB of images, and `create` brings %s at most; give it "
		      "smaller ones, or a disk of `block`, or start the system with it",
		      sys->desc->vm[vm].name, (size + 1023) / 1024, units_size_text(AREA_MAX));
	return false;
}

static bool create_vm(const struct options *options, struct system *sys, uint32_t vm)
{
	struct buffer area = { 0 };
	char number[32];
	uint32_t crc32 = 0;
	bool ok = payload_vm(&area, sys, vm);

	snprintf(number, sizeof(number), "%zu", area.size);
	ok = ok && fits(sys, vm, area.size) && client_request(options, "create", number) &&
	     put_all(options, &area, &crc32);
	snprintf(number, sizeof(number), "%u", crc32);
	ok = ok && client_request(options, "commit", number);
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

int command_create(const struct options *options)
{
	char *build_dir = files_build_dir(options->build_dir);
	struct system sys;
	bool ok = build_read_system(&sys, options, build_dir);

	if (ok) {
		uint32_t first = 0, end = sys.desc->n_vms;

		ok = end > 0;
		if (!ok)
			diag_error_at(sys.file, 0,
				      "`vms` is empty: there is none to create; describe one");
		if (ok && options->arg[1]) {
			ok = find_vm(&sys, options->arg[1], &first);
			end = first + 1;
		}
		for (uint32_t i = first; i < end && ok; i++)
			ok = can_come(&sys, i);
		for (uint32_t i = first; i < end && ok; i++)
			ok = create_vm(options, &sys, i);
		system_free(&sys);
	}
	free(build_dir);
	return ok ? EXIT_OK : EXIT_FAILED;
}
