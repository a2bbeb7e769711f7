/* Of guests: nested page tables, which are EPT objects under SVM too. */
#include "guest_space.h"

#include "tables.h"

#define WRITE_BACK 6u
#define UNCACHED 0u

static int map_pdpt(cap_t table, cap_t guest, uint64_t gpa)
{
	return sel4_ept_table_map(table, ABI_INV_X86_EPT_PDPT_MAP, guest, gpa);
}

static int map_pd(cap_t table, cap_t guest, uint64_t gpa)
{
	return sel4_ept_table_map(table, ABI_INV_X86_EPT_PD_MAP, guest, gpa);
}

static int map_pt(cap_t table, cap_t guest, uint64_t gpa)
{
	return sel4_ept_table_map(table, ABI_INV_X86_EPT_PT_MAP, guest, gpa);
}

static const struct table_kind kinds[TABLE_KINDS] = {
	{ 21, ABI_OBJ_EPT_PT, map_pt },
	{ 30, ABI_OBJ_EPT_PD, map_pd },
	{ 39, ABI_OBJ_EPT_PDPT, map_pdpt },
};

cap_t guest_space_new(struct process *p)
{
	cap_t guest = mem_object(&p->mem, ABI_OBJ_EPT_PML4);

	return guest != 0 && sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, guest) == ABI_OK ? guest : 0;
}

static int map_once(const struct table_page *p, uint64_t *missing)
{
	return sel4_page_map_ept_missing(p->frame, p->space, p->at, p->rights, p->attributes,
					 missing);
}

int guest_space_map(struct mem_arena *arena, cap_t guest, cap_t frame, uint64_t gpa,
		    unsigned attributes)
{
	const struct table_page page = {
		frame, guest, gpa, MAP_RW, attributes == MAP_DEVICE ? UNCACHED : WRITE_BACK
	};

	return tables_map_page(arena, kinds, map_once, &page);
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
