/* `selvage capture`. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "capture_image.h"
#include "capture_source.h"
#include "cli.h"
#include "diag.h"
#include "files.h"
#include "units.h"
#include "wire.h"

static void stamp(char to[CAPTURE_SHORT])
{
	struct timeval now;
	struct tm tm;
	char text[24];

	gettimeofday(&now, NULL);
	gmtime_r(&now.tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(to, CAPTURE_SHORT, "%s.%03uZ", text, (unsigned)now.tv_usec / 1000 % 1000);
}

static bool option_address(const char *option, const char *text, bool *has, uint64_t *value)
{
	if (!text)
		return true;
	*has = units_parse_size(text, value);
	if (!*has)
		diag_error("`--%s %s` is no address; write 0x40000000, 1G or the like", option,
			   text);
	return *has;
}

/* What the user says of the image is above what the source found. */
static bool describe_image(struct capture *c, const struct options *options)
{
	char path[CAPTURE_PATH];
	uint32_t running_crc = c->image.crc32;
	bool known = c->image.has_crc32;

	if (!option_address("load", options->load, &c->image.has_load, &c->image.load) ||
	    !option_address("entry", options->entry, &c->image.has_entry, &c->image.entry))
		return false;
	snprintf(path, sizeof(path), "%s", options->image ? options->image : c->image.file);
	if (!*path) {
		if (!known)
			capture_note(c, "the image is not known; --image FILE names it");
		return true;
	}
	if (capture_image_read(&c->image, path)) {
		if (!known || running_crc == c->image.crc32)
			return true;
		diag_error("%s is not the image that the VM runs: CRC-32 %08x, the VM's is %08x",
			   path, c->image.crc32, running_crc);
		return false;
	}
	if (options->image) {
		diag_error_at(path, 0, "the image cannot be read: %s", strerror(errno));
		return false;
	}
	capture_note(c, "the image %.100s cannot be read from here: %s; --image FILE names it",
		     path, strerror(errno));
	return true;
}

/* capture-NAME-20260131-235959.json */
static char *default_name(const struct capture *c)
{
	char name[CAPTURE_TEXT], date[32], *path;
	time_t now = time(NULL);
	struct tm tm;

	snprintf(name, sizeof(name), "%s", *c->guest_name ? c->guest_name : c->accel_ran);
	for (char *p = name; *p; p++) {
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", *p))
			*p = '_';
	}
	localtime_r(&now, &tm);
	strftime(date, sizeof(date), "%Y%m%d-%H%M%S", &tm);
	path = files_text("capture-%s-%s.json", name, date);
	/* Another one of the same second is not written over. */
	for (unsigned i = 2; i < 1000 && access(path, F_OK) == 0; i++) {
		free(path);
		path = files_text("capture-%s-%s-%u.json", name, date, i);
	}
	return path;
}

static void print_summary(const struct capture *c, const char *path)
{
	size_t others = 0;

	printf("%s\n  %s, %s, board %s, cpu %s; guest was %s\n", path, c->accel_ran,
	       capture_width_names[c->width], *c->board ? c->board : "not known",
	       *c->cpu ? c->cpu : "not known", c->state);
	printf("  vectors at 0x%llx (%s)\n", (unsigned long long)c->base, c->base_rule);
	for (size_t i = 0; i < c->n_vectors; i++) {
		const struct capture_vector *v = &c->vector[i];

		if (!capture_shows_vector(c, i)) {
			others += v->state == VECTOR_PLAUSIBLE;
			continue;
		}
		printf("    %-22s %-20s %.28s; %s\n", v->name, vector_state_names[v->state],
		       *v->text ? v->text : "-", v->reason);
	}
	if (others)
		printf("    %zu more interrupts lead to code\n", others);
	printf("  %zu registers, %zu regions of memory\n", c->general.n + c->system.n,
	       c->n_regions);
	for (size_t i = 0; i < c->n_notes; i++)
		printf("  note: %s\n", c->note[i]);
}

static bool write_capture(const struct capture *c, const struct options *options)
{
	char *json = capture_to_json(c), *text = files_text("%s\n", json);
	char *path = options->output ? files_text("%s", options->output) : default_name(c);
	bool ok = file_write(path, text, strlen(text));

	if (ok)
		print_summary(c, path);
	free(path);
	free(text);
	free(json);
	return ok;
}

static bool look_once(struct capture *c, const struct options *options)
{
	const struct capture_request request = { .monitor = options->monitor,
						 .gdb_server = options->gdb_server,
						 .vm = options->arg[0],
						 .system = options->system };

	capture_free(c);
	stamp(c->started);
	if (options->monitor)
		return capture_from_qemu(c, &request);
	return capture_from_selvage(c, &request);
}

/* Until the guest is there, or the time is over: a machine may still be starting, a VM be up for
 * moments only. What the last try has to say is said. */
static bool look(struct capture *c, const struct options *options)
{
	const struct timespec nap = { .tv_nsec = 20 * 1000000 };
	const time_t end = time(NULL) + (time_t)options->wait_s;

	while (options->wait_s && time(NULL) < end && !wire_signal()) {
		bool good;

		diag_silence(true);
		good = look_once(c, options);
		diag_silence(false);
		if (good)
			return true;
		nanosleep(&nap, NULL);
	}
	return !wire_signal() && look_once(c, options);
}

static bool take(struct capture *c, const struct options *options)
{
	if (!look(c, options))
		return false;
	stamp(c->finished);
	if (options->claim)
		snprintf(c->accel_claimed, sizeof(c->accel_claimed), "%s", options->claim);
	return describe_image(c, options);
}

/* What the command line says, before anything is done. */
static bool options_sound(const struct options *options)
{
	uint64_t value;
	bool has;

	if (!options->monitor == !options->arg[0]) {
		diag_error("name a VM of a running system, or the monitor of a QEMU by --monitor");
		return false;
	}
	return (!options->monitor || wire_check_address(options->monitor)) &&
	       (!options->gdb_server || wire_check_address(options->gdb_server)) &&
	       option_address("load", options->load, &has, &value) &&
	       option_address("entry", options->entry, &has, &value);
}

int command_capture(const struct options *options)
{
	struct capture *c;
	bool ok;

	if (!options_sound(options))
		return EXIT_USAGE;
	c = calloc(1, sizeof(*c));
	if (!c)
		return EXIT_FAILED;
	wire_catch_signals();
	ok = take(c, options) && write_capture(c, options);
	capture_free(c);
	free(c);
	return wire_signal() ? 128 + wire_signal() : ok ? EXIT_OK
							: EXIT_FAILED;
}
