/* Mapping frames into address spaces, tables made where they are missing. */
#pragma once

#include "mem.h"

/* Page tables come from `arena`. Returns enum abi_error. */
int map_page(struct mem_arena *arena, cap_t vspace, cap_t frame, uint64_t vaddr,
	     unsigned rights, unsigned attributes);

#define MAP_RW (ABI_RIGHT_READ | ABI_RIGHT_WRITE)
#define MAP_RO ABI_RIGHT_READ
#define MAP_DATA (ABI_VM_CACHEABLE | ABI_VM_PARITY | ABI_VM_EXECUTE_NEVER)
#define MAP_CODE (ABI_VM_CACHEABLE | ABI_VM_PARITY)
#define MAP_DEVICE ABI_VM_EXECUTE_NEVER

/* Init's own arena: its page tables and what lives as long as init. */
extern struct mem_arena init_arena;

/*
 * Maps `frame` (4 KiB, not mapped elsewhere) at init's scratch page, runs
 * nothing else there; returns the address or NULL. One at a time.
 */
void *map_scratch(cap_t frame);
void map_scratch_end(cap_t frame);
