/* Address spaces as capabilities, ASID control and ASID pools. */
#include <arch/vspace.h>

#include <kernel/arch.h>
#include <kernel/invoke.h>
#include <kernel/untyped.h>

bool vspace_is_live(struct cap c)
{
	asid_t asid = cap_map_asid(c);
	const struct asid_pool *p = asid_pools[asid >> ABI_ASID_POOL_INDEX_BITS];

	/* No address is 0, which ASID 0 has; and no address's low bits are set (IS_EPT). */
	return cap_type(c) == CAP_VSPACE && p &&
	       p->root[asid & ((1u << ABI_ASID_POOL_INDEX_BITS) - 1)] == cap_addr(c);
}

int space_check_cap(struct invocation *inv, bool ept)
{
	struct cap c = inv_extra(inv, 0);
	bool is_space = cap_type(c) == CAP_VSPACE && cap_map_asid(c);

	return (ept ? cap_type(c) == CAP_EPT_PML4 : is_space) ? ABI_OK : inv_invalid_cap(inv, 1);
}

int space_check_asid(struct invocation *inv, bool ept, paddr_t *root)
{
	struct lookup_failure f = { ABI_LOOKUP_INVALID_ROOT, { 0 } };

	*root = asid_space(cap_map_asid(inv_extra(inv, 0)), ept);
	if (!*root)
		return inv_failed_lookup(inv, false, &f);
	return *root == cap_addr(inv_extra(inv, 0)) ? ABI_OK : inv_invalid_cap(inv, 1);
}

int inv_missing_table(struct invocation *inv, unsigned level)
{
	struct lookup_failure f = { ABI_LOOKUP_MISSING_CAPABILITY, { level_bits(level) } };

	return inv_failed_lookup(inv, false, &f);
}

/* MakePool: index, depth; untyped, root */
int asid_control_invoke(struct invocation *inv)
{
	struct slot *dest, *from = inv->extra[0];

	if (asid_pool_free() < 0)
		return ABI_DELETE_FIRST;
	if (cap_type(from->cap) != CAP_UNTYPED ||
	    cap_untyped_bits(from->cap) != ABI_ASID_POOL_BITS ||
	    cap_untyped_is_device(from->cap))
		return inv_invalid_cap(inv, 1);
	if (slot_has_children(from))
		return ABI_REVOKE_FIRST;
	int error = inv_lookup_empty(inv, inv_extra(inv, 1), inv_arg(inv, 0), inv_arg(inv, 1),
				     &dest);
	if (error)
		return error;

	struct asid_pool *pool = cap_object(from->cap);
	from->cap.w1 = 1ull << ABI_ASID_POOL_BITS; /* all of it is used */
	arch_clear_memory(pool, sizeof(*pool));
	slot_insert_child(dest, cap_asid_pool(pool, asid_pool_install(pool)), from);
	return ABI_OK;
}

/* Assign: vspace */
int asid_pool_invoke(struct invocation *inv)
{
	struct lookup_failure none = { ABI_LOOKUP_INVALID_ROOT, { 0 } };
	asid_t first = (asid_t)inv->cap.w1;
	struct slot *s = inv->extra[0];

	bool ept = cap_type(s->cap) == CAP_EPT_PML4;
	if ((cap_type(s->cap) != CAP_VSPACE && !ept) || cap_map_asid(s->cap))
		return inv_invalid_cap(inv, 1);
	if (!asid_pool_is_installed(cap_object(inv->cap), first))
		return inv_failed_lookup(inv, false, &none);
	struct asid_pool *pool = cap_object(inv->cap);
	asid_t asid = asid_assign(pool, first, cap_addr(s->cap), ept);
	if (!asid)
		return ABI_DELETE_FIRST;
	s->cap.w1 = asid;
	return ABI_OK;
}
