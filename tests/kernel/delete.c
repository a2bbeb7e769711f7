/* Deletion and revocation of nested containers. */
#include "kt.h"

#define CHAIN 60

/* CNodes that hold the next one's only capability in turn. */
static void long_chain(void)
{
	cap_t u = kt_make(ABI_OBJ_UNTYPED, 16), cnodes = kt_slots(CHAIN);

	CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_CNODE, 2, 0, 0, cnodes, CHAIN));
	for (unsigned i = CHAIN - 1; i > 0; i--)
		CHECK_OK(sel4_cnode_move(cnodes + i - 1, i % 4, 2, KT_CNODE, cnodes + i, 64));
	CHECK_OK(kt_delete(cnodes));
	/* All gone: the untyped starts again. */
	CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_UNTYPED, 16, 0, 0, cnodes, 1));
}

static void wide_tree(void)
{
	cap_t u = kt_make(ABI_OBJ_UNTYPED, 18), top = kt_slot(), t = kt_slots(9);

	CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_CNODE, 3, 0, 0, top, 1));
	for (unsigned i = 0; i < 8; i++) {
		CHECK_OK(sel4_untyped_retype(u, top, ABI_OBJ_CNODE, 3, 0, 0, i, 1));
		CHECK_OK(sel4_cnode_copy(KT_CNODE, t, 64, top, i, 3, KT_ALL));
		CHECK_OK(sel4_untyped_retype(u, t, ABI_OBJ_CNODE, 2, 0, 0, 0, 3));
		CHECK_OK(sel4_untyped_retype(u, t, ABI_OBJ_TCB, 0, 0, 0, 3, 4));
		CHECK_OK(kt_delete(t));
	}
	CHECK_OK(kt_delete(top));
	CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_UNTYPED, 18, 0, 0, t, 1));
}

/* The only capability to a CNode is inside it. */
static void self_contained(void)
{
	cap_t u = kt_make(ABI_OBJ_UNTYPED, 14), a = kt_slot(), s = kt_slot();

	for (unsigned at = 0; at < 4; at++) {
		CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_CNODE, 2, 0, 0, a, 1));
		CHECK_OK(sel4_untyped_retype(u, a, ABI_OBJ_ENDPOINT, 0, 0, 0, (at + 1) % 4, 1));
		CHECK_OK(sel4_untyped_retype(u, a, ABI_OBJ_TCB, 0, 0, 0, (at + 2) % 4, 1));
		CHECK_OK(sel4_cnode_move(a, at, 2, KT_CNODE, a, 64));
		CHECK_OK(kt_revoke(u));
		CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_UNTYPED, 14, 0, 0, s, 1));
		CHECK_OK(kt_delete(s));
	}
}

/* Two CNodes, each with the other's only capability. */
static void ring_of_two(void)
{
	cap_t u = kt_make(ABI_OBJ_UNTYPED, 14), ab = kt_slots(2), t = kt_slots(2), s = kt_slot();

	for (unsigned at = 0; at < 16; at++) {
		CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_CNODE, 2, 0, 0, ab, 2));
		/* Copies for addressing, moves of the originals into each other. */
		CHECK_OK(sel4_cnode_copy(KT_CNODE, t, 64, KT_CNODE, ab, 64, KT_ALL));
		CHECK_OK(sel4_cnode_copy(KT_CNODE, t + 1, 64, KT_CNODE, ab + 1, 64, KT_ALL));
		CHECK_OK(sel4_cnode_move(t, at % 4, 2, KT_CNODE, ab + 1, 64));
		CHECK_OK(sel4_cnode_move(t + 1, at / 4, 2, KT_CNODE, ab, 64));
		CHECK_OK(kt_delete(t));
		CHECK_OK(kt_delete(t + 1));
		CHECK_OK(kt_revoke(u));
		CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_UNTYPED, 14, 0, 0, s, 1));
		CHECK_OK(kt_delete(s));
	}
}

/* A ring across two untypeds: revoking one must not free the other's CNode
 * while a slot in it is still being worked on. */
static void ring_across_untypeds(void)
{
	cap_t ua = kt_make(ABI_OBJ_UNTYPED, 12), ub = kt_make(ABI_OBJ_UNTYPED, 12);
	cap_t a = kt_slot(), b = kt_slot(), t = kt_slots(2), s = kt_slot();

	CHECK_OK(sel4_untyped_retype(ua, KT_CNODE, ABI_OBJ_CNODE, 3, 0, 0, a, 1));
	CHECK_OK(sel4_untyped_retype(ub, KT_CNODE, ABI_OBJ_CNODE, 3, 0, 0, b, 1));
	CHECK_OK(sel4_cnode_copy(KT_CNODE, t, 64, KT_CNODE, a, 64, KT_ALL));
	CHECK_OK(sel4_cnode_copy(KT_CNODE, t + 1, 64, KT_CNODE, b, 64, KT_ALL));
	CHECK_OK(sel4_cnode_move(t, 2, 3, KT_CNODE, b, 64));
	CHECK_OK(sel4_cnode_move(t + 1, 5, 3, KT_CNODE, a, 64));
	CHECK_OK(kt_delete(t));
	CHECK_OK(kt_delete(t + 1));
	CHECK_OK(kt_revoke(ua));
	CHECK_OK(sel4_untyped_retype(ua, KT_CNODE, ABI_OBJ_UNTYPED, 12, 0, 0, s, 1));
	CHECK_OK(kt_delete(s));
	CHECK_OK(kt_revoke(ub));
	CHECK_OK(sel4_untyped_retype(ub, KT_CNODE, ABI_OBJ_UNTYPED, 12, 0, 0, s, 1));
}

/* A TCB holds the last capability to its CSpace, which holds the TCB's. */
static void thread_in_its_cspace(void)
{
	cap_t u = kt_make(ABI_OBJ_UNTYPED, 14), cnode = kt_slot(), tcb = kt_slot(), s = kt_slot();

	CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_CNODE, 3, 0, 0, cnode, 1));
	CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_TCB, 0, 0, 0, tcb, 1));
	CHECK_OK(sel4_tcb_set_space(tcb, 0, cnode, ABI_ROOT_VSPACE, 0, 0));
	CHECK_OK(sel4_cnode_move(cnode, 4, 3, KT_CNODE, tcb, 64));
	CHECK_OK(kt_delete(cnode));
	CHECK_OK(kt_revoke(u));
	CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_UNTYPED, 14, 0, 0, s, 1));
}

static void big_cnode(void)
{
	cap_t u = kt_make(ABI_OBJ_UNTYPED, 18), cnode = kt_slot(), s = kt_slot();

	/* 4096 slots: long enough to be preempted. */
	CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_CNODE, 12, 0, 0, cnode, 1));
	for (unsigned i = 0; i < 4096; i++)
		CHECK_OK(sel4_cnode_copy(cnode, i, 12, KT_CNODE, ABI_ROOT_TCB, 64, KT_ALL));
	CHECK_OK(kt_delete(cnode));
	CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_UNTYPED, 18, 0, 0, s, 1));
}

static void revoke_removes_itself(void)
{
	cap_t u = kt_make(ABI_OBJ_UNTYPED, 14), cnode = kt_slot(), part = kt_slot();

	/* The untyped whose children go stands in one of them. */
	CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_UNTYPED, 13, 0, 0, part, 1));
	CHECK_OK(sel4_untyped_retype(part, KT_CNODE, ABI_OBJ_CNODE, 3, 0, 0, cnode, 1));
	CHECK_OK(sel4_cnode_move(cnode, 6, 3, KT_CNODE, part, 64));
	CHECK_OK(sel4_cnode_revoke(cnode, 6, 3));
	CHECK(kt_is_empty(cnode));
	CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_UNTYPED, 14, 0, 0, part, 1));
}

static volatile unsigned counter;

static void delete_own_tcb(void *tcb)
{
	counter = 1;
	(void)kt_delete(*(cap_t *)tcb);
	counter = 2;
	kt_stop();
}

static void thread_deletes_itself(void)
{
	cap_t tcb;
	struct kt_thread t = kt_thread(0, delete_own_tcb, &tcb, KT_HIGH, 0, true);

	tcb = t.tcb;
	counter = 0;
	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_EQ(counter, 1);
	CHECK(kt_is_empty(t.tcb));
}

static const struct kt_case cases[] = {
	{ "delete: a long chain of CNodes", long_chain },
	{ "delete: a wide tree of CNodes and threads", wide_tree },
	{ "delete: a CNode with its only capability inside", self_contained },
	{ "delete: two CNodes inside each other", ring_of_two },
	{ "delete: a ring across two untypeds", ring_across_untypeds },
	{ "delete: a thread and its CSpace inside each other", thread_in_its_cspace },
	{ "delete: a CNode of 4096 full slots", big_cnode },
	{ "delete: a revoke that removes its own slot", revoke_removes_itself },
	{ "delete: a thread deletes itself", thread_deletes_itself },
};
KT_GROUP(kt_deletion);
