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

static bool create_vm(const struct options *options, const struct system *sys, uint32_t vm)
{
	struct buffer area = { 0 };
	char number[32];
	uint32_t crc32 = 0;
	bool ok = payload_vm(&area, sys, vm);

	snprintf(number, sizeof(number), "%zu", area.size);
	ok = ok && client_request(options, "create", number) && put_all(options, &area, &crc32);
	snprintf(number, sizeof(number), "%u", crc32);
	ok = ok && client_request(options, "commit", number);
	buffer_free(&area);
	return ok;
}

int command_create(const struct options *options)
{
	char *build_dir = files_build_dir(options->build_dir);
	struct system sys;
	bool ok = build_read_system(&sys, options, build_dir);

	if (ok) {
		ok = sys.desc->n_connections == 0;
		if (!ok)
			diag_error_at(sys.file, 0,
				      "connections are made when the system starts, not by "
				      "`create`; remove `connections`");
		for (uint32_t i = 0; i < sys.desc->n_vms && ok; i++)
			ok = create_vm(options, &sys, i);
		system_free(&sys);
	}
	free(build_dir);
	return ok ? EXIT_OK : EXIT_FAILED;
}
