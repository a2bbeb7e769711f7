/* CNode invocations and capability addressing. */
#include "kt.h"

static int copy(cap_t dest, cap_t src, uint64_t rights)
{
	return sel4_cnode_copy(KT_CNODE, dest, 64, KT_CNODE, src, 64, rights);
}

static int mint(cap_t dest, cap_t src, uint64_t data)
{
	return sel4_cnode_mint(KT_CNODE, dest, 64, KT_CNODE, src, 64, KT_ALL, data);
}

static int move(cap_t dest, cap_t src)
{
	return sel4_cnode_move(KT_CNODE, dest, 64, KT_CNODE, src, 64);
}

static int mutate(cap_t dest, cap_t src, uint64_t data)
{
	return sel4_cnode_mutate(KT_CNODE, dest, 64, KT_CNODE, src, 64, data);
}

static void copy_works(void)
{
	cap_t ntfn = kt_make(ABI_OBJ_NOTIFICATION, 0), to = kt_slot();

	CHECK_OK(copy(to, ntfn, KT_ALL));
	sel4_signal(to);
	CHECK_EQ(copy(to, ntfn, KT_ALL), ABI_DELETE_FIRST);
	CHECK(!kt_is_empty(ntfn));
}

static void copy_of_nothing(void)
{
	CHECK_ERROR3(copy(kt_slot(), kt_slot(), KT_ALL), ABI_FAILED_LOOKUP, 1,
		     ABI_LOOKUP_MISSING_CAPABILITY, 64);
	CHECK_ERROR3(move(kt_slot(), kt_slot()), ABI_FAILED_LOOKUP, 1,
		     ABI_LOOKUP_MISSING_CAPABILITY, 64);
}

static void truncated(void)
{
	uint64_t mr[4] = { kt_slot(), 64, kt_make(ABI_OBJ_ENDPOINT, 0), 64 };
	static const struct {
		unsigned label, words, caps;
	} calls[] = {
		{ ABI_INV_CNODE_REVOKE, 1, 0 },
		{ ABI_INV_CNODE_DELETE, 1, 0 },
		{ ABI_INV_CNODE_COPY, 4, 1 },
		{ ABI_INV_CNODE_COPY, 3, 1 },
		{ ABI_INV_CNODE_COPY, 5, 0 },
		{ ABI_INV_CNODE_MINT, 5, 1 },
		{ ABI_INV_CNODE_MOVE, 3, 1 },
		{ ABI_INV_CNODE_MUTATE, 4, 1 },
		{ ABI_INV_CNODE_ROTATE, 7, 2 },
		{ ABI_INV_CNODE_ROTATE, 8, 1 },
		{ ABI_INV_CNODE_CANCEL_BADGED_SENDS, 1, 0 },
	};

	for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		uint64_t words[4] = { mr[0], mr[1], mr[2], mr[3] };

		sel4_ipcbuf->caps_or_badges[0] = KT_CNODE;
		sel4_ipcbuf->caps_or_badges[1] = KT_CNODE;
		CHECK_EQ(sel4_invoke(KT_CNODE, calls[i].label, calls[i].caps, calls[i].words,
				     words),
			 ABI_TRUNCATED_MESSAGE);
	}
}

static void bad_depth(void)
{
	cap_t ep = kt_make(ABI_OBJ_ENDPOINT, 0);

	CHECK_ERROR2(sel4_cnode_copy(KT_CNODE, kt_slot(), 0, KT_CNODE, ep, 64, KT_ALL),
		     ABI_RANGE_ERROR, 1, 64);
	CHECK_ERROR2(sel4_cnode_copy(KT_CNODE, kt_slot(), 65, KT_CNODE, ep, 64, KT_ALL),
		     ABI_RANGE_ERROR, 1, 64);
	CHECK_ERROR2(sel4_cnode_copy(KT_CNODE, kt_slot(), 64, KT_CNODE, ep, 0, KT_ALL),
		     ABI_RANGE_ERROR, 1, 64);
	CHECK_ERROR2(sel4_cnode_delete(KT_CNODE, ep, ~0ull), ABI_RANGE_ERROR, 1, 64);
}

static void bad_source_root(void)
{
	cap_t ep = kt_make(ABI_OBJ_ENDPOINT, 0);

	CHECK_ERROR2(sel4_cnode_copy(KT_CNODE, kt_slot(), 64, ep, ep, 64, KT_ALL),
		     ABI_FAILED_LOOKUP, 1, ABI_LOOKUP_INVALID_ROOT);
	CHECK_ERROR2(sel4_cnode_copy(KT_CNODE, kt_slot(), 64, kt_slot(), ep, 64, KT_ALL),
		     ABI_FAILED_LOOKUP, 1, ABI_LOOKUP_INVALID_ROOT);
}

static void bits_left_over(void)
{
	cap_t ep = kt_make(ABI_OBJ_ENDPOINT, 0), cnode = kt_make(ABI_OBJ_CNODE, 4);

	CHECK_OK(sel4_cnode_copy(cnode, 3, 4, KT_CNODE, ep, 64, KT_ALL));
	/* Slot 3 holds no CNode: 8 of 12 bits are left. */
	CHECK_ERROR3(sel4_cnode_delete(cnode, 3ull << 8, 12), ABI_FAILED_LOOKUP, 0,
		     ABI_LOOKUP_DEPTH_MISMATCH, 8);
	CHECK_EQ(sel4_error_word(3), 0);
}

static void depth_mismatch(void)
{
	cap_t cnode = kt_make(ABI_OBJ_CNODE, 4);

	CHECK_ERROR3(sel4_cnode_delete(cnode, 0, 3), ABI_FAILED_LOOKUP, 0,
		     ABI_LOOKUP_DEPTH_MISMATCH, 3);
	CHECK_EQ(sel4_error_word(3), 4);
}

static void guards(void)
{
	cap_t cnode = kt_make(ABI_OBJ_CNODE, 4), guarded = kt_slot();
	cap_t ep = kt_make(ABI_OBJ_ENDPOINT, 0);

	CHECK_OK(mint(guarded, cnode, sel4_cnode_data(0x5, 4)));
	CHECK_OK(sel4_cnode_copy(guarded, 0x53, 8, KT_CNODE, ep, 64, KT_ALL));
	CHECK_EQ(sel4_cnode_copy(cnode, 3, 4, KT_CNODE, ep, 64, KT_ALL), ABI_DELETE_FIRST);
	CHECK_ERROR3(sel4_cnode_delete(guarded, 0x43, 8), ABI_FAILED_LOOKUP, 0,
		     ABI_LOOKUP_GUARD_MISMATCH, 8);
	CHECK_EQ(sel4_error_word(3), 5);
	CHECK_EQ(sel4_ipcbuf->msg[4], 4);
	CHECK_ERROR3(sel4_cnode_delete(guarded, 0x5, 3), ABI_FAILED_LOOKUP, 0,
		     ABI_LOOKUP_GUARD_MISMATCH, 3);
	CHECK_ERROR3(sel4_cnode_delete(guarded, 0x5, 7), ABI_FAILED_LOOKUP, 0,
		     ABI_LOOKUP_GUARD_MISMATCH, 7);
	/* Data 0 takes the guard away. */
	cap_t plain = kt_slot();
	CHECK_OK(mutate(plain, guarded, 0));
	CHECK_OK(sel4_cnode_delete(plain, 3, 4));
}

static void guard_too_large(void)
{
	cap_t cnode = kt_make(ABI_OBJ_CNODE, 4);

	CHECK_EQ(mint(kt_slot(), cnode, sel4_cnode_data(0, 61)), ABI_ILLEGAL_OPERATION);
	CHECK_OK(mint(kt_slot(), cnode, sel4_cnode_data(0, 60)));
	CHECK_EQ(mutate(kt_slot(), cnode, sel4_cnode_data(0, 61)), ABI_ILLEGAL_OPERATION);
	CHECK(!kt_is_empty(cnode));
}

static void two_levels(void)
{
	cap_t outer = kt_make(ABI_OBJ_CNODE, 4), inner = kt_make(ABI_OBJ_CNODE, 6);
	cap_t ep = kt_make(ABI_OBJ_ENDPOINT, 0);

	CHECK_OK(sel4_cnode_move(outer, 9, 4, KT_CNODE, inner, 64));
	CHECK_OK(sel4_cnode_copy(outer, 9 << 6 | 33, 10, KT_CNODE, ep, 64, KT_ALL));
	CHECK_OK(sel4_cnode_copy(KT_CNODE, inner, 64, outer, 9, 4, KT_ALL));
	CHECK_EQ(sel4_cnode_copy(inner, 33, 6, KT_CNODE, ep, 64, KT_ALL), ABI_DELETE_FIRST);
}

static void rights_only_shrink(void)
{
	cap_t ntfn = kt_make(ABI_OBJ_NOTIFICATION, 0);
	cap_t reader = kt_mint(ntfn, ABI_RIGHT_READ, 0);
	cap_t again = kt_mint(reader, KT_ALL, 0);
	uint64_t mr[4] = { 0 };

	CHECK_EQ(msginfo_label(sel4_call(reader, msginfo(0, 0, 0), mr)), ABI_INVALID_CAPABILITY);
	CHECK_EQ(mr[0], 0);
	CHECK_EQ(msginfo_label(sel4_call(again, msginfo(0, 0, 0), mr)), ABI_INVALID_CAPABILITY);
	CHECK_EQ(msginfo_label(sel4_call(ntfn, msginfo(0, 0, 0), mr)), ABI_OK);
}

static void badge_once(void)
{
	cap_t ep = kt_make(ABI_OBJ_ENDPOINT, 0), badged = kt_slot();

	CHECK_OK(mint(badged, ep, 7));
	CHECK_EQ(mint(kt_slot(), badged, 8), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(mint(kt_slot(), badged, 0), ABI_ILLEGAL_OPERATION);
	CHECK_OK(copy(kt_slot(), badged, KT_ALL));
	CHECK_OK(mint(kt_slot(), ep, 0));
	CHECK_OK(mint(kt_slot(), ep, ~0ull));
	CHECK_EQ(mutate(kt_slot(), ep, 3), ABI_ILLEGAL_OPERATION);
}

static void move_works(void)
{
	cap_t ep = kt_make(ABI_OBJ_ENDPOINT, 0), to = kt_slot(), other = kt_copy(ep);

	CHECK_OK(move(to, ep));
	CHECK(kt_is_empty(ep));
	CHECK_EQ(move(other, to), ABI_DELETE_FIRST);
	/* Still the parent of its copies. */
	CHECK_OK(kt_revoke(to));
	CHECK(kt_is_empty(other));
	CHECK(!kt_is_empty(to));
}

static int rotate(cap_t dest, cap_t pivot, cap_t src, uint64_t dest_data, uint64_t pivot_data)
{
	struct sel4_slot_ref d = { KT_CNODE, dest, 64, dest_data };
	struct sel4_slot_ref p = { KT_CNODE, pivot, 64, pivot_data };
	struct sel4_slot_ref s = { KT_CNODE, src, 64, 0 };

	return sel4_cnode_rotate(KT_CNODE, &d, &p, &s);
}

static void rotate_works(void)
{
	cap_t a = kt_make(ABI_OBJ_TCB, 0), b = kt_make(ABI_OBJ_REPLY, 0), c = kt_slot();

	CHECK_OK(rotate(c, b, a, 0, 0));
	CHECK(kt_is_empty(a));
	CHECK_OK(sel4_tcb_suspend(b));
	CHECK_EQ(sel4_tcb_suspend(c), ABI_OK); /* a Call of a free reply does nothing */
	CHECK_OK(rotate(b, c, b, 0, 0));       /* destination = source: swaps */
	CHECK_OK(sel4_tcb_resume(c));
}

/* The derivation list after an exchange: of six copies of a capability,
 * every two, whether next to each other or not, with the others deleted in
 * different orders, go with their parent. */
static void exchange_keeps_the_list(void)
{
	enum { N = 6 };

	for (unsigned a = 0; a < N; a++)
		for (unsigned b = 0; b < N; b++) {
			cap_t parent = kt_make(ABI_OBJ_REPLY, 0), child[N];

			if (a == b)
				continue;
			for (unsigned i = 0; i < N; i++)
				child[i] = kt_copy(parent);
			CHECK_OK(rotate(child[a], child[b], child[a], 0, 0));
			for (unsigned i = 0; i < N; i++)
				if (i != a && i != b)
					CHECK_OK(kt_delete(child[a < b ? i : N - 1 - i]));
			CHECK_OK(kt_revoke(parent));
			for (unsigned i = 0; i < N; i++)
				CHECK(kt_is_empty(child[i]));
			CHECK_OK(kt_delete(parent));
		}
}

static void rotate_errors(void)
{
	cap_t a = kt_make(ABI_OBJ_TCB, 0), b = kt_make(ABI_OBJ_TCB, 0), c = kt_slot();
	cap_t used = kt_make(ABI_OBJ_TCB, 0), cnode = kt_make(ABI_OBJ_CNODE, 4);
	cap_t ep = kt_make(ABI_OBJ_ENDPOINT, 0);

	CHECK_EQ(rotate(c, a, a, 0, 0), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(rotate(b, b, a, 0, 0), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(rotate(used, b, a, 0, 0), ABI_DELETE_FIRST);
	CHECK_ERROR2(rotate(c, b, kt_slot(), 0, 0), ABI_FAILED_LOOKUP, 1,
		     ABI_LOOKUP_MISSING_CAPABILITY);
	CHECK_ERROR2(rotate(c, kt_slot(), a, 0, 0), ABI_FAILED_LOOKUP, 0,
		     ABI_LOOKUP_MISSING_CAPABILITY);
	CHECK_EQ(rotate(c, cnode, a, sel4_cnode_data(0, 61), 0), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(rotate(c, a, cnode, 0, sel4_cnode_data(0, 61)), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(rotate(c, ep, a, 0, 0), ABI_ILLEGAL_OPERATION);
	CHECK(kt_is_empty(c));
}

static void delete_works(void)
{
	cap_t ep = kt_make(ABI_OBJ_ENDPOINT, 0), second = kt_copy(ep);

	CHECK_OK(kt_delete(ep));
	CHECK(kt_is_empty(ep));
	CHECK(!kt_is_empty(second));
	CHECK_OK(kt_delete(ep)); /* an empty slot is no error */
}

static void revoke_copies(void)
{
	cap_t ep = kt_make(ABI_OBJ_ENDPOINT, 0), a = kt_copy(ep), b = kt_copy(a), c = kt_copy(b);

	CHECK_OK(kt_revoke(a)); /* copies are siblings */
	CHECK(!kt_is_empty(b) && !kt_is_empty(c) && !kt_is_empty(ep));
	CHECK_OK(kt_revoke(ep));
	CHECK(kt_is_empty(a) && kt_is_empty(b) && kt_is_empty(c));
	CHECK(!kt_is_empty(ep));
	CHECK_OK(kt_revoke(kt_slot()));
}

static void revoke_badges(void)
{
	cap_t ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	cap_t one = kt_mint(ep, KT_ALL, 1), two = kt_mint(ep, KT_ALL, 2);
	cap_t one_copy = kt_copy(one), two_copy = kt_copy(two), plain = kt_copy(ep);

	CHECK_OK(kt_revoke(one));
	CHECK(kt_is_empty(one_copy));
	CHECK(!kt_is_empty(one) && !kt_is_empty(two_copy) && !kt_is_empty(plain));
	CHECK_OK(kt_revoke(ep));
	CHECK(kt_is_empty(one) && kt_is_empty(two) && kt_is_empty(two_copy) && kt_is_empty(plain));
}

static void same_badge_twice(void)
{
	cap_t ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	cap_t a = kt_mint(ep, KT_ALL, 5), b = kt_mint(ep, KT_ALL, 5);

	CHECK_OK(kt_revoke(b));
	CHECK(!kt_is_empty(a));
	CHECK_OK(kt_revoke(a));
	CHECK(!kt_is_empty(b));
}

static void cancel_badged_errors(void)
{
	cap_t ep = kt_make(ABI_OBJ_ENDPOINT, 0), badged = kt_mint(ep, KT_ALL, 3);
	cap_t weak = kt_mint(ep, KT_ALL & ~ABI_RIGHT_GRANT, 3);

	CHECK_EQ(sel4_cnode_cancel_badged_sends(KT_CNODE, weak, 64), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_cnode_cancel_badged_sends(KT_CNODE, kt_slot(), 64), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_cnode_cancel_badged_sends(KT_CNODE, ABI_ROOT_TCB, 64), ABI_ILLEGAL_OPERATION);
	CHECK_OK(sel4_cnode_cancel_badged_sends(KT_CNODE, ep, 64));
	CHECK_OK(sel4_cnode_cancel_badged_sends(KT_CNODE, badged, 64));
}

static void not_copyable(void)
{
	CHECK_EQ(copy(kt_slot(), ABI_ROOT_IRQ_CONTROL, KT_ALL), ABI_ILLEGAL_OPERATION);
	CHECK_OK(copy(kt_slot(), ABI_ROOT_DOMAIN, KT_ALL));
	CHECK_OK(copy(kt_slot(), kt_sched_control(), KT_ALL));
	CHECK_OK(copy(kt_slot(), ABI_ROOT_ASID_CONTROL, KT_ALL));
}

static void bad_labels(void)
{
	uint64_t mr[4] = { 0 };

	CHECK_EQ(sel4_invoke(KT_CNODE, ABI_INV_IRQ_CONTROL_GET, 0, 4, mr), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_invoke(KT_CNODE, ABI_INV_TCB_SET_FLAGS, 0, 4, mr), ABI_ILLEGAL_OPERATION);
	CHECK_ERROR1(sel4_invoke(kt_slot(), ABI_INV_CNODE_COPY, 0, 0, mr),
		     ABI_INVALID_CAPABILITY, 0);
}

static const struct kt_case cases[] = {
	{ "cnode: copy", copy_works },
	{ "cnode: copy and move of an empty slot", copy_of_nothing },
	{ "cnode: truncated messages", truncated },
	{ "cnode: depths out of range", bad_depth },
	{ "cnode: a source root that is no CNode", bad_source_root },
	{ "cnode: address bits left over", bits_left_over },
	{ "cnode: too few address bits", depth_mismatch },
	{ "cnode: guards", guards },
	{ "cnode: guards that are too large", guard_too_large },
	{ "cnode: two levels", two_levels },
	{ "cnode: rights only shrink", rights_only_shrink },
	{ "cnode: a badge is set once", badge_once },
	{ "cnode: move", move_works },
	{ "cnode: rotate", rotate_works },
	{ "cnode: an exchange keeps the derivation list", exchange_keeps_the_list },
	{ "cnode: rotate's errors", rotate_errors },
	{ "cnode: delete", delete_works },
	{ "cnode: revoke takes copies, copies take nothing", revoke_copies },
	{ "cnode: revoke by badge", revoke_badges },
	{ "cnode: the same badge minted twice", same_badge_twice },
	{ "cnode: CancelBadgedSends' errors", cancel_badged_errors },
	{ "cnode: capabilities that cannot be copied", not_copyable },
	{ "cnode: labels of other objects, an empty slot invoked", bad_labels },
};
KT_GROUP(kt_cnode);
