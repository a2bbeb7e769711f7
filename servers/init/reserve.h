/*
 * Memory of the machine that a description gives to a VM by its place: nobody else gets it,
 * whether the VM is there or not.
 */
#pragma once

#include <selvage/sysdesc.h>

#include "mem.h"

/* Takes a VM's places, which nobody may have. False: somebody has; none is taken. */
bool reserve_take(unsigned index, const struct sysdesc_vm *vm);
/* `count` large pages of them, from that physical address on, are the VM's. */
bool reserve_pages(unsigned index, struct mem_arena *vm, uint64_t paddr, unsigned count,
		   cap_t *slot);
/* Gives back what is left of them. */
void reserve_give(unsigned index);
