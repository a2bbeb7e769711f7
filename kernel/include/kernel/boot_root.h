/*
 * Boot, between the architecture (which knows the machine) and core/boot.c
 * (which makes the root task).
 */
#pragma once

#include <kernel/cap.h>
#include <kernel/types.h>
#include <selvage/regions.h>

/* What the loader hands over. */
struct boot_args {
	paddr_t image_start, image_end; /* root task, flattened */
	word_t image_offset;            /* physical - virtual */
	vptr_t image_entry;
	paddr_t dtb;
	word_t dtb_bytes;
};

/* What the architecture found out. */
struct boot_machine {
	struct regions ram;      /* all memory, in pages */
	struct regions reserved; /* of it, not for the kernel: to userland
				       * as device memory */
	struct regions kernel;   /* the kernel's image and its devices */
	bool smc;                /* firmware may be called */
};

struct tcb;
/* Makes the root task and gives it everything; it is the current thread. */
void boot_root(const struct boot_machine *m, const struct boot_args *a);

/* --- the architecture's side --- */
/* The root's address space, with an ASID of the initial pool. */
struct cap arch_boot_vspace(paddr_t root_table, paddr_t asid_pool);
/* Whether a table misses on the way to the 4 KiB entry for vaddr. */
bool arch_boot_needs_table(struct cap vspace, vptr_t vaddr);
/* The first missing table for vaddr becomes `table`. */
struct cap arch_boot_map_table(struct cap vspace, vptr_t vaddr, paddr_t table);
/* Maps a 4 KiB frame, readable, writable and executable. */
struct cap arch_boot_map_frame(struct cap vspace, vptr_t vaddr, paddr_t frame);
struct cap arch_boot_asid_pool(paddr_t pool);
/* The root's further capabilities: of ASID control, firmware, I/O ports. */
struct slot;
void arch_boot_caps(const struct boot_machine *m, struct slot *slots);
/* Writes the chunks of extra boot information; to NULL: only their bytes. */
word_t arch_boot_extra(const struct boot_args *a, void *to);
void arch_boot_start(struct tcb *t, vptr_t entry, vptr_t bootinfo);
