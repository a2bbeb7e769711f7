/* Numbers of address spaces: control and pools. */
#include "pc_tests.h"

#define POOL_SPACES (1u << ABI_ASID_POOL_INDEX_BITS)

static int make_pool(cap_t untyped, cap_t slot)
{
	return sel4_asid_control_make_pool(ABI_ROOT_ASID_CONTROL, untyped, KT_CNODE, slot, 64);
}

static cap_t pool(void)
{
	cap_t slot = kt_slot();

	CHECK_OK(make_pool(kt_make(ABI_OBJ_UNTYPED, 12), slot));
	return slot;
}

static void pool_errors(void)
{
	cap_t used = kt_make(ABI_OBJ_UNTYPED, 12), device = kt_slot(), ep = kt_slot();

	CHECK_OK(sel4_untyped_retype(used, KT_CNODE, ABI_OBJ_ENDPOINT, 0, 0, 0, ep, 1));
	CHECK_EQ(make_pool(used, kt_slot()), ABI_REVOKE_FIRST);
	CHECK_ERROR1(make_pool(kt_make(ABI_OBJ_UNTYPED, 13), kt_slot()), ABI_INVALID_CAPABILITY, 1);
	CHECK_ERROR1(make_pool(kt_make(ABI_OBJ_SMALL_PAGE, 0), kt_slot()), ABI_INVALID_CAPABILITY,
		     1);
	CHECK_OK(sel4_untyped_retype(kt_device_untyped(), KT_CNODE, ABI_OBJ_UNTYPED, 12, 0, 0,
				     device, 1));
	CHECK_ERROR1(make_pool(device, kt_slot()), ABI_INVALID_CAPABILITY, 1);
	CHECK_EQ(make_pool(kt_make(ABI_OBJ_UNTYPED, 12), used), ABI_DELETE_FIRST);
	CHECK_ERROR2(sel4_asid_control_make_pool(ABI_ROOT_ASID_CONTROL,
						 kt_make(ABI_OBJ_UNTYPED, 12), used, 1, 64),
		     ABI_FAILED_LOOKUP, 0, ABI_LOOKUP_INVALID_ROOT);
	CHECK_OK(kt_delete(ep));
	CHECK_OK(make_pool(used, kt_slot()));
	CHECK_EQ(make_pool(used, kt_slot()), ABI_REVOKE_FIRST);
}

static void all_pools(void)
{
	cap_t last = 0, spare = kt_make(ABI_OBJ_UNTYPED, 12);

	for (unsigned i = 1; i < ABI_ASID_POOLS; i++)
		last = pool();
	CHECK_EQ(make_pool(spare, kt_slot()), ABI_DELETE_FIRST);
	CHECK_OK(kt_delete(last));
	CHECK_OK(make_pool(spare, last));
}

static void assign_errors(void)
{
	cap_t space = kt_make(ABI_OBJ_VSPACE, 0);

	CHECK_ERROR1(sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, kt_make(ABI_OBJ_PDPT, 0)),
		     ABI_INVALID_CAPABILITY, 1);
	CHECK_ERROR1(sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, kt_slot()), ABI_INVALID_CAPABILITY,
		     1);
	CHECK_OK(sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, space));
	CHECK_ERROR1(sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, space), ABI_INVALID_CAPABILITY, 1);
	CHECK_ERROR1(sel4_asid_pool_assign(pool(), space), ABI_INVALID_CAPABILITY, 1);
}

static void pool_full(void)
{
	cap_t p = pool(), spaces = kt_slots(POOL_SPACES + 1);

	for (unsigned i = 0; i < 3; i++)
		CHECK_OK(sel4_untyped_retype(kt_pool, KT_CNODE, ABI_OBJ_VSPACE, 0, 0, 0,
					     spaces + i * POOL_SPACES / 2,
					     i < 2 ? POOL_SPACES / 2 : 1));
	for (unsigned i = 0; i < POOL_SPACES; i++)
		CHECK_OK(sel4_asid_pool_assign(p, spaces + i));
	CHECK_EQ(sel4_asid_pool_assign(p, spaces + POOL_SPACES), ABI_DELETE_FIRST);
	CHECK_OK(kt_delete(spaces + 7));
	CHECK_OK(sel4_asid_pool_assign(p, spaces + POOL_SPACES));
}

/* Spaces of a pool that is gone are nobody's: who runs there faults. */
static void pool_gone(void)
{
	cap_t p = pool(), space = kt_make(ABI_OBJ_VSPACE, 0);
	cap_t frame = kt_make(ABI_OBJ_SMALL_PAGE, 0);
	struct watched w;

	CHECK_OK(sel4_asid_pool_assign(p, space));
	CHECK_OK(map_small(frame, space, FREE_VADDR));
	w = watch_in(space, (void (*)(void *))FREE_VADDR, NULL);
	CHECK(watch_faulted(&w)); /* there is no code */
	CHECK_OK(kt_delete(p));
	watch_answer(&w, 0, 0);
	CHECK(watch_faulted(&w));
	CHECK_EQ(msginfo_label(w.info), ABI_FAULT_VM);
	CHECK_OK(kt_delete(w.t.tcb));
	CHECK_ERROR2(sel4_page_map(frame, space, FREE_VADDR, RW, 0), ABI_FAILED_LOOKUP, 0,
		     ABI_LOOKUP_INVALID_ROOT);
	CHECK_ERROR2(sel4_pdpt_map(kt_make(ABI_OBJ_PDPT, 0), space, 0, 0), ABI_FAILED_LOOKUP, 0,
		     ABI_LOOKUP_INVALID_ROOT);
	CHECK_OK(sel4_page_unmap(frame));
	CHECK_EQ(sel4_tcb_set_space(kt_make(ABI_OBJ_TCB, 0), 0, KT_CNODE, space, 0, 0),
		 ABI_ILLEGAL_OPERATION);
}

static const struct kt_case cases[] = {
	{ "asid: errors of MakePool", pool_errors },
	{ "asid: as many pools as there can be", all_pools },
	{ "asid: errors of Assign", assign_errors },
	{ "asid: a full pool", pool_full },
	{ "asid: spaces of a pool that is gone", pool_gone },
};
KT_GROUP(kt_asid);
