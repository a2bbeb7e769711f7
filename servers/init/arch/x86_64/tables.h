/* Pages into spaces of four levels, with the tables that they need: address spaces of processes
 * and nested ones of guests. */
#pragma once

#include "mem.h"

#define TABLE_KINDS 3u

/* A kind of table, by what one that is missing spans, log2 bytes. */
struct table_kind {
	unsigned bits;
	enum abi_object type;
	int (*map)(cap_t table, cap_t space, uint64_t at);
};

struct table_page {
	cap_t frame, space;
	uint64_t at;
	unsigned rights, attributes;
};

/* Tables come from `arena`; try_once says with ABI_FAILED_LOOKUP what span is missing. Returns
 * enum abi_error. */
int tables_map_page(struct mem_arena *arena, const struct table_kind kinds[TABLE_KINDS],
		    int (*try_once)(const struct table_page *page, uint64_t *missing),
		    const struct table_page *page);
