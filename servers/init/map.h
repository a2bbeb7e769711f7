/* Mapping frames into the address spaces of processes and guests, tables made
 * where they are missing. Init's own: self.h. */
#pragma once

#include "init_arch.h"
#include "mem.h"

/* Page tables come from `arena`. Returns enum abi_error. */
int map_page(struct mem_arena *arena, cap_t vspace, cap_t frame, uint64_t vaddr,
	     unsigned rights, unsigned attributes);

/* Page tables one by one, which lib/vspace asks for: memory for one of any level, and
 * that as the table of one. */
cap_t map_table_new(struct mem_arena *arena);
int map_table(struct mem_arena *arena, cap_t table, unsigned level, cap_t vspace, uint64_t vaddr);
int map_table_end(cap_t table);

#define MAP_RW (ABI_RIGHT_READ | ABI_RIGHT_WRITE)
#define MAP_RO ABI_RIGHT_READ
/* MAP_DATA, MAP_CODE, MAP_DEVICE: init_arch.h */
