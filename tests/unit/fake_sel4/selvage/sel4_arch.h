/* The kernel's trap as a function that a host test provides. */
#pragma once

#include <stdint.h>

struct sel4_trap {
	uint64_t cap;
	uint64_t info;
	uint64_t *mr;
	uint64_t reply;
	uint64_t dest;
};

void sel4_arch_trap(int64_t number, struct sel4_trap *t);
uint64_t sel4_arch_trap_bare(int64_t number, uint64_t cap, uint64_t info);
