/*
 * Memory of the machine that a description gives to a VM by its place: nobody else gets it,
 * whether the VM is there or not.
 */
#pragma once

#include <selvage/sysdesc.h>

/* Takes a VM's places, which nobody may have. False: somebody has; none is taken. */
bool reserve_take(unsigned index, const struct sysdesc_vm *vm);
/* Gives them back, for who takes them at once. */
void reserve_give(unsigned index);
