#include "map.h"

int map_page(struct mem_arena *arena, cap_t vspace, cap_t frame, uint64_t vaddr,
	     unsigned rights, unsigned attributes)
{
	/* One try for each level that can be missing, and the last one. */
	for (unsigned level = 0; level < ABI_VSPACE_LEVELS; level++) {
		int error = sel4_page_map(frame, vspace, vaddr, rights, attributes);
		cap_t table;

		if (error != ABI_FAILED_LOOKUP)
			return error;
		table = mem_object(arena, ABI_OBJ_PAGE_TABLE);
		if (table == 0)
			return ABI_NOT_ENOUGH_MEMORY;
		arena->table_bytes += 1u << ABI_PAGE_TABLE_BITS;
		error = sel4_page_table_map(table, vspace, vaddr, ABI_VM_DEFAULT);
		if (error != ABI_OK)
			return error;
	}
	return ABI_FAILED_LOOKUP;
}

cap_t map_table_new(struct mem_arena *arena) { return mem_object(arena, ABI_OBJ_PAGE_TABLE); }

/* The kernel fills the first level that is missing. */
int map_table(struct mem_arena *arena, cap_t table, unsigned level, cap_t vspace, uint64_t vaddr)
{
	(void)arena;
	(void)level;
	return sel4_page_table_map(table, vspace, vaddr, ABI_VM_DEFAULT);
}

int map_table_end(cap_t table) { return sel4_page_table_unmap(table); }
