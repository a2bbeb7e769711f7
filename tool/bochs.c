/*
 * Bochs starts from a disk whose boot sector (bochs_boot.S) reads the kernel and its
 * Multiboot information, with the modules behind that, to where they belong. Its serial line
 * is a TCP connection to us in a network of its own: its display, which nobody looks at,
 * listens there too, on every address.
 */
#include "bochs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "buffer.h"
#include "diag.h"
#include "files.h"

#define SHARE "/usr/share/bochs"
#define MEMORY_MAX_MIB 2048u
/* Time is counted in instructions: the more a second has, the longer it takes, and the slower
 * is COM1; with much less a tick of 1 ms is too short for what it costs. */
#define IPS 200000000u
#define TIME_FIXED "1767225600" /* 2026-01-01 */
/* As bochs_boot.S has them. */
#define SECTOR 512u
#define CHUNK (64 * SECTOR)
#define CYLINDER (16 * 63 * SECTOR)
#define INFO 0x1000000u
#define INFO_BYTES 4096u
#define INFO_MODULES 2048u
#define INFO_ENTRY 116u
#define LOW_KIB 640u
#define EXTENTS_AT 480u
/* Multiboot 0.6.96, section 3.1. */
#define HEADER_MAGIC 0x1badb002u
#define HEADER_HAS_ADDRESSES (1u << 16)
#define HEADER_SEARCH 8192u
#define INFO_FLAGS (1u | 1u << 3 | 1u << 6) /* memory, modules, map */

enum { H_MAGIC,
       H_FLAGS,
       H_SUM,
       H_HEADER,
       H_LOAD,
       H_LOAD_END,
       H_BSS_END,
       H_ENTRY,
       H_WORDS };

const char *bochs_lacks(const struct sysimage_machine *machine, const struct options *options)
{
	if (!cpu_find(machine->cpu)->pc)
		return "Bochs is a PC: it runs machines with `board: pc`";
	if (options->gdb || options->gdb_port || options->monitor_port)
		return "Bochs has no GDB server and no monitor; leave that out, or take QEMU";
	if (options->firmware)
		return "--firmware is for QEMU; leave it out";
	if (machine->disk[0] != '\0')
		return "Bochs has no virtio disk; leave `disk` out of the machine, or take QEMU";
	if (machine->nic && !machine->e1000)
		return "Bochs has no virtio network interface; build the image with `nic: e1000`";
	if (machine->n_forwards)
		return "the host does not reach into Bochs's network; leave `forward` out";
	if (machine->memory_bytes >> 20 > MEMORY_MAX_MIB)
		return "Bochs has no more than 2G of memory; say so in `machine: {memory: 2G}`";
	return NULL;
}

/* --- the connection of its serial line --- */

/* Bochs's display takes anybody's keys: a network that is nobody else's, if we may. */
static bool enter_own_network(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;
	bool up;

	if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return false;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	up = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &lo) == 0;
	close(fd);
	return up;
}

static int listen_for_serial(struct emulator_command *command)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);
	int fd;

	if (!enter_own_network()) {
		diag_error("Bochs's display would listen on this host's network: it needs one of "
			   "its own, which only root or a user namespace can make");
		return -1;
	}
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&at, size) != 0 || listen(fd, 1) != 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &size) != 0) {
		diag_error("cannot listen for Bochs's serial line: %s", strerror(errno));
		return -1;
	}
	emulator_addf(command, "com1: enabled=1, mode=socket-client, dev=127.0.0.1:%u",
		      ntohs(at.sin_port));
	return fd;
}

/* --- what it starts from --- */

static char *folder_of(const char *image)
{
	return files_text("%s.bochs", image);
}

void bochs_command_make(struct emulator_command *command, const char *image,
			const struct options *options)
{
	*command = (struct emulator_command){ .package = "bochs bochs-term",
					      .folder = folder_of(image),
					      .listen = listen_for_serial,
					      .log = files_text("%s.bochs/log", image),
					      .off = "ACPI control: soft power off" };
	emulator_add_list(command, "bochs", "-q", "-f", "bochsrc", "-rc", "debugger", NULL);
	for (int i = 0; i < options->n_rest; i++)
		emulator_add(command, options->rest[i]);
}

static uint32_t word_at(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void put_word(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

/* Where the file has the header's first byte to load; the header in `h`. */
static bool find_header(const struct file *kernel, uint32_t h[H_WORDS], uint32_t *from)
{
	for (uint32_t at = 0; at < HEADER_SEARCH && at + sizeof(uint32_t[H_WORDS]) <= kernel->size;
	     at += 4) {
		for (unsigned i = 0; i < H_WORDS; i++)
			h[i] = word_at(kernel->data + at + 4 * i);
		*from = at - (h[H_HEADER] - h[H_LOAD]);
		if (h[H_MAGIC] == HEADER_MAGIC && h[H_FLAGS] & HEADER_HAS_ADDRESSES &&
		    h[H_HEADER] - h[H_LOAD] <= at && h[H_LOAD_END] > h[H_LOAD] &&
		    h[H_LOAD_END] - h[H_LOAD] <= kernel->size - *from &&
		    h[H_BSS_END] >= h[H_LOAD_END] && h[H_BSS_END] <= INFO)
			return true;
	}
	diag_error_at(kernel->path, 0, "it has no Multiboot header with addresses below %u MiB, by "
				       "which it could be started in Bochs; take QEMU",
		      INFO >> 20);
	return false;
}

/* What was added from `start` on goes to `address`. */
static void end_extent(struct buffer *disk, unsigned number, size_t start, uint32_t address)
{
	uint8_t *entry;

	buffer_pad(disk, CHUNK);
	entry = disk->data + EXTENTS_AT + (size_t)number * 12;
	put_word(entry, (uint32_t)(start / SECTOR));
	put_word(entry + 4, (uint32_t)((disk->size - start) / CHUNK));
	put_word(entry + 8, address);
}

static void add_kernel(struct buffer *disk, const struct file *kernel, const uint32_t h[H_WORDS],
		       uint32_t from)
{
	size_t start = disk->size;

	buffer_append(disk, kernel->data + from, h[H_LOAD_END] - h[H_LOAD]);
	buffer_zeros(disk, h[H_BSS_END] - h[H_LOAD_END]);
	end_extent(disk, 0, start, h[H_LOAD]);
}

static void add_modules(struct buffer *disk, const struct file *modules, unsigned n, uint32_t entry)
{
	size_t start = disk->size;
	uint8_t info[INFO_BYTES] = { 0 };

	buffer_zeros(disk, sizeof(info));
	put_word(info, INFO_FLAGS);
	put_word(info + 4, LOW_KIB);
	put_word(info + 20, n);
	put_word(info + 24, INFO + INFO_MODULES);
	put_word(info + INFO_ENTRY, entry);
	for (unsigned i = 0; i < n; i++) {
		uint32_t at = INFO + (uint32_t)(disk->size - start);
		put_word(info + INFO_MODULES + 16 * i, at);
		put_word(info + INFO_MODULES + 16 * i + 4, at + (uint32_t)modules[i].size);
		buffer_append(disk, modules[i].data, modules[i].size);
		buffer_pad(disk, INFO_BYTES);
	}
	memcpy(disk->data + start, info, sizeof(info));
	end_extent(disk, 1, start, INFO);
}

static bool make_disk(const struct file *boot, const struct file *kernel,
		      const struct file *modules, unsigned n, const char *path)
{
	struct buffer disk = { 0 };
	uint32_t header[H_WORDS], from;
	bool ok;

	if (boot->size != SECTOR) {
		diag_error_at(boot->path, 0, "it is no boot sector; build it again with `make "
					     "CONFIG=pc`");
		return false;
	}
	if (!find_header(kernel, header, &from))
		return false;
	buffer_append(&disk, boot->data, boot->size);
	buffer_pad(&disk, CHUNK);
	add_kernel(&disk, kernel, header, from);
	add_modules(&disk, modules, n, header[H_ENTRY]);
	buffer_pad(&disk, CYLINDER);
	ok = file_write(path, disk.data, disk.size);
	buffer_free(&disk);
	return ok;
}

static bool map(struct file *file, char *path, const char *hint)
{
	bool ok = file_map(file, path);

	if (!ok)
		diag_error_at(path, 0, "cannot read it: %s; %s",
			      errno == ENODATA ? "it is empty" : strerror(errno), hint);
	free(path);
	return ok;
}

static bool write_disk(const char *image, const char *sector, const char *path)
{
	struct file boot = { 0 }, kernel = { 0 }, modules[2] = { 0 };
	const char *again = "build the image again with `selvage build`";
	bool ok = map(&boot, files_text("%s", sector), "build it with `make CONFIG=pc`") &&
		  map(&kernel, files_text("%s" SYSIMAGE_PC_KERNEL, image), again) &&
		  map(&modules[0], files_text("%s" SYSIMAGE_PC_ROOT, image), again) &&
		  map(&modules[1], files_text("%s", image), again) &&
		  make_disk(&boot, &kernel, modules, 2, path);

	file_unmap(&boot);
	file_unmap(&kernel);
	file_unmap(&modules[0]);
	file_unmap(&modules[1]);
	return ok;
}

/* An exit of a guest's is an error to Bochs, and worth a line. */
static char *configuration(const struct sysimage_machine *machine, const struct options *options)
{
	return files_text(
		"megs: %llu\n"
		"cpu: model=corei7_skylake_x, count=1, ips=%u, reset_on_triple_fault=0\n"
		"romimage: file=" SHARE "/BIOS-bochs-latest, options=fastboot\n"
		"vgaromimage: file=" SHARE "/VGABIOS-lgpl-latest\n"
		"pci: enabled=1, chipset=i440fx%s\n"
		"%s"
		"ata0-master: type=disk, path=disk, mode=flat\n"
		"boot: disk\n"
		"display_library: rfb, options=\"timeout=0\"\n"
		"sound: driver=dummy\n"
		"speaker: enabled=0\n"
		"clock: sync=none, time0=%s\n"
		"log: log\n"
		"panic: action=fatal\n"
		"error: action=ignore\n",
		(unsigned long long)machine->memory_bytes >> 20, IPS,
		machine->nic ? ", slot1=e1000" : "",
		machine->nic ? "e1000: enabled=1, mac=52:54:00:12:34:56, ethmod=slirp\n" : "",
		options->deterministic ? TIME_FIXED : "utc");
}

static bool write_text(const char *folder, const char *name, const char *text)
{
	char *path = files_text("%s/%s", folder, name);
	bool ok = file_write(path, text, strlen(text));

	free(path);
	return ok;
}

bool bochs_write_files(const struct sysimage_machine *machine, const char *image,
		       const char *build_dir, const struct options *options)
{
	char *folder = folder_of(image), *disk = files_text("%s/disk", folder);
	char *lock = files_text("%s.lock", disk), *text = configuration(machine, options);
	char *sector = files_text("%s/%s/bochs-boot.bin", build_dir, machine->config);
	bool ok;

	files_make_parents(disk);
	unlink(lock); /* of a Bochs that was killed */
	ok = write_disk(image, sector, disk) && write_text(folder, "bochsrc", text) &&
	     write_text(folder, "debugger", "c\nq\n") && write_text(folder, "log", "");
	free(folder);
	free(disk);
	free(lock);
	free(text);
	free(sector);
	return ok;
}
