/*
 * The boot protocols of PC guests: images into guest memory, and the state in
 * which the guest is entered. Pure: guest memory, images and an error text;
 * nothing in an image is believed without a bound. Guest memory is zero before.
 */
#pragma once

#include "entry.h"
#include "map.h"

#include <stddef.h>
#include <stdint.h>

#define PC_MODULES_MAX 16u

/* An initrd, or a module of Multiboot. */
struct pc_module {
	const void *bytes;
	uint64_t size;
	const char *cmdline; /* NULL: empty */
};

struct pc_boot {
	const struct gmem *mem;
	const struct pc_map *map;
	const uint8_t *kernel;
	uint64_t kernel_bytes;
	const char *cmdline; /* NULL: empty */
	unsigned n_modules;  /* the first is Linux's initrd, the only one it takes */
	struct pc_module module[PC_MODULES_MAX];
	uint64_t rsdp; /* where ACPI's root pointer stands; 0: there is none */
};

/* Each: NULL and how to enter, or what is wrong. */

/* Linux, Documentation/x86/boot.rst: protocol 2.10 (Linux 2.6.31) and later,
 * by the 32-bit or the 64-bit entry. */
const char *bzimage_load(const struct pc_boot *boot, enum pc_mode mode, struct pc_entry *entry);
/* ELF with the note XEN_ELFNOTE_PHYS32_ENTRY (Xen, docs/misc/pvh.pandoc). */
const char *pvh_load(const struct pc_boot *boot, struct pc_entry *entry);
/* Multiboot 0.6.96: ELF, or the addresses in the header. */
const char *multiboot_load(const struct pc_boot *boot, struct pc_entry *entry);

/* An image that says nothing about itself. Of its modules nothing is said to
 * the guest, so there must be none; neither of command line and map. */
struct pc_flat {
	uint64_t load;
	uint64_t start; /* real mode: 16 * selector + ip */
	enum pc_mode mode;
	uint64_t gpr[PC_GPRS];
};
const char *flat_load(const struct pc_boot *boot, const struct pc_flat *flat,
		      struct pc_entry *entry);
