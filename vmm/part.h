/*
 * Parts of the monitor that not every VM needs (enum vmm_part). An image is a
 * table of parts (image/<name>.c): the linker brings their sources along, and
 * nothing but such a table names a part. A part of the image that the VM does
 * not need is not called.
 */
#pragma once

#include "board/board.h"

#include <selvage/vmm_image.h>
#include <stdbool.h>

struct vm;

struct vm_part {
	uint32_t bit; /* enum vmm_part */
	/* NULL: none of these. */
	const struct board *board; /* that the VM may have */
	/* Before the VM is set up: puts what the core is to call into vm->hooks. */
	void (*install)(struct vm *vm);
	/* Its devices; there are vCPUs and an interrupt controller by now. NULL,
	 * or why not. */
	const char *(*init)(struct vm *vm);
	/* Whether the guest may start; asked again behind each event. NULL: it may. */
	bool (*ready)(struct vm *vm);
	/* The VM runs: threads. NULL, or why not: it goes on without them. */
	const char *(*run)(struct vm *vm);
	/* On the event thread, without the lock: badges of PROC_CAP_NTFN. Returns a
	 * notification that is to be signalled, or 0. */
	uint64_t (*event)(struct vm *vm, uint64_t badges);
};

/* The image's; NULL ends them. */
extern const struct vm_part *const vm_parts[];

/* All there are; only image/<name>.c takes any. */
extern const struct vm_part part_kick, part_narrow, part_a9, part_gicc, part_loader, part_debug,
	part_virtio, part_pci, part_link, part_serve, part_passthrough, part_watchdog;
