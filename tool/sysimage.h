/*
 * Writes system images:
 *
 *   loader.img | cpio newc (kernel.elf, rootserver) | payload area | record
 *
 * The record is a page of text at the very end, which nothing on the target
 * reads: what machine the image is for, so that `run` needs only the image.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "system.h"

#define SYSIMAGE_RECORD_MAGIC "selvage-system-image 1\n"
#define SYSIMAGE_RECORD_BYTES 4096

/*
 * On a PC a Multiboot loader starts it: kernel and init are files beside the image,
 * which is the second module, the payload area and the record.
 *
 *   multiboot IMAGE.kernel; module IMAGE.init; module IMAGE
 */
#define SYSIMAGE_PC_KERNEL ".kernel"
#define SYSIMAGE_PC_ROOT ".init"

/* What the image is made of. */
struct sysimage_parts {
	const char *build_dir;
	const char *config;    /* "pa44", or "pa44-debug" */
	const char *kernel;    /* path of another kernel, or NULL */
	const char *root_task; /* path of another root task, or NULL */
	bool pc;               /* for board `pc` */
};

/* What `run` must know; a copy of it is in the image's record. */
struct sysimage_machine {
	char name[SYSDESC_NAME];
	char cpu[32];
	char config[32]; /* the folder of kernel and processes, for symbols */
	uint32_t gic;
	uint64_t memory_bytes;
	bool nic, e1000;             /* e1000: the NIC is one */
	char disk[SYSTEM_DISK_PATH]; /* the machine's: a file, or empty */
	bool disk_writes;            /* a connection writes to it */
	unsigned n_forwards;
	struct forward forward[SYSTEM_FORWARDS];
};

/* Builds the image of `sys` into the file `output`. */
bool sysimage_build(const struct system *sys,
		    const struct sysimage_parts *parts, const char *output);
/* Reads the record of an image. Reports it if the file is none.
 * *foreign_root: it has a root task of someone else's. */
bool sysimage_read(const char *path, struct sysimage_machine *machine,
		   bool *foreign_root);
void sysimage_machine_of(const struct system *sys, const char *config,
			 struct sysimage_machine *machine);
