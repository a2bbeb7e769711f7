/* `selvage run`. */
#include <errno.h>
#include <fcntl.h>
#include <selvage/vmm_image.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bochs.h"
#include "build.h"
#include "cli.h"
#include "diag.h"
#include "iso.h"
#include "qemu.h"
#include "reference.h"
#include "session.h"

#define DETACH_PATIENCE_S 60

/* An image and the machine that it is for. */
struct run_target {
	char *image;
	char *build_dir;
	struct sysimage_machine machine;
	struct system sys; /* of a description: it is to be built */
	bool described;
	bool foreign; /* the root task does not speak our framing */
};

static bool is_description(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

/* A file that the description names is in the description's folder. */
static void find_disk(struct sysimage_machine *machine, const char *description)
{
	const char *slash = strrchr(description, '/');
	char name[sizeof(machine->disk)];

	if (machine->disk[0] == '\0' || machine->disk[0] == '/' || slash == NULL)
		return;
	memcpy(name, machine->disk, sizeof(name));
	if (snprintf(machine->disk, sizeof(machine->disk), "%.*s/%s", (int)(slash - description),
		     description, name) >= (int)sizeof(machine->disk))
		memcpy(machine->disk, name, sizeof(name));
}

/* Before an emulator fails for it. */
static bool disk_there(const struct sysimage_machine *machine)
{
	int fd;
	off_t bytes;

	if (machine->disk[0] == '\0')
		return true;
	fd = open(machine->disk, machine->disk_writes ? O_RDWR : O_RDONLY);
	if (fd < 0) {
		diag_error("the machine's disk `%s` cannot be opened to %s: %s; %s", machine->disk,
			   machine->disk_writes ? "write" : "read", strerror(errno),
			   errno == ENOENT ? "make it, e.g. with `truncate -s 64M`"
					   : "change that, or `disk`");
		return false;
	}
	bytes = lseek(fd, 0, SEEK_END);
	close(fd);
	if (bytes >= SYSDESC_SECTOR && bytes % SYSDESC_SECTOR == 0)
		return true;
	diag_error("the machine's disk `%s` is no file of whole sectors of %u bytes; make it "
		   "longer, or change `disk`",
		   machine->disk, SYSDESC_SECTOR);
	return false;
}

static bool in_bochs(const struct options *options)
{
	return options->emulator && strcmp(options->emulator, "bochs") == 0;
}

static bool describe_target(struct run_target *target, const struct options *options)
{
	struct system *sys = &target->sys;
	char *config;

	target->described = build_read_system(sys, options, target->build_dir);
	if (!target->described)
		return false;
	if (in_bochs(options) && sys->desc->machine & (uint32_t)SYSDESC_MACHINE_NIC && sys->cpu->pc)
		sys->desc->machine |= SYSDESC_MACHINE_E1000; /* it has no other */
	config = build_config(sys, options);
	target->image = build_default_output(sys, target->build_dir);
	sysimage_machine_of(sys, config, &target->machine);
	find_disk(&target->machine, options->arg[0]);
	free(config);
	return true;
}

static bool build_target(struct run_target *target, const struct options *options)
{
	bool ok = !target->described || (options->dry_run && !in_bochs(options)) ||
		  build_image(&target->sys, options, target->build_dir, target->image);

	/* The run needs none of it, and it has files mapped. */
	if (target->described)
		system_free(&target->sys);
	target->described = false;
	return ok;
}

static bool find_target(struct run_target *target,
			const struct options *options)
{
	target->build_dir = files_build_dir(options->build_dir);
	target->foreign = options->root_task != NULL;
	if (is_description(options->arg[0]))
		return describe_target(target, options);
	target->image = files_text("%s", options->arg[0]);
	return sysimage_read(target->image, &target->machine,
			     &target->foreign);
}

static void print_gdb_help(const struct run_target *target, const struct options *options)
{
	unsigned port = options->gdb_port ? options->gdb_port : QEMU_GDB_PORT;
	const char *dir = target->build_dir;
	const char *config = target->machine.config;

	diag_note("the machine waits for a debugger on port %u, its monitor is on port %u; type",
		  port, options->monitor_port ? options->monitor_port : QEMU_MONITOR_PORT);
	fprintf(stderr,
		"    gdb-multiarch %s/%s/kernel.elf\n"
		"    (gdb) target remote 127.0.0.1:%u\n"
		"  Processes share their addresses; load the symbols of the one "
		"you are after:\n",
		dir, config, port);
	static const char *const programs[] = { "init", "serial", "time", "log", "debug" };
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		fprintf(stderr, "    (gdb) add-symbol-file %s/%s/bin/%s.elf\n",
			dir, config, programs[i]);
	for (size_t i = 0; i < VMM_IMAGES; i++)
		fprintf(stderr, "    (gdb) add-symbol-file %s/%s/bin/%s.elf\n",
			dir, config, vmm_images[i].name);
	fprintf(stderr, "    (gdb) continue\n");
}

static enum session_mode choose_mode(const struct options *options,
				     const struct run_target *target)
{
	if (options->plain || options->deterministic || target->foreign)
		return SESSION_PLAIN;
	if (options->detach || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return SESSION_LINES;
	return SESSION_SCREEN;
}

/* The child goes on with the session; the parent waits until the system
 * answers and returns its exit code. In the child: -1. */
static int detach(const struct run_target *target, int *ready)
{
	int fds[2];
	char byte;
	pid_t pid;

	if (pipe(fds) != 0 || (pid = fork()) < 0) {
		diag_error("cannot go to the background");
		return EXIT_FAILED;
	}
	if (pid == 0) {
		close(fds[0]);
		setsid();
		if (!freopen("/dev/null", "r", stdin) ||
		    !freopen("/dev/null", "w", stdout))
			_exit(EXIT_FAILED);
		*ready = fds[1];
		return -1;
	}
	close(fds[1]);
	if (read(fds[0], &byte, 1) == 1) {
		printf("%s runs in the background; `selvage ps`, `console VM`, "
		       "`logs`, `poweroff`\n",
		       target->machine.name);
		return EXIT_OK;
	}
	waitpid(pid, NULL, 0);
	diag_error("the system ended before it answered");
	return EXIT_FAILED;
}

static int run_session(const struct run_target *target,
		       const struct options *options,
		       struct emulator_command *command)
{
	char *symbols = files_text("%s/%s", target->build_dir,
				   target->machine.config);
	struct session_config config = {
		.mode = choose_mode(options, target),
		.machine = &target->machine,
		.command = command,
		.symbols = symbols,
		.log = options->log,
		.timeout_s = options->timeout_s,
		.null_input = options->deterministic,
		.silent = options->detach,
		.ready = -1,
	};
	int code = options->detach ? detach(target, &config.ready) : -1;

	if (code < 0)
		code = session_run(&config);
	free(symbols);
	return code;
}

/* What is wrong with --firmware, or NULL. */
static const char *firmware_error(const struct options *options, const struct run_target *target)
{
	if (!options->firmware)
		return NULL;
	if (strcmp(options->firmware, "bios") != 0 && strcmp(options->firmware, "uefi") != 0)
		return "--firmware is `bios` or `uefi`";
	return cpu_find(target->machine.cpu)->pc ? NULL
						 : "--firmware is for a machine with `board: pc`; "
						   "leave it out";
}

/* What is wrong with --emulator, or NULL. */
static const char *emulator_error(const struct options *options, const struct run_target *target)
{
	if (in_bochs(options))
		return bochs_lacks(&target->machine, options);
	return !options->emulator || strcmp(options->emulator, "qemu") == 0
		       ? NULL
		       : "--emulator is `qemu` or `bochs`";
}

static bool make_iso(const struct options *options, const struct run_target *target)
{
	char *path;
	bool ok;

	if (!options->firmware)
		return true;
	if (strcmp(options->firmware, "uefi") == 0 && access(QEMU_UEFI, R_OK) != 0) {
		diag_error("there is no `" QEMU_UEFI "`; install it: apt-get install ovmf");
		return false;
	}
	path = files_text("%s" QEMU_ISO_SUFFIX, target->image);
	ok = iso_build(target->image, target->machine.name, path);
	free(path);
	return ok;
}

/* A shell's background job is stopped when it touches the terminal, and its clients wait. */
static bool stands_behind(const struct options *options, const struct run_target *target)
{
	const enum session_mode mode = choose_mode(options, target);
	const pid_t owner = isatty(STDIN_FILENO) ? tcgetpgrp(STDIN_FILENO) : -1;

	return mode != SESSION_LINES && !options->deterministic && owner >= 0 && owner != getpgrp();
}

static bool options_agree(const struct options *options,
			  const struct run_target *target)
{
	if (options->detach && choose_mode(options, target) == SESSION_PLAIN) {
		diag_error("--detach does not go with --plain, --deterministic "
			   "or --root-task; leave one out");
		return false;
	}
	if (!options->dry_run && stands_behind(options, target)) {
		diag_error("it would read this terminal, which another command has; run it with "
			   "--detach, or in the foreground");
		return false;
	}
	if (emulator_error(options, target) || firmware_error(options, target)) {
		diag_error("%s", emulator_error(options, target)
					 ? emulator_error(options, target)
					 : firmware_error(options, target));
		return false;
	}
	return true;
}

/* What the emulator starts from beside the image. */
static bool prepare(const struct options *options, const struct run_target *target)
{
	if (in_bochs(options))
		return bochs_write_files(&target->machine, target->image, target->build_dir,
					 options);
	return disk_there(&target->machine) && make_iso(options, target);
}

static int run_target(const struct run_target *target, const struct options *options)
{
	struct emulator_command command = { 0 };
	int code = EXIT_FAILED;

	if (in_bochs(options))
		bochs_command_make(&command, target->image, options);
	else
		qemu_command_make(&command, &target->machine, target->image, options);
	if (options->dry_run) {
		/* What Bochs's says is in files. */
		if (!in_bochs(options) || prepare(options, target)) {
			emulator_print(&command, options->deterministic);
			code = EXIT_OK;
		}
	} else if (prepare(options, target)) {
		if (options->gdb)
			print_gdb_help(target, options);
		code = run_session(target, options, &command);
	}
	emulator_free(&command);
	return code;
}

/* Options of `--reference` that could be overlooked without it. */
static bool only_of_reference(const struct options *options)
{
	const struct {
		const char *name;
		bool given;
	} of[] = {
		{ "vm", options->vm },
		{ "board", options->board },
		{ "width", options->width },
		{ "cpu", options->cpu },
		{ "gic", options->gic },
		{ "memory", options->memory },
		{ "load", options->load },
		{ "entry", options->entry },
		{ "trace", options->trace },
		{ "trace-items", options->trace_items },
	};

	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		if (!of[i].given)
			continue;
		diag_error("--%s is of a reference; give --reference too, or leave it out",
			   of[i].name);
		return true;
	}
	return false;
}

/* Each that is used, the usual ones too, is one, and another than the other one. */
static bool ports_agree(const struct options *options)
{
	const bool reference = options->reference != NULL;
	const unsigned gdb = options->gdb_port ? options->gdb_port
			     : reference       ? REFERENCE_GDB_PORT
					       : QEMU_GDB_PORT;
	const unsigned monitor = options->monitor_port ? options->monitor_port
				 : reference           ? REFERENCE_MONITOR_PORT
						       : QEMU_MONITOR_PORT;

	if (gdb > UINT16_MAX || monitor > UINT16_MAX) {
		diag_error("`--%s %u` is no TCP port; give one up to %u",
			   gdb > UINT16_MAX ? "gdb-port" : "monitor-port",
			   gdb > UINT16_MAX ? gdb : monitor, UINT16_MAX);
		return false;
	}
	if (gdb != monitor || !(options->gdb || reference))
		return true;
	diag_error("GDB server and monitor cannot both be on port %u; give another --gdb-port or "
		   "--monitor-port",
		   gdb);
	return false;
}

int command_run(const struct options *options)
{
	struct run_target target = { 0 };
	int code = EXIT_FAILED;

	if (!ports_agree(options))
		return EXIT_USAGE;
	if (options->reference)
		return command_reference(options);
	if (only_of_reference(options))
		return EXIT_USAGE;
	if (find_target(&target, options)) {
		if (!options_agree(options, &target))
			code = EXIT_USAGE;
		else if (build_target(&target, options))
			code = run_target(&target, options);
	}
	if (target.described)
		system_free(&target.sys);
	free(target.image);
	free(target.build_dir);
	return code;
}
