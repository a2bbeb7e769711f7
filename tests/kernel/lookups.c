/* Every invocation that looks a slot up by index and depth, and every way in
 * which that can fail. */
#include "world.h"

#include <selvage/fmt.h>

#define ROOT_GUARD_BITS (64 - ABI_ROOT_CNODE_BITS)

/* A lookup of a call that is right otherwise: where the root's capability
 * stands (0: it is the invoked one), and index and depth. */
static const struct lookup {
	struct kt_call call;
	uint8_t root, index, depth;
	enum { DESTINATION,
	       NODE,
	       OBJECT,
	       SOURCE } kind;
} lookups[] = {
#define LOOKUP(method, what, which, root_, index_, depth_, object, ...)                     \
	{                                                                                   \
		{ .name = what, .label = ABI_INV_##method, .target = object, __VA_ARGS__ }, \
			root_, index_, depth_, which                                        \
	}
	LOOKUP(UNTYPED_RETYPE, "Untyped_Retype, node", NODE, 1, 3, 4, AT(UNTYPED), CAPS(KT_CNODE),
	       WORDS(ABI_OBJ_ENDPOINT, 0, AT(CNODE), 64, 1, 1)),
	LOOKUP(CNODE_REVOKE, "CNode_Revoke", OBJECT, 0, 1, 2, AT(CNODE), WORDS(0, 4)),
	LOOKUP(CNODE_DELETE, "CNode_Delete", OBJECT, 0, 1, 2, AT(CNODE), WORDS(0, 4)),
	LOOKUP(CNODE_CANCEL_BADGED_SENDS, "CNode_CancelBadgedSends", OBJECT, 0, 1, 2, AT(CNODE),
	       WORDS(0, 4)),
	LOOKUP(CNODE_COPY, "CNode_Copy, destination", DESTINATION, 0, 1, 2, AT(CNODE),
	       CAPS(KT_CNODE), WORDS(1, 4, AT(EP), 64, KT_ALL)),
	LOOKUP(CNODE_MINT, "CNode_Mint, destination", DESTINATION, 0, 1, 2, AT(CNODE),
	       CAPS(KT_CNODE), WORDS(1, 4, AT(EP), 64, KT_ALL, 1)),
	LOOKUP(CNODE_MOVE, "CNode_Move, destination", DESTINATION, 0, 1, 2, AT(CNODE),
	       CAPS(KT_CNODE), WORDS(1, 4, AT(EP), 64)),
	LOOKUP(CNODE_MUTATE, "CNode_Mutate, destination", DESTINATION, 0, 1, 2, AT(CNODE),
	       CAPS(KT_CNODE), WORDS(1, 4, AT(CNODE_NEW), 64, 0)),
	LOOKUP(CNODE_ROTATE, "CNode_Rotate, destination", DESTINATION, 0, 1, 2, AT(CNODE),
	       CAPS(KT_CNODE, KT_CNODE), WORDS(1, 4, 0, AT(TCB), 64, 0, AT(TCB2), 64)),
	LOOKUP(CNODE_COPY, "CNode_Copy, source", SOURCE, 1, 3, 4, KT_CNODE, CAPS(AT(CNODE)),
	       WORDS(AT(EMPTY), 64, 0, 4, KT_ALL)),
	LOOKUP(CNODE_MINT, "CNode_Mint, source", SOURCE, 1, 3, 4, KT_CNODE, CAPS(AT(CNODE)),
	       WORDS(AT(EMPTY), 64, 0, 4, KT_ALL, 1)),
	LOOKUP(CNODE_MOVE, "CNode_Move, source", SOURCE, 1, 3, 4, KT_CNODE, CAPS(AT(CNODE)),
	       WORDS(AT(EMPTY), 64, 0, 4)),
	LOOKUP(CNODE_MUTATE, "CNode_Mutate, source", SOURCE, 1, 3, 4, KT_CNODE, CAPS(AT(CNODE)),
	       WORDS(AT(EMPTY), 64, 0, 4, 0)),
	LOOKUP(CNODE_ROTATE, "CNode_Rotate, source", SOURCE, 2, 7, 8, KT_CNODE,
	       CAPS(KT_CNODE, AT(CNODE)), WORDS(AT(EMPTY), 64, 0, AT(TCB), 64, 0, 0, 4)),
	LOOKUP(CNODE_ROTATE, "CNode_Rotate, pivot", SOURCE, 1, 4, 5, KT_CNODE,
	       CAPS(AT(CNODE), KT_CNODE), WORDS(AT(EMPTY), 64, 0, 0, 4, 0, AT(TCB), 64)),
	LOOKUP(IRQ_CONTROL_GET, "IRQControl_Get", DESTINATION, 1, 2, 3, ABI_ROOT_IRQ_CONTROL,
	       CAPS(KT_CNODE), WORDS(KT_IRQ_FREE, AT(EMPTY), 64)),
	LOOKUP(IRQ_CONTROL_GET_TRIGGER, "IRQControl_GetTrigger", DESTINATION, 1, 3, 4,
	       ABI_ROOT_IRQ_CONTROL, CAPS(KT_CNODE), WORDS(KT_IRQ_FREE, 0, AT(EMPTY), 64)),
	LOOKUP(IRQ_CONTROL_ISSUE_SGI_SIGNAL, "IRQControl_IssueSGISignal", DESTINATION, 1, 3, 4,
	       ABI_ROOT_IRQ_CONTROL, CAPS(KT_CNODE), WORDS(9, 0, AT(EMPTY), 64)),
	LOOKUP(ARM_ASID_CONTROL_MAKE_POOL, "ASIDControl_MakePool", DESTINATION, 2, 1, 2,
	       ABI_ROOT_ASID_CONTROL, CAPS(AT(UNTYPED), KT_CNODE), WORDS(AT(EMPTY), 64)),
};
#define LOOKUPS (sizeof(lookups) / sizeof(lookups[0]))

static void fails(struct kt_call *c, unsigned details)
{
	c->details = (uint8_t)details;
	kt_world_note();
	kt_call_make(c);
	kt_call_check(c);
	kt_world_check();
}

static void set_slot(const struct lookup *l, struct kt_call *c, uint64_t root, uint64_t index,
		     uint64_t depth)
{
	*(l->root ? &c->cap[l->root] : &c->target) = root;
	c->word[l->index] = index;
	c->word[l->depth] = depth;
}

static void failed_lookup(const struct lookup *l, struct kt_call *c, uint64_t type)
{
	c->error = ABI_FAILED_LOOKUP;
	c->detail[1] = l->kind == SOURCE;
	c->detail[2] = type;
}

/* --- the failures --- */

static void bad_root(const struct lookup *l, uint64_t root)
{
	struct kt_call c = l->call;

	set_slot(l, &c, root, 0, 4);
	failed_lookup(l, &c, ABI_LOOKUP_INVALID_ROOT);
	fails(&c, 2);
}

static void root_of_other_types(const struct lookup *l)
{
	bad_root(l, AT(EP));
	bad_root(l, AT(TCB));
	bad_root(l, AT(UNTYPED));
	bad_root(l, AT(VCPU));
}

static void root_empty(const struct lookup *l) { bad_root(l, AT(EMPTY)); }

static void root_revoked(const struct lookup *l)
{
	cap_t u = kt_make(ABI_OBJ_UNTYPED, 12), cnode = kt_slot();

	CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_CNODE, 4, 0, 0, cnode, 1));
	CHECK_OK(kt_revoke(u));
	bad_root(l, cnode);
}

static void depth_out_of_range(const struct lookup *l, uint64_t depth)
{
	struct kt_call c = l->call;

	c.word[l->depth] = depth;
	c.error = ABI_RANGE_ERROR;
	c.detail[1] = 1;
	c.detail[2] = 64;
	fails(&c, 2);
}

static void depth_zero(const struct lookup *l) { depth_out_of_range(l, 0); }

static void depth_too_large(const struct lookup *l)
{
	depth_out_of_range(l, 65);
	depth_out_of_range(l, 128);
	depth_out_of_range(l, 1ull << 32 | 4);
	depth_out_of_range(l, ~0ull);
}

static void too_few_bits(const struct lookup *l)
{
	struct kt_call c = l->call;

	set_slot(l, &c, AT(CNODE), 0, 3);
	failed_lookup(l, &c, ABI_LOOKUP_DEPTH_MISMATCH);
	c.detail[3] = 3;
	c.detail[4] = 4;
	fails(&c, 4);
}

static void bits_left(const struct lookup *l)
{
	struct kt_call c = l->call;

	set_slot(l, &c, AT(CNODE), 0, 9);
	failed_lookup(l, &c, ABI_LOOKUP_DEPTH_MISMATCH);
	c.detail[3] = 5;
	c.detail[4] = 0;
	fails(&c, 4);
}

static void wrong_guard(const struct lookup *l)
{
	struct kt_call c = l->call;

	set_slot(l, &c, KT_CNODE, 1ull << 60 | 1, 64);
	failed_lookup(l, &c, ABI_LOOKUP_GUARD_MISMATCH);
	c.detail[3] = 64;
	c.detail[4] = 0;
	c.detail[5] = ROOT_GUARD_BITS;
	fails(&c, 5);
}

static void occupied(const struct lookup *l)
{
	struct kt_call c = l->call;

	c.error = ABI_DELETE_FIRST;
	set_slot(l, &c, KT_CNODE, AT(EP), 64);
	fails(&c, 0);
	set_slot(l, &c, KT_CNODE, ABI_ROOT_TCB, 64);
	fails(&c, 0);
}

static void full_cnode(const struct lookup *l)
{
	struct kt_call c = l->call;

	c.error = ABI_DELETE_FIRST;
	for (uint64_t i = 0; i < 2; i++) {
		set_slot(l, &c, AT(CNODE_FULL), i, 1);
		fails(&c, 0);
	}
}

static void empty_source(const struct lookup *l)
{
	struct kt_call c = l->call;

	set_slot(l, &c, AT(CNODE), 7, 4);
	failed_lookup(l, &c, ABI_LOOKUP_MISSING_CAPABILITY);
	/* Of Rotate's two sources the pivot counts as destination here. */
	c.detail[1] = c.label != ABI_INV_CNODE_ROTATE || l->root == 2;
	c.detail[3] = 4;
	fails(&c, 3);
}

static void no_node(const struct lookup *l)
{
	static const uint64_t members[] = { AT(EMPTY), AT(EP), AT(TCB), AT(UNTYPED) };
	struct kt_call c = l->call;

	failed_lookup(l, &c, ABI_LOOKUP_MISSING_CAPABILITY);
	c.detail[3] = 64;
	for (unsigned i = 0; i < 4; i++) {
		set_slot(l, &c, KT_CNODE, members[i], 64);
		fails(&c, 3);
	}
	/* Depth 0: the root itself is to be the node. */
	c.detail[3] = 0;
	for (unsigned i = 0; i < 4; i++) {
		set_slot(l, &c, members[i], 0, 0);
		fails(&c, 3);
	}
}

#define ANY_ROOT (1 << DESTINATION | 1 << NODE | 1 << SOURCE)
static const struct {
	const char *name;
	void (*run)(const struct lookup *);
	unsigned kinds; /* mask */
} mistakes[] = {
	{ "a root of another type", root_of_other_types, ANY_ROOT },
	{ "an empty slot as root", root_empty, ANY_ROOT },
	{ "a root whose ancestor was revoked", root_revoked, ANY_ROOT },
	{ "depth 0", depth_zero, 1 << DESTINATION | 1 << OBJECT | 1 << SOURCE },
	{ "a depth above 64", depth_too_large, 15 },
	{ "too few address bits", too_few_bits, 15 },
	{ "address bits left over", bits_left, 15 },
	{ "a guard that does not match", wrong_guard, ANY_ROOT },
	{ "an occupied destination", occupied, 1 << DESTINATION },
	{ "a full CNode", full_cnode, 1 << DESTINATION },
	{ "an empty source", empty_source, 1 << SOURCE },
	{ "a node that is no CNode", no_node, 1 << NODE },
};
#define MISTAKES (sizeof(mistakes) / sizeof(mistakes[0]))

/* The invoked CNode as root is of the right type, or that is another error. */
static bool applies(const struct lookup *l, unsigned m)
{
	return mistakes[m].kinds >> l->kind & 1 && (l->root || m > 2);
}

static bool name(unsigned i, char *out, unsigned bytes)
{
	const struct lookup *l = &lookups[i / MISTAKES];

	fmt_print(out, bytes, "lookup: %s: %s", l->call.name, mistakes[i % MISTAKES].name);
	return applies(l, i % MISTAKES);
}

static void run(unsigned i)
{
	kt_world_make();
	mistakes[i % MISTAKES].run(&lookups[i / MISTAKES]);
}

const struct kt_group kt_lookups = { NULL, LOOKUPS *MISTAKES, run, name };
