/* The memory of a guest as the processor has it: arch/<name>/guest_space.c. */
#pragma once

#include "process.h"

/* Nothing is in it. 0: out of memory. */
cap_t guest_space_new(struct process *p);
/* attributes: MAP_CODE, MAP_DEVICE. Returns enum abi_error. */
int guest_space_map(struct mem_arena *arena, cap_t guest, cap_t frame, uint64_t gpa,
		    unsigned attributes);
/* What the machine has for every guest of that board. */
bool guest_space_add_board(struct process *p, cap_t guest, const struct sysdesc_vm *vm,
			   const struct machine *machine);
/* A guest's thread: no system calls of its own (an empty CNode). */
bool guest_space_give(struct process *p, cap_t guest, cap_t tcb, cap_t empty_cnode);
