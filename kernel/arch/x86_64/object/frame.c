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
	/* What was in an EPT went with it: its ASID may be another space's by now. */
	if (cap_map_asid(inv->cap) != asid || cap_frame_is_in_ept(inv->cap))
		return inv_invalid_cap(inv, 1);
	return cap_map_vaddr(inv->cap) == vaddr ? ABI_OK : inv_invalid_argument(inv, 0);
}

/* vaddr, rights, attr; space. In an EPT nothing is replaced, and no address is a mapping's own. */
static int map(struct invocation *inv, bool ept)
{
	vptr_t vaddr = inv_arg(inv, 0) & ~(ept ? (1ull << ABI_PAGE_BITS) - 1 : 0);
	unsigned level = leaf_level(inv->cap);
	asid_t asid = cap_map_asid(inv_extra(inv, 0));
	paddr_t root;

	if (ept && (cap_map_asid(inv->cap) || cap_frame_size(inv->cap) == FRAME_HUGE))
		return inv_invalid_cap(inv, 0);
	int error = space_check_cap(inv, ept);
	if (error)
		return error;
	if (!ept)
		error = check_place(inv, vaddr, asid);
	else if (vaddr > EPT_TOP)
		error = inv_invalid_argument(inv, 0);
	if (!error)
		error = space_check_asid(inv, ept, &root);
	if (error)
		return error;
	if (vaddr & ((1ull << level_bits(level)) - 1))
		return ABI_ALIGNMENT_ERROR;
	struct pte_ref at = paging_walk(root, vaddr, level);
	if (ept ? pte_is_valid(*at.entry) : at.level == level && pte_is_table(*at.entry, level))
		return ABI_DELETE_FIRST;
	if (at.level != level)
		return inv_missing_table(inv, at.level);

	paddr_t frame = cap_addr(inv->cap);
	word_t rights = cap_frame_rights(inv->cap) & inv_arg(inv, 1), attr = inv_arg(inv, 2);
	pte_t leaf = ept ? ept_make_leaf(frame, level, rights, attr)
			 : pte_make_leaf(frame, level, rights, attr);
	paging_set(at.entry, leaf, asid, vaddr, false);
	inv->slot->cap = cap_frame_mapped(inv->cap, cap_map_word(vaddr, asid), ept);
	return ABI_OK;
}

void frame_unmap(struct cap c)
{
	paddr_t root = asid_space(cap_map_asid(c), cap_frame_is_in_ept(c));
	unsigned level = leaf_level(c);

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
	case ABI_INV_X86_PAGE_MAP: return map(inv, false);
	case ABI_INV_X86_PAGE_MAP_EPT: return map(inv, true);
	case ABI_INV_X86_PAGE_UNMAP:
		frame_unmap(inv->cap);
		inv->slot->cap = cap_frame_mapped(inv->cap, 0, false);
		return ABI_OK;
	case ABI_INV_X86_PAGE_GET_ADDRESS:
		inv_result(inv, 0, cap_addr(inv->cap));
		return ABI_OK;
	default: return inv_invalid_cap(inv, 0); /* nothing to map it in */
	}
}
