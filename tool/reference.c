#include "reference.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "buffer.h"
#include "cpio.h"
#include "diag.h"
#include "files.h"

/* Linux, QEMU and the guest's image a few times over. */
#define HOST_MEMORY_MIB 640u
#define VIRT_RAM 0x40000000ull
#define VEXPRESS_RAM 0x60000000ull
#define DEVICETREE_MAX (1ull << 20)

/* Where a QEMU finds its files, and how it is reached. */
struct place {
	const char *program, *machine_gic, *cpu;
	const char *image, *initrd, *vectors;
	const char *listen;
	bool kvm;
};

bool reference_is_pc(const struct reference *r) { return strcmp(r->board, "pc") == 0; }

static void add_machine(struct emulator_command *c, const struct reference *r,
			const struct place *p)
{
	emulator_add(c, p->program);
	emulator_add(c, "-M");
	if (reference_is_pc(r))
		emulator_add(c, "q35");
	else if (strcmp(r->board, "vexpress-a9") == 0)
		emulator_add(c, "vexpress-a9");
	else
		emulator_addf(c, "virt,gic-version=%s%s", p->machine_gic,
			      r->width == 32 ? ",highmem=off" : "");
	if (p->kvm) {
		emulator_add(c, "-accel");
		emulator_add(c, "kvm");
	}
	emulator_add(c, "-cpu");
	emulator_add(c, p->cpu);
	emulator_add(c, "-m");
	emulator_addf(c, "%lluM", (unsigned long long)(r->memory_bytes + 0xfffff) >> 20);
	emulator_add(c, "-nodefaults");
	emulator_add(c, "-display");
	emulator_add(c, "none");
	emulator_add(c, "-no-reboot");
	emulator_add(c, "-serial");
	emulator_add(c, "stdio");
}

/* Where `-kernel` puts what has no header. */
static uint64_t raw_kernel_address(const struct reference *r)
{
	if (strcmp(r->board, "vexpress-a9") == 0)
		return VEXPRESS_RAM + 0x10000;
	return VIRT_RAM + (r->width == 32 ? 0x10000 : 0x80000);
}

static bool add_image(struct emulator_command *c, const struct reference *r, const struct place *p)
{
	if (!r->is_raw || (r->load == raw_kernel_address(r) && r->entry == r->load)) {
		emulator_add(c, "-kernel");
		emulator_add(c, p->image);
	} else if (strcmp(r->board, "virt") == 0 && r->load >= VIRT_RAM &&
		   r->load < VIRT_RAM + DEVICETREE_MAX) {
		diag_error("a raw image at 0x%llx is where QEMU's virt puts the devicetree; load "
			   "it at "
			   "0x%llx or from 0x%llx on, or give it as ELF",
			   (unsigned long long)r->load, (unsigned long long)raw_kernel_address(r),
			   (unsigned long long)(VIRT_RAM + DEVICETREE_MAX));
		return false;
	} else {
		emulator_add(c, "-device");
		emulator_addf(c, "loader,file=%s,addr=0x%llx,force-raw=on", p->image,
			      (unsigned long long)r->load);
		emulator_add(c, "-device");
		emulator_addf(c, "loader,addr=0x%llx,cpu-num=0", (unsigned long long)r->entry);
	}
	if (r->initrd) {
		emulator_add(c, "-initrd");
		emulator_add(c, p->initrd);
	}
	if (r->is_linux && r->cmdline && *r->cmdline) {
		emulator_add(c, "-append");
		emulator_add(c, r->cmdline);
	}
	if (r->n_vectors) {
		emulator_add(c, "-device");
		emulator_addf(c, "loader,file=%s,addr=0,force-raw=on", p->vectors);
	}
	return true;
}

static bool add_guest(struct emulator_command *c, const struct reference *r, const struct place *p,
		      const char *trace)
{
	add_machine(c, r, p);
	if (!add_image(c, r, p))
		return false;
	emulator_add(c, "-gdb");
	emulator_addf(c, "tcp:%s:%u,server=on,wait=off", p->listen, r->gdb_port);
	emulator_add(c, "-monitor");
	emulator_addf(c, "tcp:%s:%u,server=on,wait=off", p->listen, r->monitor_port);
	emulator_add(c, "-d");
	emulator_add(c, r->trace_items);
	emulator_add(c, "-D");
	emulator_add(c, trace);
	for (int i = 0; i < r->n_rest; i++)
		emulator_add(c, r->rest[i]);
	return emulator_fits(c);
}

/* Little-endian, as the guest reads them. */
static size_t vector_bytes(const struct reference *r, uint8_t bytes[4 * REFERENCE_VECTORS])
{
	for (unsigned i = 0; i < 4 * r->n_vectors; i++)
		bytes[i] = (uint8_t)(r->vector[i / 4] >> (8 * (i % 4)));
	return 4 * (size_t)r->n_vectors;
}

static bool write_vectors(const struct reference *r, const char *path)
{
	uint8_t bytes[4 * REFERENCE_VECTORS];
	size_t n = vector_bytes(r, bytes);

	files_make_parents(path);
	return n == 0 || file_write(path, bytes, n);
}

static bool here(struct emulator_command *c, const struct reference *r, struct place *p)
{
	char *vectors = files_text("%s/vectors-%u", r->folder, r->monitor_port);
	bool ok;

	p->image = r->image;
	p->initrd = r->initrd;
	p->vectors = vectors;
	p->listen = "127.0.0.1";
	ok = write_vectors(r, vectors) && add_guest(c, r, p, r->trace);
	free(vectors);
	return ok;
}

bool reference_tcg(struct emulator_command *c, const struct reference *r)
{
	struct place place = { .program = reference_is_pc(r) ? "qemu-system-x86_64"
					  : r->width == 32   ? "qemu-system-arm"
							     : "qemu-system-aarch64",
			       .machine_gic = r->gic == 2 ? "2" : "3",
			       .cpu = r->cpu };

	return here(c, r, &place);
}

static struct place kvm_place(const struct reference *r)
{
	return (struct place){ .program = reference_is_pc(r) ? "qemu-system-x86_64"
							     : "qemu-system-aarch64",
			       .machine_gic = "host",
			       .cpu = r->width == 32 ? "host,aarch64=off" : "host",
			       .kvm = true };
}

static bool kvm_can(const struct reference *r)
{
	if (strcmp(r->board, "virt") == 0 || reference_is_pc(r))
		return true;
	diag_error(
		"board %s has a processor of its own, which KVM does not emulate; take board virt, "
		"or --reference qemu",
		r->board);
	return false;
}

bool reference_kvm(struct emulator_command *c, const struct reference *r)
{
	struct place place = kvm_place(r);

	return kvm_can(r) && here(c, r, &place);
}

bool reference_host_has_kvm(const struct reference *r)
{
	struct utsname name;

	return uname(&name) == 0 &&
	       strcmp(name.machine, reference_is_pc(r) ? "x86_64" : "aarch64") == 0 &&
	       access("/dev/kvm", R_OK | W_OK) == 0;
}

/* --- an emulated machine with KVM --- */

static bool append_file(struct buffer *out, const char *name, const char *path)
{
	struct file file = { 0 };

	if (!file_map(&file, path)) {
		diag_error_at(path, 0, "cannot be read: %s", strerror(errno));
		return false;
	}
	cpio_append(out, name, file.data, file.size);
	file_unmap(&file);
	return true;
}

/* One a line, as guests/kvm-host/init.c reads them. */
static void append_arguments(struct buffer *out, const struct emulator_command *inner)
{
	struct buffer text = { 0 };

	for (int i = 0; i < inner->n; i++) {
		buffer_append(&text, inner->argv[i], strlen(inner->argv[i]));
		buffer_append(&text, "\n", 1);
	}
	cpio_append(out, "reference/arguments", text.data, text.size);
	buffer_free(&text);
}

/* The host's file system with the guest's files behind it: Linux unpacks one after the other. */
static bool write_initrd(const struct reference *r, const struct emulator_command *inner,
			 const char *path)
{
	struct buffer out = { 0 };
	struct file base = { 0 };
	uint8_t vectors[4 * REFERENCE_VECTORS];
	char *asset = files_text("%s/assets/kvm-host", r->build_dir);
	bool ok = file_map(&base, asset);

	if (!ok)
		diag_error_at(asset, 0, "cannot be read: %s; `make assets` builds it",
			      strerror(errno));
	if (ok) {
		buffer_append(&out, base.data, base.size);
		buffer_pad(&out, 4);
		ok = append_file(&out, "reference/image", r->image) &&
		     (!r->initrd || append_file(&out, "reference/initrd", r->initrd));
		if (r->n_vectors)
			cpio_append(&out, "reference/vectors", vectors, vector_bytes(r, vectors));
		append_arguments(&out, inner);
		cpio_finish(&out);
	}
	ok = ok && file_write(path, out.data, out.size);
	file_unmap(&base);
	buffer_free(&out);
	free(asset);
	return ok;
}

static bool make_inner(struct emulator_command *inner, const struct reference *r)
{
	struct place place = kvm_place(r);

	place.program = "/usr/bin/qemu-system-aarch64";
	place.image = "/reference/image";
	place.initrd = "/reference/initrd";
	place.vectors = "/reference/vectors";
	place.listen = "0.0.0.0"; /* of a machine whose network ends in the outer QEMU */
	return kvm_can(r) && add_guest(inner, r, &place, "/dev/hvc0");
}

static void make_outer(struct emulator_command *c, const struct reference *r, const char *initrd)
{
	static const char *const fixed[] = {
		"-nodefaults", "-display",
		"none", "-no-reboot",
		"-serial", "stdio",
		"-monitor", "none",
		"-device", "virtio-net-device,netdev=net",
		"-device", "virtio-serial-device",
		"-device", "virtconsole,chardev=trace",
		"-append", "console=ttyAMA0 panic=-1 nokaslr quiet"
	};

	emulator_add(c, "qemu-system-aarch64");
	emulator_add(c, "-M");
	emulator_addf(c, "virt,virtualization=on,gic-version=%u", r->gic);
	emulator_add(c, "-cpu");
	emulator_add(c, "cortex-a57");
	emulator_add(c, "-m");
	emulator_addf(c, "%lluM",
		      HOST_MEMORY_MIB +
			      ((unsigned long long)(r->memory_bytes + 0xfffff) >> 20));
	/* restrict: the guest reaches nothing, only these two ports reach it. */
	emulator_add(c, "-netdev");
	emulator_addf(c,
		      "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:%u-:%u,"
		      "hostfwd=tcp:127.0.0.1:%u-:%u",
		      r->gdb_port, r->gdb_port, r->monitor_port, r->monitor_port);
	emulator_add(c, "-chardev");
	emulator_addf(c, "file,id=trace,path=%s", r->trace);
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		emulator_add(c, fixed[i]);
	emulator_add(c, "-kernel");
	emulator_addf(c, "%s/assets/linux-debian", r->build_dir);
	emulator_add(c, "-initrd");
	emulator_add(c, initrd);
}

bool reference_nested(struct emulator_command *c, const struct reference *r)
{
	struct emulator_command inner = { 0 };
	char *initrd;
	bool ok;

	if (reference_is_pc(r)) {
		diag_error("this host has no KVM for a PC: /dev/kvm of an x86-64 host that may be "
			   "opened; take --reference qemu");
		return false;
	}
	initrd = files_text("%s/kvm-%u.cpio", r->folder, r->monitor_port);
	ok = make_inner(&inner, r);
	files_make_parents(initrd);
	ok = ok && write_initrd(r, &inner, initrd);
	if (ok)
		make_outer(c, r, initrd);
	emulator_free(&inner);
	free(initrd);
	return ok;
}
