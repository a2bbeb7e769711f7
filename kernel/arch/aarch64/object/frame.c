/* Frames: mapping and cache maintenance of pages of three sizes. */
#include <arch/vspace.h>

#include <arch/boot.h>
#include <kernel/invoke.h>

static unsigned leaf_level(struct cap c) { return PAGE_LEVEL - (unsigned)cap_frame_size(c); }

/* The checks of Page_Map that concern an earlier mapping and the range. */
static int check_place(struct invocation *inv, vptr_t vaddr, asid_t asid)
{
	word_t size = 1ull << frame_bits(cap_frame_size(inv->cap));

	if (cap_map_asid(inv->cap)) {
		if (cap_map_asid(inv->cap) != asid)
			return inv_invalid_cap(inv, 1);
		if (cap_map_vaddr(inv->cap) != vaddr)
			return inv_invalid_argument(inv, 0);
	} else if (vaddr > ABI_USER_TOP - (size - 1)) {
		return inv_invalid_argument(inv, 0);
	}
	return vaddr & (size - 1) ? ABI_ALIGNMENT_ERROR : ABI_OK;
}

/* vaddr, rights, attr; vspace */
static int map(struct invocation *inv)
{
	struct cap vspace;

	int error = vspace_of_extra(inv, &vspace);
	if (error)
		return error;
	vptr_t vaddr = inv_arg(inv, 0);
	asid_t asid = cap_map_asid(vspace);
	error = check_place(inv, vaddr, asid);
	if (error)
		return error;
	unsigned level = leaf_level(inv->cap);
	struct pte_ref at = stage2_walk(cap_addr(vspace), vaddr, level);
	if (at.level != level) {
		struct lookup_failure f = { ABI_LOOKUP_MISSING_CAPABILITY,
					    { level_bits(at.level) } };
		return inv_failed_lookup(inv, false, &f);
	}
	if (pte_is_table(*at.entry, level))
		return ABI_DELETE_FIRST;

	word_t rights = cap_frame_rights(inv->cap) & inv_arg(inv, 1);
	pte_t e = pte_make_leaf(cap_addr(inv->cap), level, rights, inv_arg(inv, 2));
	if (*at.entry != e)
		stage2_set(at.entry, e, asid);
	inv->slot->cap.w1 = cap_map_word(vaddr, asid);
	return ABI_OK;
}

void frame_unmap(struct cap c)
{
	paddr_t root = asid_root(cap_map_asid(c));
	unsigned level = leaf_level(c);

	if (!root)
		return;
	struct pte_ref at = stage2_walk(root, cap_map_vaddr(c), level);
	/* Another frame may have been mapped over this one since. */
	if (at.level == level && pte_is_valid(*at.entry) &&
	    !pte_is_table(*at.entry, level) && pte_addr(*at.entry) == cap_addr(c))
		stage2_set(at.entry, 0, cap_map_asid(c));
}

/* ARM_Page_Clean_Data to Unify_Instruction: start and end offset. */
static int maintain(struct invocation *inv)
{
	struct lookup_failure none = { ABI_LOOKUP_INVALID_ROOT, { 0 } };
	word_t size = 1ull << frame_bits(cap_frame_size(inv->cap));

	if (!cap_map_asid(inv->cap))
		return ABI_ILLEGAL_OPERATION;
	if (!asid_root(cap_map_asid(inv->cap)))
		return inv_failed_lookup(inv, false, &none);
	word_t start = inv_arg(inv, 0), end = inv_arg(inv, 1);
	if (end <= start)
		return inv_invalid_argument(inv, 1);
	if (start >= size || end > size)
		return inv_invalid_argument(inv, 0);
	return cache_maintain(inv, ABI_INV_ARM_PAGE_CLEAN_DATA, cap_addr(inv->cap) + start,
			      end - start);
}

int frame_invoke(struct invocation *inv)
{
	switch (inv->label) {
	case ABI_INV_ARM_PAGE_MAP: return map(inv);
	case ABI_INV_ARM_PAGE_UNMAP:
		frame_unmap(inv->cap);
		inv->slot->cap.w1 = 0;
		return ABI_OK;
	case ABI_INV_ARM_PAGE_CLEAN_DATA:
	case ABI_INV_ARM_PAGE_INVALIDATE_DATA:
	case ABI_INV_ARM_PAGE_CLEAN_INVALIDATE_DATA:
	case ABI_INV_ARM_PAGE_UNIFY_INSTRUCTION: return maintain(inv);
	default: /* ABI_INV_ARM_PAGE_GET_ADDRESS */
		inv_result(inv, 0, cap_addr(inv->cap));
		return ABI_OK;
	}
}
