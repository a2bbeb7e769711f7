/* Tables of address spaces and of guests' memory, below the first. */
#include <arch/vspace.h>

#include <kernel/arch.h>
#include <kernel/invoke.h>

unsigned table_level(enum cap_type type)
{
	switch (type) {
	case CAP_PDPT:
	case CAP_EPT_PDPT: return 1;
	case CAP_PAGE_DIRECTORY:
	case CAP_EPT_PD: return 2;
	case CAP_PAGE_TABLE:
	case CAP_EPT_PT: return 3;
	default: return 0;
	}
}

/* vaddr, attr; space. The attributes of a table mean nothing to its pages. */
static int map(struct invocation *inv)
{
	bool ept = cap_type(inv->cap) >= CAP_EPT_PML4;
	unsigned above = table_level(cap_type(inv->cap)) - 1;
	vptr_t vaddr = inv_arg(inv, 0) & ~((1ull << level_bits(above)) - 1);
	paddr_t root;

	if (cap_map_asid(inv->cap))
		return inv_invalid_cap(inv, 0);
	int error = space_check_cap(inv, ept);
	if (error)
		return error;
	if (vaddr > (ept ? EPT_TOP : ABI_USER_TOP))
		return inv_invalid_argument(inv, 0);
	error = space_check_asid(inv, ept, &root);
	if (error)
		return error;
	struct pte_ref at = paging_walk(root, vaddr, above);
	if (at.level != above)
		return inv_missing_table(inv, at.level);
	if (pte_is_valid(*at.entry))
		return ABI_DELETE_FIRST;
	asid_t asid = cap_map_asid(inv_extra(inv, 0));
	paging_set(at.entry, pte_make_table(cap_addr(inv->cap)), asid, vaddr, true);
	inv->slot->cap.w1 = cap_map_word(vaddr, asid);
	return ABI_OK;
}

void table_unmap(struct cap c)
{
	paddr_t root = asid_space(cap_map_asid(c), cap_type(c) >= CAP_EPT_PML4);
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
	word_t l = inv->label;
	bool maps = l == ABI_INV_X86_PDPT_MAP || l == ABI_INV_X86_PAGE_DIRECTORY_MAP ||
		    l == ABI_INV_X86_PAGE_TABLE_MAP || l == ABI_INV_X86_EPT_PDPT_MAP ||
		    l == ABI_INV_X86_EPT_PD_MAP || l == ABI_INV_X86_EPT_PT_MAP;

	return maps ? map(inv) : unmap(inv);
}
