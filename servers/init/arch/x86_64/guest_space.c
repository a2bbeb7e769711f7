/* Of guests: nested page tables, which are EPT objects under SVM too. */
#include "guest_space.h"

#include <selvage/base.h>

#define WRITE_BACK 6u
#define UNCACHED 0u

/* By what the table that is missing spans, log2 bytes. */
static const struct {
	unsigned bits;
	enum abi_object type;
	uint64_t map;
} tables[] = {
	{ 39, ABI_OBJ_EPT_PDPT, ABI_INV_X86_EPT_PDPT_MAP },
	{ 30, ABI_OBJ_EPT_PD, ABI_INV_X86_EPT_PD_MAP },
	{ 21, ABI_OBJ_EPT_PT, ABI_INV_X86_EPT_PT_MAP },
};

cap_t guest_space_new(struct process *p)
{
	cap_t guest = mem_object(&p->mem, ABI_OBJ_EPT_PML4);

	return guest != 0 && sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, guest) == ABI_OK ? guest : 0;
}

static int add_table(struct mem_arena *arena, cap_t guest, uint64_t gpa, uint64_t bits)
{
	for (unsigned i = 0; i < ARRAY_SIZE(tables); i++) {
		cap_t table;

		if (tables[i].bits != bits)
			continue;
		table = mem_object(arena, tables[i].type);
		if (table == 0)
			return ABI_NOT_ENOUGH_MEMORY;
		arena->table_bytes += 1u << ABI_PAGE_TABLE_BITS;
		return sel4_ept_table_map(table, tables[i].map, guest, gpa);
	}
	return ABI_FAILED_LOOKUP;
}

int guest_space_map(struct mem_arena *arena, cap_t guest, cap_t frame, uint64_t gpa,
		    unsigned attributes)
{
	const unsigned type = attributes == MAP_DEVICE ? UNCACHED : WRITE_BACK;

	/* One try for each level that can be missing, and the last one. */
	for (unsigned level = 0; level <= ARRAY_SIZE(tables); level++) {
		uint64_t missing;
		int error = sel4_page_map_ept_missing(frame, guest, gpa, MAP_RW, type, &missing);

		if (error != ABI_FAILED_LOOKUP)
			return error;
		error = add_table(arena, guest, gpa, missing);
		if (error != ABI_OK)
			return error;
	}
	return ABI_FAILED_LOOKUP;
}

bool guest_space_add_board(struct process *p, cap_t guest, const struct sysdesc_vm *vm,
			   const struct machine *machine)
{
	(void)p;
	(void)guest;
	(void)vm;
	(void)machine;
	return true;
}

/* What it would run in without a VCPU is its monitor's memory. */
bool guest_space_give(struct process *p, cap_t guest, cap_t tcb, cap_t empty_cnode)
{
	return sel4_tcb_configure(tcb, empty_cnode, p->vspace, 0, sel4_cnode_data(0, 63), 0, 0) ==
		       ABI_OK &&
	       sel4_tcb_set_ept_root(tcb, guest) == ABI_OK;
}
