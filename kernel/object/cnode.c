/* CNodes: resolution and invocations. */
#include <kernel/cnode.h>

#include <kernel/endpoint.h>
#include <kernel/invoke.h>

static bool resolve_failed(struct lookup_failure *f, word_t type, word_t a, word_t b, word_t c)
{
	*f = (struct lookup_failure){ type, { a, b, c } };
	return false;
}

/* The `guard_bits` bits below bit `bits` of `cptr`. */
/*@ requires guard_bits <= bits <= 64; */
static word_t guard_of(cptr_t cptr, unsigned bits, unsigned guard_bits)
{
	return guard_bits == 0 ? 0 : (cptr >> (bits - guard_bits)) & (~0ull >> (64 - guard_bits));
}

bool cnode_resolve(struct cap root, cptr_t cptr, unsigned bits, struct slot **out,
		   unsigned *bits_left, struct lookup_failure *failure)
{
	if (cap_type(root) != CAP_CNODE)
		return resolve_failed(failure, ABI_LOOKUP_INVALID_ROOT, 0, 0, 0);
	/*@ loop invariant bits <= 64; */
	for (;;) { /* at most 64 levels: a radix is at least 1 */
		unsigned radix = cap_cnode_radix(root);
		unsigned guard_bits = cap_cnode_guard_bits(root);
		struct slot *slots = cap_object(root);

		if (guard_bits > bits || guard_of(cptr, bits, guard_bits) != root.w1)
			return resolve_failed(failure, ABI_LOOKUP_GUARD_MISMATCH,
					      bits, root.w1, guard_bits);
		if (guard_bits + radix > bits)
			return resolve_failed(failure, ABI_LOOKUP_DEPTH_MISMATCH,
					      bits, guard_bits + radix, 0);
		bits -= guard_bits + radix;
		*out = &slots[(cptr >> bits) & ((1ull << radix) - 1)];
		*bits_left = bits;
		root = (*out)->cap;
		if (bits == 0 || cap_type(root) != CAP_CNODE)
			return true;
	}
}

struct slot *cnode_lookup(const struct tcb *t, cptr_t cptr, struct lookup_failure *f)
{
	struct slot *s;
	unsigned left;

	return cnode_resolve(t->slots[TCB_CSPACE].cap, cptr, 64, &s, &left, f) ? s : NULL;
}

static int missing(struct invocation *inv, bool source, word_t depth)
{
	struct lookup_failure f = { ABI_LOOKUP_MISSING_CAPABILITY, { depth } };

	return inv_failed_lookup(inv, source, &f);
}

/* Copy and Mint, sources and destination checked. */
static int copy(struct invocation *inv, struct slot *dest, struct slot *src)
{
	bool mint = inv->label == ABI_INV_CNODE_MINT;
	struct cap c;
	int error;

	if (inv->length < (mint ? 6 : 5))
		return ABI_TRUNCATED_MESSAGE;
	c = cap_mask_rights(src->cap, inv_arg(inv, 4));
	if (mint)
		c = cap_update_data(c, inv_arg(inv, 5), false);
	error = cap_derive(src, c, &c);
	if (error)
		return error;
	if (cap_type(c) == CAP_NULL)
		return ABI_ILLEGAL_OPERATION;
	slot_insert_copy(dest, c, src);
	return ABI_OK;
}

/* Move and Mutate. A container half deleted stays where it is. */
static int move(struct invocation *inv, struct slot *dest, struct slot *src)
{
	struct cap c = src->cap;

	if (inv->label == ABI_INV_CNODE_MUTATE) {
		if (inv->length < 5)
			return ABI_TRUNCATED_MESSAGE;
		c = cap_update_data(c, inv_arg(inv, 4), true);
	}
	if (cap_type(c) == CAP_NULL || cap_type(c) == CAP_ZOMBIE)
		return ABI_ILLEGAL_OPERATION;
	slot_move(dest, c, src);
	return ABI_OK;
}

static int copy_or_move(struct invocation *inv, struct slot *dest)
{
	struct slot *src;
	int error;

	if (inv->length < 4 || inv->extra_count < 1)
		return ABI_TRUNCATED_MESSAGE;
	if (!slot_is_empty(dest))
		return ABI_DELETE_FIRST;
	error = inv_lookup_slot(inv, true, inv_extra(inv, 0), inv_arg(inv, 2),
				inv_arg(inv, 3), &src);
	if (error)
		return error;
	if (slot_is_empty(src))
		return missing(inv, true, inv_arg(inv, 3));
	if (inv->label == ABI_INV_CNODE_COPY || inv->label == ABI_INV_CNODE_MINT)
		return copy(inv, dest, src);
	return move(inv, dest, src);
}

static bool movable(struct cap c) { return cap_type(c) != CAP_NULL && cap_type(c) != CAP_ZOMBIE; }

/* pivot -> dest, src -> pivot; all three slots checked. */
static int rotate(struct invocation *inv, struct slot *dest, struct slot *pivot, struct slot *src)
{
	struct cap to_dest = cap_update_data(pivot->cap, inv_arg(inv, 2), true);
	struct cap to_pivot = cap_update_data(src->cap, inv_arg(inv, 5), true);

	if (!movable(to_dest) || !movable(to_pivot))
		return ABI_ILLEGAL_OPERATION;
	if (dest == src) {
		slot_swap(src, to_pivot, pivot, to_dest);
	} else {
		slot_move(dest, to_dest, pivot);
		slot_move(pivot, to_pivot, src);
	}
	return ABI_OK;
}

static int decode_rotate(struct invocation *inv, struct slot *dest)
{
	struct slot *src, *pivot;
	int error;

	if (inv->length < 8 || inv->extra_count < 2)
		return ABI_TRUNCATED_MESSAGE;
	error = inv_lookup_slot(inv, true, inv_extra(inv, 1), inv_arg(inv, 6),
				inv_arg(inv, 7), &src);
	if (!error)
		error = inv_lookup_slot(inv, true, inv_extra(inv, 0), inv_arg(inv, 3),
					inv_arg(inv, 4), &pivot);
	if (error)
		return error;
	if (pivot == src || pivot == dest)
		return ABI_ILLEGAL_OPERATION;
	if (dest != src && !slot_is_empty(dest))
		return ABI_DELETE_FIRST;
	if (slot_is_empty(src))
		return missing(inv, true, inv_arg(inv, 7));
	if (slot_is_empty(pivot))
		return missing(inv, false, inv_arg(inv, 4));
	return rotate(inv, dest, pivot, src);
}

static int cancel_badged_sends(struct slot *s)
{
	if (cap_type(s->cap) != CAP_ENDPOINT || cap_rights(s->cap) != ABI_RIGHTS_ALL)
		return ABI_ILLEGAL_OPERATION;
	if (cap_badge(s->cap) == 0)
		return ABI_OK;
	return ep_cancel_badged(cap_object(s->cap), cap_badge(s->cap));
}

int cnode_invoke(struct invocation *inv)
{
	struct slot *dest;
	int error;

	error = inv_lookup_slot(inv, false, inv->cap, inv_arg(inv, 0), inv_arg(inv, 1), &dest);
	if (error)
		return error;
	switch (inv->label) {
	case ABI_INV_CNODE_REVOKE: return slot_revoke(dest);
	case ABI_INV_CNODE_DELETE: return slot_delete(dest);
	case ABI_INV_CNODE_CANCEL_BADGED_SENDS: return cancel_badged_sends(dest);
	case ABI_INV_CNODE_ROTATE: return decode_rotate(inv, dest);
	default: return copy_or_move(inv, dest);
	}
}
