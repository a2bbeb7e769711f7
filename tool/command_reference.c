/* `selvage run --reference`. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "build.h"
#include "cli.h"
#include "cpus.h"
#include "diag.h"
#include "files.h"
#include "guestimg.h"
#include "reference.h"
#include "units.h"

#define IMAGE_MEMORY (128ull << 20)

/* --- from a system description --- */

/* The VM that is meant; UINT32_MAX with a message. */
static uint32_t find_vm(const struct system *sys, const char *name)
{
	for (uint32_t i = 0; i < sys->desc->n_vms; i++) {
		if (name ? strcmp(sys->desc->vm[i].name, name) == 0 : sys->desc->n_vms == 1)
			return i;
	}
	if (name)
		diag_error_at(sys->file, 0, "it has no VM `%s`", name);
	else
		diag_error_at(sys->file, 0, "it has %u VMs; say which one with --vm",
			      sys->desc->n_vms);
	return UINT32_MAX;
}

/* QEMU's boards have their RAM in one piece from one address on, a PC's from 0. */
static uint64_t memory_of(const struct sysdesc_vm *vm)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < vm->n_regions; i++) {
		if (sysdesc_owns(&vm->region[i]) &&
		    (vm->region[i].gpa != 0 || vm->board == SYSDESC_BOARD_PC))
			bytes += vm->region[i].size;
	}
	return bytes;
}

static bool from_vm(struct reference *r, const struct system *sys, const char *name)
{
	uint32_t index = find_vm(sys, name);
	const struct sysdesc_vm *vm;

	if (index == UINT32_MAX)
		return false;
	vm = &sys->desc->vm[index];
	r->image = sys->kernel[index].path;
	r->initrd = sys->modules[index]       ? sys->modules[index]
		    : sys->initrd[index].data ? sys->initrd[index].path
					      : NULL;
	r->cmdline = vm->cmdline;
	r->board = sysdesc_board_name(vm->board);
	r->width = vm->width;
	if (sys->desc->gic_version != 0)
		r->gic = sys->desc->gic_version;
	r->memory_bytes = memory_of(vm);
	r->is_linux = vm->boot != SYSDESC_BOOT_PIECES;
	r->is_raw = sys->conf->vms[index].kind == GUESTIMG_RAW || vm->boot == SYSDESC_BOOT_FLAT;
	r->load = vm->n_pieces ? vm->piece[0].gpa : 0;
	r->entry = vm->entry;
	r->n_vectors = vm->n_vectors;
	memcpy(r->vector, vm->vector, sizeof(vm->vector));
	return true;
}

/* --- from an image --- */

static bool option_size(const char *name, const char *text, uint64_t *value)
{
	if (!text || units_parse_size(text, value))
		return true;
	diag_error("`--%s %s` is no number; write 0x40000000, 128M or the like", name, text);
	return false;
}

static bool from_image(struct reference *r, const struct options *options, const char *path)
{
	struct guestimg_wish wish = { .kind = options->load ? GUESTIMG_RAW : GUESTIMG_FIND,
				      .has_load = options->load != NULL,
				      .has_entry = options->entry != NULL };
	struct guestimg_kernel kernel = { 0 };
	struct file file = { 0 };
	const bool pc = options->board && strcmp(options->board, "pc") == 0;
	const char *why;

	if (pc && options->load)
		wish.kind = GUESTIMG_FLAT;
	(void)option_size("load", options->load, &wish.load);
	(void)option_size("entry", options->entry, &wish.entry);
	if (!file_map(&file, path)) {
		diag_error_at(path, 0, "there is no image that can be read: %s",
			      errno == ENODATA ? "it is empty" : strerror(errno));
		return false;
	}
	why = pc ? guestimg_check_pc(file.data, file.size, &wish, &kernel)
		 : guestimg_check_kernel(file.data, file.size, &wish, &kernel);
	file_unmap(&file);
	if (why) {
		diag_error_at(path, 0, "%s%s", why,
			      options->load ? "" : " (of a raw image: --load ADDRESS)");
		return false;
	}
	r->image = path;
	r->width = kernel.width ? kernel.width : 64;
	r->is_linux = pc || kernel.kind == GUESTIMG_IMAGE || kernel.kind == GUESTIMG_ZIMAGE;
	r->is_raw = kernel.kind == GUESTIMG_RAW || kernel.kind == GUESTIMG_FLAT;
	r->load = kernel.n_pieces ? kernel.piece[0].gpa : 0;
	r->entry = r->is_raw && !options->entry ? r->load : kernel.entry;
	guestimg_free(&kernel);
	return true;
}

/* --- what the command line says --- */

/* Before a file is read. */
static bool options_sound(const struct options *options)
{
	const char *board = options->board ? options->board : "virt";
	uint64_t value;

	if (strcmp(options->reference, "qemu") != 0 && strcmp(options->reference, "kvm") != 0) {
		diag_error("`--reference %s`: there are qemu and kvm", options->reference);
		return false;
	}
	if (strcmp(board, "virt") != 0 && strcmp(board, "vexpress-a9") != 0 &&
	    strcmp(board, "pc") != 0) {
		diag_error("`--board %s`: there are virt, vexpress-a9 and pc", board);
		return false;
	}
	if ((options->width && options->width != 32 && options->width != 64) ||
	    (options->gic && options->gic != 2 && options->gic != 3)) {
		diag_error("--width is 32 or 64, --gic 2 or 3");
		return false;
	}
	return option_size("memory", options->memory, &value) &&
	       option_size("load", options->load, &value) &&
	       option_size("entry", options->entry, &value);
}

static bool take_options(struct reference *r, const struct options *options)
{
	if (options->board)
		r->board = options->board;
	if (options->width)
		r->width = options->width;
	if (options->gic)
		r->gic = options->gic;
	if (strcmp(r->board, "vexpress-a9") == 0)
		r->width = 32;
	if (reference_is_pc(r) && r->is_raw) {
		diag_error("QEMU starts no flat image on a PC; take one of bzImage, PVH or "
			   "Multiboot");
		return false;
	}
	r->cpu = strcmp(r->board, "vexpress-a9") == 0 ? "cortex-a9"
		 : reference_is_pc(r)                 ? cpu_find(CPU_DEFAULT_PC)->qemu
		 : r->width == 32                     ? "cortex-a15"
						      : "cortex-a57";
	if (options->cpu)
		r->cpu = options->cpu;
	r->gdb_port = options->gdb_port ? options->gdb_port : REFERENCE_GDB_PORT;
	r->monitor_port = options->monitor_port ? options->monitor_port : REFERENCE_MONITOR_PORT;
	r->trace_items = options->trace_items ? options->trace_items : "int,guest_errors,unimp";
	r->rest = options->rest;
	r->n_rest = options->n_rest;
	return option_size("memory", options->memory, &r->memory_bytes);
}

static void print_configuration(const struct reference *r, const char *how)
{
	printf("reference: %s\n"
	       "  image   %s, %u-bit, board %s, ",
	       how, r->image, r->width, r->board);
	if (!reference_is_pc(r))
		printf("gic %u, ", r->gic);
	printf("memory %lluM\n", (unsigned long long)(r->memory_bytes + 0xfffff) >> 20);
	if (r->is_raw)
		printf("  load    0x%llx, entry 0x%llx\n", (unsigned long long)r->load,
		       (unsigned long long)r->entry);
	if (r->n_vectors)
		printf("  vectors at 0, as `low_vectors` says\n");
	printf("  gdb     127.0.0.1:%u\n  monitor 127.0.0.1:%u\n  trace   %s (%s)\n", r->gdb_port,
	       r->monitor_port, r->trace, r->trace_items);
}

static void print_what_to_type(const struct reference *r, bool kvm)
{
	printf("type in another terminal:\n"
	       "  selvage capture --monitor %u --image %s --claim %s\n"
	       "  gdb-multiarch -ex 'target remote 127.0.0.1:%u'\n"
	       "  nc 127.0.0.1 %u        then: info registers, x/8wx 0, info mtree -f, quit\n",
	       r->monitor_port, r->image, kvm ? "kvm" : "tcg", r->gdb_port, r->monitor_port);
	fflush(stdout);
}

static int start(const struct reference *r, const struct options *options)
{
	struct emulator_command command = { 0 };
	bool kvm = strcmp(options->reference, "kvm") == 0;
	bool nested = kvm && !reference_host_has_kvm(r);
	int code = EXIT_FAILED;
	bool ok = !kvm     ? reference_tcg(&command, r)
		  : nested ? reference_nested(&command, r)
			   : reference_kvm(&command, r);

	if (ok && options->dry_run) {
		emulator_print(&command, false);
		code = EXIT_OK;
	} else if (ok) {
		print_configuration(r, !kvm     ? "QEMU, emulating (TCG)"
				       : nested ? "QEMU with KVM in Debian's arm64 kernel on an "
						  "emulated machine"
						: "QEMU with KVM");
		print_what_to_type(r, kvm);
		execvp(command.argv[0], command.argv);
		diag_error("cannot start %s: %s; install it: apt-get install qemu-system-%s",
			   command.argv[0], strerror(errno), reference_is_pc(r) ? "x86" : "arm");
	}
	emulator_free(&command);
	return code;
}

int command_reference(const struct options *options)
{
	struct reference r = { .board = "virt", .gic = 3, .memory_bytes = IMAGE_MEMORY };
	struct system sys = { 0 };
	const char *dot = strrchr(options->arg[0], '.');
	bool described = dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
	char *build_dir, *folder, *trace;
	int code = EXIT_FAILED;
	bool read;

	if (!options_sound(options))
		return EXIT_USAGE;
	build_dir = files_build_dir(options->build_dir);
	folder = files_text("%s/reference", build_dir);
	trace = options->trace ? files_text("%s", options->trace)
			       : files_text("reference-%s.trace", options->reference);
	read = described && build_read_system(&sys, options, build_dir);
	r.build_dir = build_dir;
	r.folder = folder;
	r.trace = trace;
	if ((described ? read && from_vm(&r, &sys, options->vm)
		       : from_image(&r, options, options->arg[0])) &&
	    take_options(&r, options))
		code = start(&r, options);
	if (read)
		system_free(&sys);
	free(trace);
	free(folder);
	free(build_dir);
	return code;
}
