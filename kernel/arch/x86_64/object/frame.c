/* Frames: mapping of pages of three sizes. */
#include <arch/vcpu.h>
#include <arch/vspace.h>

#include <kernel/invoke.h>

static unsigned leaf_level(struct cap c) { return PAGE_LEVEL - (unsigned)cap_frame_size(c); }

/* The checks of Page_Map that concern an earlier mapping and the range. */
static int check_place(struct invocation *inv, vptr_t vaddr, asid_t asid)
{
	word_t size = 1ull << frame_bits(cap_frame_size(inv->cap));

	if (!cap_map_asid(inv->cap))
		return vaddr > ABI_USER_TOP - (size - 1) ? inv_invalid_argument(inv, 0) : ABI_OK;
	if (cap_map_asid(inv->cap) != asid)
		return inv_invalid_cap(inv, 1);
	return cap_map_vaddr(inv->cap) == vaddr ? ABI_OK : inv_invalid_argument(inv, 0);
}

/* vaddr, rights, attr; vspace */
static int map(struct invocation *inv)
{
	vptr_t vaddr = inv_arg(inv, 0);
	unsigned level = leaf_level(inv->cap);
	asid_t asid;
	paddr_t root;

	int error = vspace_check_cap(inv);
	if (error)
		return error;
	asid = cap_map_asid(inv_extra(inv, 0));
	error = check_place(inv, vaddr, asid);
	if (!error)
		error = vspace_check_asid(inv, &root);
	if (error)
		return error;
	if (vaddr & ((1ull << level_bits(level)) - 1))
		return ABI_ALIGNMENT_ERROR;
	struct pte_ref at = paging_walk(root, vaddr, level);
	if (at.level != level) {
		struct lookup_failure f = { ABI_LOOKUP_MISSING_CAPABILITY,
					    { level_bits(at.level) } };
		return inv_failed_lookup(inv, false, &f);
	}
	if (pte_is_table(*at.entry, level))
		return ABI_DELETE_FIRST;

	word_t rights = cap_frame_rights(inv->cap) & inv_arg(inv, 1);
	paging_set(at.entry, pte_make_leaf(cap_addr(inv->cap), level, rights, inv_arg(inv, 2)),
		   asid, vaddr, false);
	inv->slot->cap.w1 = cap_map_word(vaddr, asid);
	return ABI_OK;
}

void frame_unmap(struct cap c)
{
	paddr_t root = asid_root(cap_map_asid(c));
	unsigned level = leaf_level(c);

	if (cap_frame_is_in_ept(c)) {
		ept_frame_unmap(c);
		return;
	}
	if (!root)
		return;
	struct pte_ref at = paging_walk(root, cap_map_vaddr(c), level);
	/* Another frame may have been mapped over this one since. */
	if (at.level == level && pte_is_valid(*at.entry) && !pte_is_table(*at.entry, level) &&
	    pte_addr(*at.entry, level) == cap_addr(c))
		paging_set(at.entry, 0, cap_map_asid(c), cap_map_vaddr(c), false);
}

int frame_invoke(struct invocation *inv)
{
	switch (inv->label) {
	case ABI_INV_X86_PAGE_MAP: return map(inv);
	case ABI_INV_X86_PAGE_MAP_EPT: return ept_frame_map(inv);
	case ABI_INV_X86_PAGE_UNMAP:
		frame_unmap(inv->cap);
		inv->slot->cap = cap_frame_unmapped(inv->cap);
		return ABI_OK;
	case ABI_INV_X86_PAGE_GET_ADDRESS:
		inv_result(inv, 0, cap_addr(inv->cap));
		return ABI_OK;
	default: return inv_invalid_cap(inv, 0); /* nothing to map it in */
	}
}
