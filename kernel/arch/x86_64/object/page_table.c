/* PDPTs, page directories and page tables. */
#include <arch/vspace.h>

#include <kernel/arch.h>
#include <kernel/invoke.h>

unsigned table_level(enum cap_type type)
{
	switch (type) {
	case CAP_PDPT: return 1;
	case CAP_PAGE_DIRECTORY: return 2;
	case CAP_PAGE_TABLE: return 3;
	default: return 0;
	}
}

/* vaddr, attr; vspace. The attributes of a table mean nothing to its pages. */
static int map(struct invocation *inv)
{
	unsigned above = table_level(cap_type(inv->cap)) - 1;
	vptr_t vaddr = inv_arg(inv, 0) & ~((1ull << level_bits(above)) - 1);
	paddr_t root;

	if (cap_map_asid(inv->cap))
		return inv_invalid_cap(inv, 0);
	int error = vspace_check_cap(inv);
	if (error)
		return error;
	if (vaddr > ABI_USER_TOP)
		return inv_invalid_argument(inv, 0);
	error = vspace_check_asid(inv, &root);
	if (error)
		return error;
	struct pte_ref at = paging_walk(root, vaddr, above);
	if (at.level != above) {
		struct lookup_failure f = { ABI_LOOKUP_MISSING_CAPABILITY,
					    { level_bits(at.level) } };
		return inv_failed_lookup(inv, false, &f);
	}
	if (pte_is_valid(*at.entry))
		return ABI_DELETE_FIRST;
	asid_t asid = cap_map_asid(inv_extra(inv, 0));
	paging_set(at.entry, pte_make_table(cap_addr(inv->cap)), asid, vaddr, true);
	inv->slot->cap.w1 = cap_map_word(vaddr, asid);
	return ABI_OK;
}

void table_unmap(struct cap c)
{
	paddr_t root = asid_root(cap_map_asid(c));
	unsigned above = table_level(cap_type(c)) - 1;

	if (!root)
		return;
	struct pte_ref at = paging_walk(root, cap_map_vaddr(c), above);
	if (at.level == above && pte_is_table(*at.entry, above) &&
	    (*at.entry & PTE_ADDR) == cap_addr(c))
		paging_set(at.entry, 0, cap_map_asid(c), cap_map_vaddr(c), true);
}

static int unmap(struct invocation *inv)
{
	if (!slot_is_final(inv->slot))
		return ABI_REVOKE_FIRST;
	if (cap_map_asid(inv->cap)) {
		table_unmap(inv->cap);
		arch_clear_memory(cap_object(inv->cap), 1ull << ABI_PAGE_TABLE_BITS);
	}
	inv->slot->cap.w1 = 0;
	return ABI_OK;
}

int table_invoke(struct invocation *inv)
{
	switch (inv->label) {
	case ABI_INV_X86_PDPT_MAP:
	case ABI_INV_X86_PAGE_DIRECTORY_MAP:
	case ABI_INV_X86_PAGE_TABLE_MAP: return map(inv);
	default: return unmap(inv);
	}
}
