#include "map.h"

#include "tables.h"

#include <selvage/base.h>

#define MAX_TABLES 256 /* of init's own address space */

static int put_page_table(cap_t table, cap_t vspace, uint64_t vaddr)
{
	return sel4_page_table_map(table, vspace, vaddr, ABI_VM_DEFAULT);
}

static int put_directory(cap_t table, cap_t vspace, uint64_t vaddr)
{
	return sel4_page_directory_map(table, vspace, vaddr, ABI_VM_DEFAULT);
}

static int put_pdpt(cap_t table, cap_t vspace, uint64_t vaddr)
{
	return sel4_pdpt_map(table, vspace, vaddr, ABI_VM_DEFAULT);
}

static const struct table_kind kinds[TABLE_KINDS] = {
	{ 21, ABI_OBJ_PAGE_TABLE, put_page_table },
	{ 30, ABI_OBJ_PAGE_DIRECTORY, put_directory },
	{ 39, ABI_OBJ_PDPT, put_pdpt },
};

static int map_once(const struct table_page *p, uint64_t *missing)
{
	return sel4_page_map_missing(p->frame, p->space, p->at, p->rights, p->attributes, missing);
}

int map_page(struct mem_arena *arena, cap_t vspace, cap_t frame, uint64_t vaddr,
	     unsigned rights, unsigned attributes)
{
	const struct table_page page = { frame, vspace, vaddr, rights, attributes };

	return tables_map_page(arena, kinds, map_once, &page);
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
		error = kinds[level].map(*slot, vspace, vaddr);
	return error;
}

int map_table_end(cap_t table) { return cspace_revoke(table); }
