/* Lower page tables. */
#include <arch/vspace.h>

#include <kernel/arch.h>
#include <kernel/invoke.h>

#define MAPPED_BIT 4ull /* of cap_sub, above the level */

static bool can_map(struct cap vspace, vptr_t vaddr, struct pte_ref *at)
{
	*at = stage2_walk(cap_addr(vspace), vaddr, PAGE_LEVEL);
	return at->level != PAGE_LEVEL && !pte_is_valid(*at->entry);
}

struct cap page_table_map_at(struct cap vspace, vptr_t vaddr, paddr_t table)
{
	struct pte_ref at;
	asid_t asid = cap_map_asid(vspace);

	if (!can_map(vspace, vaddr, &at))
		return cap_null();
	stage2_set(at.entry, pte_make_table(table), asid);
	vaddr &= ~((1ull << level_bits(at.level)) - 1);
	return cap_make(CAP_PAGE_TABLE, table, (at.level + 1) | MAPPED_BIT,
			cap_map_word(vaddr, asid));
}

/* vaddr, attr; vspace */
static int map(struct invocation *inv)
{
	struct cap vspace;

	if (cap_map_asid(inv->cap))
		return inv_invalid_cap(inv, 0);
	int error = vspace_of_extra(inv, &vspace);
	if (error)
		return error;
	vptr_t vaddr = inv_arg(inv, 0);
	if (vaddr > ABI_USER_TOP)
		return inv_invalid_argument(inv, 0);
	struct cap c = page_table_map_at(vspace, vaddr, cap_addr(inv->cap));
	if (cap_type(c) == CAP_NULL)
		return ABI_DELETE_FIRST;
	inv->slot->cap = c;
	return ABI_OK;
}

void page_table_unmap(struct cap c)
{
	paddr_t root = asid_root(cap_map_asid(c));
	unsigned level = cap_table_level(c);

	if (!root)
		return;
	struct pte_ref at = stage2_walk(root, cap_map_vaddr(c), level - 1);
	if (at.level != level - 1 || !pte_is_table(*at.entry, at.level) ||
	    pte_addr(*at.entry) != cap_addr(c))
		return;
	stage2_set(at.entry, 0, cap_map_asid(c));
}

static int unmap(struct invocation *inv)
{
	if (!slot_is_final(inv->slot))
		return ABI_REVOKE_FIRST;
	if (cap_map_asid(inv->cap)) {
		page_table_unmap(inv->cap);
		arch_clear_memory(cap_object(inv->cap), 1ull << ABI_PAGE_TABLE_BITS);
	}
	inv->slot->cap = cap_page_table(cap_addr(inv->cap));
	return ABI_OK;
}

int page_table_invoke(struct invocation *inv)
{
	switch (inv->label) {
	case ABI_INV_ARM_PAGE_TABLE_MAP: return map(inv);
	default: /* ABI_INV_ARM_PAGE_TABLE_UNMAP */
		return unmap(inv);
	}
}
