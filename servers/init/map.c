#include "map.h"

struct mem_arena init_arena;

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
