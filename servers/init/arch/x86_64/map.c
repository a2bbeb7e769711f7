#include "map.h"

#include <selvage/base.h>

#define MAX_TABLES 256 /* of init's own address space */

/* What one entry of each kind of table spans, log2 bytes. */
static const struct {
	unsigned bits;
	enum abi_object type;
} kinds[] = {
	{ 21, ABI_OBJ_PAGE_TABLE },
	{ 30, ABI_OBJ_PAGE_DIRECTORY },
	{ 39, ABI_OBJ_PDPT },
};

static int put(enum abi_object type, cap_t table, cap_t vspace, uint64_t vaddr)
{
	if (type == ABI_OBJ_PAGE_TABLE)
		return sel4_page_table_map(table, vspace, vaddr, ABI_VM_DEFAULT);
	if (type == ABI_OBJ_PAGE_DIRECTORY)
		return sel4_page_directory_map(table, vspace, vaddr, ABI_VM_DEFAULT);
	return sel4_pdpt_map(table, vspace, vaddr, ABI_VM_DEFAULT);
}

/* The table that was missing spans that much. */
static int add_table(struct mem_arena *arena, cap_t vspace, uint64_t vaddr, uint64_t bits)
{
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		cap_t table;

		if (kinds[i].bits != bits)
			continue;
		table = mem_object(arena, kinds[i].type);
		if (table == 0)
			return ABI_NOT_ENOUGH_MEMORY;
		arena->table_bytes += 1u << ABI_PAGE_TABLE_BITS;
		return put(kinds[i].type, table, vspace, vaddr);
	}
	return ABI_FAILED_LOOKUP;
}

int map_page(struct mem_arena *arena, cap_t vspace, cap_t frame, uint64_t vaddr,
	     unsigned rights, unsigned attributes)
{
	/* One try for each level that can be missing, and the last one. */
	for (unsigned level = 0; level < ABI_VSPACE_LEVELS; level++) {
		uint64_t missing;
		int error = sel4_page_map_missing(frame, vspace, vaddr, rights, attributes,
						  &missing);

		if (error != ABI_FAILED_LOOKUP)
			return error;
		error = add_table(arena, vspace, vaddr, missing);
		if (error != ABI_OK)
			return error;
	}
	return ABI_FAILED_LOOKUP;
}

/* Memory for a table of any level is an untyped; the table itself is made of it when
 * it is known of which, and goes when it is not that any more. */
static struct {
	cap_t memory, slot;
} tables[MAX_TABLES];

static cap_t *slot_of(cap_t memory)
{
	for (unsigned i = 0; i < MAX_TABLES; i++)
		if (tables[i].memory == memory || tables[i].memory == 0) {
			tables[i].memory = memory;
			return &tables[i].slot;
		}
	return NULL;
}

cap_t map_table_new(struct mem_arena *arena)
{
	return mem_object_sized(arena, ABI_OBJ_UNTYPED, ABI_PAGE_TABLE_BITS);
}

int map_table(struct mem_arena *arena, cap_t table, unsigned level, cap_t vspace, uint64_t vaddr)
{
	cap_t *slot = slot_of(table);
	int error;

	if (slot == NULL || level >= ARRAY_SIZE(kinds))
		return ABI_NOT_ENOUGH_MEMORY;
	if (*slot == 0)
		*slot = mem_slot(arena);
	error = *slot == 0 ? ABI_NOT_ENOUGH_MEMORY
			   : sel4_untyped_retype(table, ABI_ROOT_CNODE, kinds[level].type, 0, 0, 0,
						 *slot, 1);
	if (error == ABI_OK)
		error = put(kinds[level].type, *slot, vspace, vaddr);
	return error;
}

int map_table_end(cap_t table) { return cspace_revoke(table); }
