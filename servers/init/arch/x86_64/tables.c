#include "tables.h"

static int add_table(struct mem_arena *arena, const struct table_kind *kinds,
		     const struct table_page *page, uint64_t bits)
{
	for (unsigned i = 0; i < TABLE_KINDS; i++) {
		cap_t table;

		if (kinds[i].bits != bits)
			continue;
		table = mem_object(arena, kinds[i].type);
		if (table == 0)
			return ABI_NOT_ENOUGH_MEMORY;
		arena->table_bytes += 1u << ABI_PAGE_TABLE_BITS;
		return kinds[i].map(table, page->space, page->at);
	}
	return ABI_FAILED_LOOKUP;
}

int tables_map_page(struct mem_arena *arena, const struct table_kind kinds[TABLE_KINDS],
		    int (*try_once)(const struct table_page *page, uint64_t *missing),
		    const struct table_page *page)
{
	/* One try for each level that can be missing, and the last one. */
	for (unsigned level = 0; level <= TABLE_KINDS; level++) {
		uint64_t missing;
		int error = try_once(page, &missing);

		if (error != ABI_FAILED_LOOKUP)
			return error;
		error = add_table(arena, kinds, page, missing);
		if (error != ABI_OK)
			return error;
	}
	return ABI_FAILED_LOOKUP;
}
