/* Mapping frames into the address spaces of processes and guests, tables made
 * where they are missing. Init's own: self.h. */
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
