/* What a VM is made of: the objects of its guest, its monitor's process, and
 * what connects that to the services. */
#pragma once

#include "process.h"

#include <selvage/vmm_stats.h>

void vm_make_init(const struct machine *machine);
/* The smallest monitor of this system that has all that the VM needs; NULL: none. */
const char *vm_monitor(const struct sysdesc_vm *vm);
/*
 * Makes the VM and runs its VMM. False: out of memory or slots, or a service is
 * dead; process_destroy() cleans up.
 */
bool vm_make(struct process *p, unsigned index, const struct sysdesc_vm *vm, const char *monitor,
	     const uint8_t kept[VMM_KEPT_BYTES]);
/* Before its memory goes: nothing of the guest executes, and devices of the machine that it
 * had do not write to its memory any more. */
void vm_make_quiet(const struct process *p, const struct sysdesc_vm *vm);
/* The frame of the VM's RAM that has the guest-physical address, and where that is in
 * it. 0: none, or nobody may debug the VM. */
cap_t vm_make_frame(const struct process *p, const struct sysdesc_vm *vm, uint64_t gpa,
		    unsigned *bits, uint64_t *offset);
