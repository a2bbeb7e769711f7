#include "sysimage.h"

#include <errno.h>
#include <loader_header.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buffer.h"
#include "cpio.h"
#include "diag.h"
#include "elfcheck.h"
#include "payload_build.h"
#include "units.h"

#define PAGE 4096u
#define LARGE_PAGE (2u << 20)
/* The kernel's place, less room for the firmware's devicetree, which QEMU
 * puts behind the image. */
#define IMAGE_END_MAX (0x60000000ull - (4ull << 20))

struct image_files {
	struct file loader;
	struct file kernel;
	struct file root;
};

static bool map_part(struct file *file, char *path, const char *hint)
{
	bool ok = file_map(file, path);

	if (!ok)
		diag_error_at(path, 0, "cannot read it: %s; %s",
			      errno == ENODATA ? "it is empty"
					       : strerror(errno),
			      hint);
	free(path);
	return ok;
}

static bool open_files(struct image_files *f,
		       const struct sysimage_parts *parts, bool pc)
{
	const char *make = strstr(parts->config, "-debug")
				   ? "build it with `make BUILD=debug CONFIG=...`"
				   : "build it with `make CONFIG=...`";
	char *kernel = parts->kernel
			       ? files_text("%s", parts->kernel)
			       : files_text("%s/%s/kernel.%s", parts->build_dir, parts->config,
					    pc ? "bin" : "elf");
	char *root = parts->root_task
			     ? files_text("%s", parts->root_task)
			     : files_text("%s/%s/bin/init.elf",
					  parts->build_dir, parts->config);
	bool ok = pc || map_part(&f->loader,
				 files_text("%s/%s/loader.img", parts->build_dir, parts->config),
				 make);

	ok = map_part(&f->kernel, kernel,
		      parts->kernel ? "give a kernel with --kernel" : make) &&
	     ok;
	return map_part(&f->root, root,
			parts->root_task ? "give a program with --root-task"
					 : make) &&
	       ok;
}

static void close_files(struct image_files *f)
{
	file_unmap(&f->loader);
	file_unmap(&f->kernel);
	file_unmap(&f->root);
}

static bool check_loader(const struct file *loader,
			 struct loader_header *header)
{
	if (loader->size >= LOADER_HEADER_OFFSET + sizeof(*header)) {
		memcpy(header, loader->data + LOADER_HEADER_OFFSET,
		       sizeof(*header));
		if (header->magic == LOADER_MAGIC &&
		    header->version == LOADER_VERSION)
			return true;
	}
	diag_error_at(loader->path, 0,
		      "it is no loader of this version; build it again with "
		      "`make`");
	return false;
}

static void append_network(struct buffer *image, const struct sysimage_machine *machine)
{
	buffer_text(image, "nic=%s\n",
		    machine->e1000 ? "e1000" : machine->nic ? "virtio"
							    : "none");
	for (unsigned i = 0; i < machine->n_forwards; i++)
		buffer_text(image, "forward=%s:%u:%s:%u\n", machine->forward[i].protocol,
			    machine->forward[i].host_port, machine->forward[i].address,
			    machine->forward[i].port);
}

static void append_disk(struct buffer *image, const struct sysimage_machine *machine)
{
	if (machine->disk[0] != '\0')
		buffer_text(image, "disk=%s %s\n", machine->disk,
			    machine->disk_writes ? "read-write" : "read-only");
}

static void append_record(struct buffer *image,
			  const struct sysimage_machine *machine, bool foreign_root)
{
	buffer_pad(image, PAGE);
	buffer_text(image, SYSIMAGE_RECORD_MAGIC "name=%s\ncpu=%s\nconfig=%s\ngic=%u\nmemory=%llu\n"
						 "root=%s\n",
		    machine->name, machine->cpu, machine->config, machine->gic,
		    (unsigned long long)machine->memory_bytes,
		    foreign_root ? "foreign" : "selvage");
	append_network(image, machine);
	append_disk(image, machine);
	buffer_pad(image, SYSIMAGE_RECORD_BYTES);
}

static void append_archive(struct buffer *image, struct loader_header *header,
			   const struct image_files *files)
{
	buffer_pad(image, PAGE);
	header->cpio_offset = image->size;
	cpio_append(image, "kernel.elf", files->kernel.data,
		    files->kernel.size);
	cpio_append(image, "rootserver", files->root.data, files->root.size);
	cpio_finish(image);
	header->cpio_bytes = image->size - header->cpio_offset;
}

/* The guests' memory must fit beside the image, which stays where it is. */
static bool check_fit(const struct system *sys, const struct buffer *image,
		      bool guests)
{
	uint64_t need = SYSTEM_RESERVE_BYTES + image->size;

	if (!sys->cpu->pc && LOADER_BASE + image->size > IMAGE_END_MAX) {
		diag_error_at(sys->file, 0,
			      "the images of all VMs make a system image of %zu "
			      "MiB, and %llu fit; use smaller initrds, or the "
			      "same files for several VMs",
			      image->size >> 20,
			      (IMAGE_END_MAX - LOADER_BASE) >> 20);
		return false;
	}
	if (guests)
		need += system_guest_bytes(sys) +
			sys->desc->n_vms * SYSTEM_VM_RESERVE_BYTES;
	if (need <= sys->machine_bytes)
		return true;
	diag_error_at(sys->file, 0,
		      "VMs, services and their images take %llu MiB, but the "
		      "machine has %s; raise `machine: {memory: ...}`",
		      (unsigned long long)(need >> 20) + 1,
		      units_size_text(sys->machine_bytes));
	return false;
}

static void patch_header(struct buffer *image,
			 const struct loader_header *header)
{
	uint64_t size = image->size;

	memcpy(image->data + LOADER_IMAGE_SIZE_OFFSET, &size, sizeof(size));
	memcpy(image->data + LOADER_HEADER_OFFSET, header, sizeof(*header));
}

static bool assemble(const struct system *sys,
		     const struct sysimage_parts *parts,
		     const struct image_files *files, struct buffer *image)
{
	struct loader_header header;
	struct sysimage_machine machine;

	if (!check_loader(&files->loader, &header) ||
	    !elfcheck_program(&files->kernel, false, "give the kernel's ELF file") ||
	    !elfcheck_program(&files->root, false, "give a root task's ELF file"))
		return false;
	buffer_append(image, files->loader.data, files->loader.size);
	append_archive(image, &header, files);
	header.payload_offset = 0;
	header.payload_bytes = 0;
	if (!parts->root_task) {
		buffer_pad(image, LARGE_PAGE);
		header.payload_offset = image->size;
		if (!payload_append(image, sys, parts))
			return false;
		header.payload_bytes = image->size - header.payload_offset;
	}
	sysimage_machine_of(sys, parts->config, &machine);
	append_record(image, &machine, parts->root_task != NULL);
	patch_header(image, &header);
	return check_fit(sys, image, !parts->root_task);
}

/* The kernel is what a Multiboot loader reads: its header says where it goes. */
static bool assemble_pc(const struct system *sys, const struct sysimage_parts *parts,
			const struct image_files *files, struct buffer *image)
{
	struct sysimage_machine machine;

	if (!elfcheck_program(&files->root, true, "give a root task's ELF file") ||
	    (!parts->root_task && !payload_append(image, sys, parts)))
		return false;
	sysimage_machine_of(sys, parts->config, &machine);
	append_record(image, &machine, parts->root_task != NULL);
	return check_fit(sys, image, false);
}

static bool write_beside(const char *output, const char *suffix, const struct file *file)
{
	char *path = files_text("%s%s", output, suffix);
	bool ok = file_write(path, file->data, file->size);

	free(path);
	return ok;
}

bool sysimage_build(const struct system *sys,
		    const struct sysimage_parts *parts, const char *output)
{
	struct image_files files = { 0 };
	struct buffer image = { 0 };
	bool pc = sys->cpu->pc;
	bool ok = open_files(&files, parts, pc) &&
		  (pc ? assemble_pc : assemble)(sys, parts, &files, &image);

	if (ok) {
		files_make_parents(output);
		ok = file_write(output, image.data, image.size) &&
		     (!pc || (write_beside(output, SYSIMAGE_PC_KERNEL, &files.kernel) &&
			      write_beside(output, SYSIMAGE_PC_ROOT, &files.root)));
	}
	buffer_free(&image);
	close_files(&files);
	return ok;
}

void sysimage_machine_of(const struct system *sys, const char *config,
			 struct sysimage_machine *machine)
{
	*machine = (struct sysimage_machine){
		.gic = sys->desc->gic_version,
		.memory_bytes = sys->machine_bytes,
		.nic = sys->desc->machine & SYSDESC_MACHINE_NIC,
		.e1000 = sys->desc->machine & SYSDESC_MACHINE_E1000,
		.n_forwards = sys->n_forwards,
	};
	memcpy(machine->forward, sys->forward, sizeof(machine->forward));
	if (sys->conf->machine.disk)
		snprintf(machine->disk, sizeof(machine->disk), "%s", sys->conf->machine.disk);
	for (uint32_t i = 0; i < sys->desc->n_connections; i++)
		machine->disk_writes = machine->disk_writes ||
				       sysdesc_connections(sys->desc)[i].mode ==
					       SYSDESC_DISK_READ_WRITE;
	snprintf(machine->name, sizeof(machine->name), "%s", sys->desc->name);
	snprintf(machine->cpu, sizeof(machine->cpu), "%s", sys->cpu->name);
	snprintf(machine->config, sizeof(machine->config), "%s", config);
}

/* What an older image does not say, its machine does not have. */
static bool parse_network(const char *text, struct sysimage_machine *machine)
{
	char rule[64];

	machine->e1000 = strstr(text, "\nnic=e1000\n") != NULL;
	machine->nic = machine->e1000 || strstr(text, "\nnic=virtio\n") != NULL;
	machine->n_forwards = 0;
	for (const char *at = text; (at = strstr(at, "\nforward=")) != NULL; at++) {
		if (machine->n_forwards == SYSTEM_FORWARDS ||
		    sscanf(at, "\nforward=%63s", rule) != 1 ||
		    !system_parse_forward(rule, &machine->forward[machine->n_forwards++]))
			return false;
	}
	return true;
}

static bool parse_disk(const char *text, struct sysimage_machine *machine)
{
	const char *at = strstr(text, "\ndisk=");
	char mode[16];

	machine->disk[0] = '\0';
	machine->disk_writes = false;
	if (at == NULL)
		return true;
	_Static_assert(SYSTEM_DISK_PATH == 256, "as the format has it");
	if (sscanf(at, "\ndisk=%255s %15s", machine->disk, mode) != 2)
		return false;
	machine->disk_writes = strcmp(mode, "read-write") == 0;
	return true;
}

static bool parse_record(const char *text, struct sysimage_machine *machine,
			 bool *foreign_root)
{
	char root[16];
	unsigned long long memory;

	if (sscanf(text,
		   SYSIMAGE_RECORD_MAGIC
		   "name=%31s cpu=%31s config=%31s gic=%u memory=%llu root=%15s",
		   machine->name, machine->cpu, machine->config, &machine->gic,
		   &memory, root) != 6)
		return false;
	machine->memory_bytes = memory;
	*foreign_root = strcmp(root, "foreign") == 0;
	return cpu_find(machine->cpu) && parse_network(text, machine) &&
	       parse_disk(text, machine) &&
	       (cpu_find(machine->cpu)->pc ? machine->gic == 0
					   : machine->gic == 2 || machine->gic == 3);
}

bool sysimage_read(const char *path, struct sysimage_machine *machine,
		   bool *foreign_root)
{
	struct file file;
	char text[SYSIMAGE_RECORD_BYTES + 1];
	bool ok = false;

	if (!file_map(&file, path)) {
		diag_error_at(path, 0, "cannot read it: %s; give a system "
				       "description or a system image",
			      errno == ENODATA ? "it is empty"
					       : strerror(errno));
		return false;
	}
	if (file.size >= SYSIMAGE_RECORD_BYTES) {
		memcpy(text, file.data + file.size - SYSIMAGE_RECORD_BYTES,
		       SYSIMAGE_RECORD_BYTES);
		text[SYSIMAGE_RECORD_BYTES] = '\0';
		ok = parse_record(text, machine, foreign_root);
	}
	file_unmap(&file);
	if (!ok)
		diag_error_at(path, 0, "it is no system image; build one with "
				       "`selvage build SYSTEM.yaml`");
	return ok;
}
