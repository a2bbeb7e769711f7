/* Untyped_Retype: every error in its order, and what a retype makes. */
#include "kt.h"

static int retype(enum abi_object type, unsigned bits, cap_t dest, uint64_t count)
{
	return sel4_untyped_retype(kt_pool, KT_CNODE, type, bits, 0, 0, dest, count);
}

static void every_type(void)
{
	static const unsigned char bits[ABI_OBJ_COUNT] = {
		[ABI_OBJ_UNTYPED] = 4, [ABI_OBJ_CNODE] = 1, [ABI_OBJ_SCHED_CONTEXT] = 7
	};

	for (unsigned type = 0; type < ABI_OBJ_COUNT; type++)
		if (type != ABI_OBJ_HUGE_PAGE && kt_has_object(type))
			CHECK_OK(retype((enum abi_object)type, bits[type], kt_slot(), 1));
}

static void truncated(void)
{
	uint64_t mr[4] = { ABI_OBJ_ENDPOINT, 0, 0, 0 };

	sel4_ipcbuf->caps_or_badges[0] = KT_CNODE;
	CHECK_EQ(sel4_invoke(kt_pool, ABI_INV_UNTYPED_RETYPE, 1, 5, mr), ABI_TRUNCATED_MESSAGE);
	CHECK_EQ(sel4_invoke(kt_pool, ABI_INV_UNTYPED_RETYPE, 0, 6, mr), ABI_TRUNCATED_MESSAGE);
}

static void bad_label(void)
{
	uint64_t mr[4] = { 0 };

	CHECK_EQ(sel4_invoke(kt_pool, ABI_INV_TCB_RESUME, 0, 0, mr), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_invoke(kt_pool, ABI_INV_INVALID, 0, 0, mr), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_invoke(kt_pool, 0xfffff, 0, 0, mr), ABI_ILLEGAL_OPERATION);
}

static void bad_type(void)
{
	cap_t s = kt_slot();

	CHECK_ERROR1(retype(ABI_OBJ_COUNT, 0, s, 1), ABI_INVALID_ARGUMENT, 0);
	CHECK_ERROR1(retype((enum abi_object)0x7fffffff, 0, s, 1), ABI_INVALID_ARGUMENT, 0);
}

static void bad_size(void)
{
	cap_t s = kt_slot();

	CHECK_ERROR2(retype(ABI_OBJ_ENDPOINT, 64, s, 1), ABI_RANGE_ERROR, 0, 47);
	CHECK_ERROR2(retype(ABI_OBJ_UNTYPED, 48, s, 1), ABI_RANGE_ERROR, 0, 47);
	CHECK_ERROR2(retype(ABI_OBJ_CNODE, 43, s, 1), ABI_RANGE_ERROR, 0, 47);
}

static void too_small(void)
{
	cap_t s = kt_slot();

	CHECK_ERROR1(retype(ABI_OBJ_CNODE, 0, s, 1), ABI_INVALID_ARGUMENT, 1);
	CHECK_ERROR1(retype(ABI_OBJ_UNTYPED, 3, s, 1), ABI_INVALID_ARGUMENT, 1);
	CHECK_ERROR1(retype(ABI_OBJ_SCHED_CONTEXT, 6, s, 1), ABI_INVALID_ARGUMENT, 1);
}

static void bad_node(void)
{
	cap_t ep = kt_make(ABI_OBJ_ENDPOINT, 0), s = kt_slot();

	CHECK_ERROR3(sel4_untyped_retype(kt_pool, ep, ABI_OBJ_ENDPOINT, 0, 0, 0, s, 1),
		     ABI_FAILED_LOOKUP, 0, ABI_LOOKUP_MISSING_CAPABILITY, 0);
	CHECK_ERROR2(sel4_untyped_retype(kt_pool, ep, ABI_OBJ_ENDPOINT, 0, 0, 64, s, 1),
		     ABI_FAILED_LOOKUP, 0, ABI_LOOKUP_INVALID_ROOT);
	CHECK_ERROR3(sel4_untyped_retype(kt_pool, KT_CNODE, ABI_OBJ_ENDPOINT, 0, ep, 64, s, 1),
		     ABI_FAILED_LOOKUP, 0, ABI_LOOKUP_MISSING_CAPABILITY, 64);
	CHECK_ERROR2(sel4_untyped_retype(kt_pool, KT_CNODE, ABI_OBJ_ENDPOINT, 0, ep, 65, s, 1),
		     ABI_RANGE_ERROR, 1, 64);
}

static void bad_window(void)
{
	cap_t cnode = kt_make(ABI_OBJ_CNODE, 2);

	CHECK_ERROR2(sel4_untyped_retype(kt_pool, KT_CNODE, ABI_OBJ_ENDPOINT, 0, cnode, 64, 4, 1),
		     ABI_RANGE_ERROR, 0, 3);
	CHECK_ERROR2(sel4_untyped_retype(kt_pool, KT_CNODE, ABI_OBJ_ENDPOINT, 0, cnode, 64, 0, 0),
		     ABI_RANGE_ERROR, 1, 256);
	CHECK_ERROR2(sel4_untyped_retype(kt_pool, KT_CNODE, ABI_OBJ_ENDPOINT, 0, cnode, 64, 0, 257),
		     ABI_RANGE_ERROR, 1, 256);
	CHECK_ERROR2(sel4_untyped_retype(kt_pool, KT_CNODE, ABI_OBJ_ENDPOINT, 0, cnode, 64, 3, 2),
		     ABI_RANGE_ERROR, 1, 1);
}

static void window_in_use(void)
{
	cap_t cnode = kt_make(ABI_OBJ_CNODE, 2);

	CHECK_OK(sel4_untyped_retype(kt_pool, KT_CNODE, ABI_OBJ_ENDPOINT, 0, cnode, 64, 2, 1));
	CHECK_EQ(sel4_untyped_retype(kt_pool, KT_CNODE, ABI_OBJ_ENDPOINT, 0, cnode, 64, 0, 4),
		 ABI_DELETE_FIRST);
	CHECK_OK(sel4_untyped_retype(kt_pool, KT_CNODE, ABI_OBJ_ENDPOINT, 0, cnode, 64, 0, 2));
}

static void no_memory(void)
{
	cap_t u = kt_make(ABI_OBJ_UNTYPED, 12), s = kt_slots(300);

	CHECK_ERROR1(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_TCB, 0, 0, 0, s, 3),
		     ABI_NOT_ENOUGH_MEMORY, 4096);
	CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_ENDPOINT, 0, 0, 0, s, 1));
	CHECK_ERROR1(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_SMALL_PAGE, 0, 0, 0, s + 1, 1),
		     ABI_NOT_ENOUGH_MEMORY, 4080);
	/* The alignment gap is lost: two TCBs do not fit any more, one does. */
	CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_TCB, 0, 0, 0, s + 1, 1));
	CHECK_ERROR1(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_ENDPOINT, 0, 0, 0, s + 2, 1),
		     ABI_NOT_ENOUGH_MEMORY, 0);
}

static void exact_fit(void)
{
	cap_t u = kt_make(ABI_OBJ_UNTYPED, 12), s = kt_slots(256);

	CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_ENDPOINT, 0, 0, 0, s, 256));
	CHECK(!kt_is_empty(s + 255));
	CHECK_ERROR1(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_ENDPOINT, 0, 0, 0, kt_slot(), 1),
		     ABI_NOT_ENOUGH_MEMORY, 0);
}

static void reset_when_empty(void)
{
	cap_t u = kt_make(ABI_OBJ_UNTYPED, 12), s = kt_slot();

	for (unsigned i = 0; i < 3; i++) {
		CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_SMALL_PAGE, 0, 0, 0, s, 1));
		CHECK_ERROR1(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_ENDPOINT, 0, 0, 0, kt_slot(),
						 1),
			     ABI_NOT_ENOUGH_MEMORY, 0);
		CHECK_OK(kt_delete(s));
	}
	/* A failed retype does not reset. */
	CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_CNODE, 7, 0, 0, s, 1));
	CHECK_OK(kt_revoke(u));
	CHECK(kt_is_empty(s));
}

static void memory_comes_zeroed(void)
{
	cap_t u = kt_make(ABI_OBJ_UNTYPED, 12), cnode = kt_slot();

	/* A CNode full of capabilities, then again: every slot is empty. */
	CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_CNODE, 7, 0, 0, cnode, 1));
	for (unsigned i = 0; i < 128; i++)
		CHECK_OK(sel4_cnode_copy(cnode, i, 7, KT_CNODE, ABI_ROOT_TCB, 64, KT_ALL));
	CHECK_OK(kt_delete(cnode));
	CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_CNODE, 7, 0, 0, cnode, 1));
	for (unsigned i = 0; i < 128; i++)
		CHECK_OK(sel4_cnode_copy(cnode, i, 7, KT_CNODE, ABI_ROOT_TCB, 64, KT_ALL));
}

static void device_memory(void)
{
	cap_t device = kt_device_untyped(), s = kt_slot(), part = kt_slot();

	CHECK(device != 0);
	CHECK_ERROR1(sel4_untyped_retype(device, KT_CNODE, ABI_OBJ_ENDPOINT, 0, 0, 0, s, 1),
		     ABI_INVALID_ARGUMENT, 1);
	CHECK_ERROR1(sel4_untyped_retype(device, KT_CNODE, ABI_OBJ_PAGE_TABLE, 0, 0, 0, s, 1),
		     ABI_INVALID_ARGUMENT, 1);
	CHECK_OK(sel4_untyped_retype(device, KT_CNODE, ABI_OBJ_UNTYPED, 12, 0, 0, part, 1));
	CHECK_OK(sel4_untyped_retype(part, KT_CNODE, ABI_OBJ_SMALL_PAGE, 0, 0, 0, s, 1));
	CHECK_EQ(sel4_tcb_set_ipc_buffer(ABI_ROOT_TCB, s, 0x1000), ABI_ILLEGAL_OPERATION);
	CHECK_OK(kt_revoke(part));
	CHECK_OK(kt_delete(part));
}

static void nested(void)
{
	cap_t a = kt_make(ABI_OBJ_UNTYPED, 14), b = kt_slot(), c = kt_slot(), ep = kt_slot();

	CHECK_OK(sel4_untyped_retype(a, KT_CNODE, ABI_OBJ_UNTYPED, 13, 0, 0, b, 1));
	CHECK_OK(sel4_untyped_retype(b, KT_CNODE, ABI_OBJ_UNTYPED, 12, 0, 0, c, 1));
	CHECK_OK(sel4_untyped_retype(c, KT_CNODE, ABI_OBJ_ENDPOINT, 0, 0, 0, ep, 1));
	CHECK_OK(kt_delete(b));
	CHECK_ERROR1(sel4_untyped_retype(a, KT_CNODE, ABI_OBJ_UNTYPED, 14, 0, 0, b, 1),
		     ABI_NOT_ENOUGH_MEMORY, 8192);
	CHECK_OK(kt_revoke(a));
	CHECK(kt_is_empty(c));
	CHECK(kt_is_empty(ep));
	CHECK_OK(sel4_untyped_retype(a, KT_CNODE, ABI_OBJ_UNTYPED, 14, 0, 0, b, 1));
}

static void copy_takes_memory(void)
{
	cap_t u = kt_make(ABI_OBJ_UNTYPED, 12), copy = kt_copy(u), s = kt_slot();

	CHECK_ERROR1(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_ENDPOINT, 0, 0, 0, s, 1),
		     ABI_NOT_ENOUGH_MEMORY, 0);
	CHECK_OK(sel4_untyped_retype(copy, KT_CNODE, ABI_OBJ_ENDPOINT, 0, 0, 0, s, 1));
	CHECK_EQ(sel4_cnode_copy(KT_CNODE, kt_slot(), 64, KT_CNODE, copy, 64, KT_ALL),
		 ABI_REVOKE_FIRST);
	CHECK_OK(kt_revoke(u));
	CHECK(kt_is_empty(copy));
	CHECK(kt_is_empty(s));
	CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_ENDPOINT, 0, 0, 0, s, 1));
}

static const struct kt_case cases[] = {
	{ "untyped: every type can be made", every_type },
	{ "untyped: a truncated message", truncated },
	{ "untyped: labels of other objects", bad_label },
	{ "untyped: types that do not exist", bad_type },
	{ "untyped: sizes out of range", bad_size },
	{ "untyped: objects below their smallest size", too_small },
	{ "untyped: a destination that is no CNode", bad_node },
	{ "untyped: a window out of range", bad_window },
	{ "untyped: a window with a used slot", window_in_use },
	{ "untyped: not enough memory", no_memory },
	{ "untyped: 256 objects fill it exactly", exact_fit },
	{ "untyped: starts again when all children are gone", reset_when_empty },
	{ "untyped: memory used before comes zeroed", memory_comes_zeroed },
	{ "untyped: device memory makes frames and untypeds only", device_memory },
	{ "untyped: children of deleted untypeds stay children", nested },
	{ "untyped: a copy takes the memory over", copy_takes_memory },
};
KT_GROUP(kt_untyped);
