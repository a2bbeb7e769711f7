/* Address spaces: the root table's capability, and cache maintenance. */
#include <arch/vspace.h>

#include <arch/boot.h>
#include <arch/sysreg.h>
#include <kernel/invoke.h>

#define CACHE_STEP 16384ull /* at a time */

bool vspace_is_live(struct cap c)
{
	return cap_type(c) == CAP_VSPACE && cap_map_asid(c) &&
	       asid_root(cap_map_asid(c)) == cap_addr(c);
}

int vspace_of_extra(struct invocation *inv, struct cap *out)
{
	struct cap c = inv_extra(inv, 0);
	struct lookup_failure f = { ABI_LOOKUP_INVALID_ROOT, { 0 } };

	if (cap_type(c) != CAP_VSPACE || !cap_map_asid(c))
		return inv_invalid_cap(inv, 1);
	paddr_t root = asid_root(cap_map_asid(c));
	if (!root)
		return inv_failed_lookup(inv, false, &f);
	if (root != cap_addr(c))
		return inv_invalid_cap(inv, 1);
	*out = c;
	return ABI_OK;
}

int cache_maintain(struct invocation *inv, word_t first, paddr_t start, word_t bytes)
{
	/* Invalidation cleans as well: alone, it could bring back what the
	 * memory held before it was cleared. */
	static void (*const ops[])(paddr_t, word_t) = { cache_clean, cache_clean_invalidate,
							cache_clean_invalidate, cache_unify };
	bool more = bytes > CACHE_STEP;

	/* Device registers are not cached, and the kernel does not map them. */
	if (!mmu_is_ram(start, bytes))
		return ABI_OK;
	ops[inv->label - first](start, more ? CACHE_STEP : bytes);
	if (!more)
		return ABI_OK;
	/* The call, restarted, goes on where it stopped. */
	arch_set_msg_reg(inv->thread, 0, inv_arg(inv, 0) + CACHE_STEP);
	return PREEMPTED;
}

/* ARM_VSpace_Clean_Data to Unify_Instruction: start, end within one page. */
int vspace_invoke(struct invocation *inv)
{
	struct lookup_failure none = { ABI_LOOKUP_INVALID_ROOT, { 0 } };

	vptr_t start = inv_arg(inv, 0), end = inv_arg(inv, 1);
	if (end <= start)
		return inv_invalid_argument(inv, 1);
	if (end > ABI_USER_TOP)
		return ABI_ILLEGAL_OPERATION;
	if (!cap_map_asid(inv->cap))
		return inv_invalid_cap(inv, 0);
	if (!asid_root(cap_map_asid(inv->cap)))
		return inv_failed_lookup(inv, false, &none);
	if (!vspace_is_live(inv->cap))
		return inv_invalid_cap(inv, 0);

	struct pte_ref at = stage2_walk(cap_addr(inv->cap), start, PAGE_LEVEL);
	if (!pte_is_valid(*at.entry) || pte_is_table(*at.entry, at.level))
		return ABI_OK; /* nothing is mapped, nothing is cached for it */
	word_t size = 1ull << level_bits(at.level), base = start & ~(size - 1);
	if (end - 1 - base >= size)
		return inv_range(inv, start, base + size - 1);
	paddr_t pa = pte_addr(*at.entry) + (start - base);
	return cache_maintain(inv, ABI_INV_ARM_VSPACE_CLEAN_DATA, pa, end - start);
}
