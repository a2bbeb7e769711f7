/*
 * Every invocation, once as it should be and then with each of the mistakes
 * that all invocations share. What only some can do wrong is in bad.c.
 */
#include "world.h"

#include <abi/ext.h>
#include <selvage/fmt.h>

#define WRITE_READ (ABI_RIGHT_WRITE | ABI_RIGHT_READ)
#define PSCI_VERSION 0x84000000ull
#define SCTLR_EL1 0x30c50838ull

#define CALL(method, object, ...)                           \
	{                                                   \
		.name = #method, .label = ABI_INV_##method, \
		.target = object, __VA_ARGS__               \
	}
static const struct kt_call calls[] = {
	CALL(UNTYPED_RETYPE, AT(UNTYPED), CAPS(KT_CNODE),
	     WORDS(ABI_OBJ_ENDPOINT, 0, 0, 0, AT(EMPTY), 1)),
	CALL(TCB_READ_REGISTERS, AT(TCB), WORDS(0, ABI_CTX_COUNT)),
	CALL(TCB_WRITE_REGISTERS, AT(TCB), WORDS(0, 2, 0x1000, 0x2000)),
	CALL(TCB_COPY_REGISTERS, AT(TCB), CAPS(AT(TCB2)), WORDS(12)),
	CALL(TCB_CONFIGURE, AT(TCB), CAPS(KT_CNODE, ABI_ROOT_VSPACE, AT(FRAME)),
	     WORDS(0, 0, 0x1000)),
	CALL(TCB_SET_PRIORITY, AT(TCB), CAPS(ABI_ROOT_TCB), WORDS(7)),
	CALL(TCB_SET_MC_PRIORITY, AT(TCB), CAPS(ABI_ROOT_TCB), WORDS(9)),
	CALL(TCB_SET_SCHED_PARAMS, AT(TCB), CAPS(ABI_ROOT_TCB, AT(SC), AT(EP)), WORDS(9, 7)),
	CALL(TCB_SET_TIMEOUT_ENDPOINT, AT(TCB), CAPS(AT(EP))),
	CALL(TCB_SET_IPC_BUFFER, AT(TCB), CAPS(AT(FRAME)), WORDS(0x1000)),
	CALL(TCB_SET_SPACE, AT(TCB), CAPS(AT(EP), KT_CNODE, ABI_ROOT_VSPACE), WORDS(0, 0)),
	CALL(TCB_SUSPEND, AT(TCB)),
	CALL(TCB_RESUME, AT(TCB)),
	CALL(TCB_BIND_NOTIFICATION, AT(TCB), CAPS(AT(NTFN))),
	CALL(TCB_UNBIND_NOTIFICATION, AT(TCB_BOUND)),
	CALL(TCB_SET_TLS_BASE, AT(TCB), WORDS(0x1000)),
	CALL(TCB_SET_FLAGS, AT(TCB), WORDS(0, 1)),
	CALL(CNODE_REVOKE, AT(CNODE), WORDS(0, 4)),
	CALL(CNODE_DELETE, AT(CNODE), WORDS(0, 4)),
	CALL(CNODE_CANCEL_BADGED_SENDS, AT(CNODE), WORDS(0, 4)),
	CALL(CNODE_COPY, AT(CNODE), CAPS(KT_CNODE), WORDS(1, 4, AT(EP), 64, KT_ALL)),
	CALL(CNODE_MINT, AT(CNODE), CAPS(KT_CNODE), WORDS(1, 4, AT(EP), 64, KT_ALL, 9)),
	CALL(CNODE_MOVE, AT(CNODE), CAPS(KT_CNODE), WORDS(1, 4, AT(EP), 64)),
	CALL(CNODE_MUTATE, AT(CNODE), CAPS(KT_CNODE), WORDS(1, 4, AT(CNODE_NEW), 64, 5)),
	CALL(CNODE_ROTATE, AT(CNODE), CAPS(KT_CNODE, KT_CNODE),
	     WORDS(1, 4, 0, AT(TCB), 64, 0, AT(TCB2), 64)),
	CALL(IRQ_CONTROL_GET, ABI_ROOT_IRQ_CONTROL, CAPS(KT_CNODE),
	     WORDS(KT_IRQ_FREE, AT(EMPTY), 64)),
	CALL(IRQ_HANDLER_ACK, AT(IRQ)),
	CALL(IRQ_HANDLER_SET_NOTIFICATION, AT(IRQ), CAPS(AT(NTFN))),
	CALL(IRQ_HANDLER_CLEAR, AT(IRQ)),
	CALL(DOMAIN_SET_SET, ABI_ROOT_DOMAIN, CAPS(AT(TCB)), WORDS(0)),
	CALL(DOMAIN_SET_SCHEDULE_CONFIGURE, ABI_ROOT_DOMAIN, WORDS(0, 0, 1ull << 50)),
	CALL(DOMAIN_SET_SCHEDULE_SET_START, ABI_ROOT_DOMAIN, WORDS(0)),
	CALL(SCHED_CONTROL_CONFIGURE_FLAGS, AT(SCHED_CONTROL), CAPS(AT(SC)),
	     WORDS(1000, 2000, 0, 5, 0)),
	CALL(SCHED_CONTEXT_BIND, AT(SC), CAPS(AT(TCB))),
	CALL(SCHED_CONTEXT_UNBIND, AT(SC_BOUND)),
	CALL(SCHED_CONTEXT_UNBIND_OBJECT, AT(SC_BOUND), CAPS(AT(TCB_BOUND))),
	CALL(SCHED_CONTEXT_CONSUMED, AT(SC)),
	CALL(SCHED_CONTEXT_YIELD_TO, AT(SC_BOUND)),
	CALL(ARM_VSPACE_CLEAN_DATA, AT(VSPACE), WORDS(KT_MAPPED, KT_MAPPED + 0x1000)),
	CALL(ARM_VSPACE_INVALIDATE_DATA, AT(VSPACE), WORDS(KT_MAPPED, KT_MAPPED + 0x1000)),
	CALL(ARM_VSPACE_CLEAN_INVALIDATE_DATA, AT(VSPACE), WORDS(KT_MAPPED, KT_MAPPED + 0x1000)),
	CALL(ARM_VSPACE_UNIFY_INSTRUCTION, AT(VSPACE), WORDS(KT_MAPPED, KT_MAPPED + 0x1000)),
	CALL(ARM_SMC_CALL, ABI_ROOT_SMC, WORDS(PSCI_VERSION, 0, 0, 0, 0, 0, 0, 0)),
	CALL(ARM_PAGE_TABLE_MAP, AT(PT), CAPS(AT(VSPACE)), WORDS(KT_MAPPED << 2, ABI_VM_DEFAULT)),
	CALL(ARM_PAGE_TABLE_UNMAP, AT(PT_LOW)),
	CALL(ARM_PAGE_MAP, AT(FRAME), CAPS(AT(VSPACE)),
	     WORDS(KT_MAPPED + 0x1000, WRITE_READ, ABI_VM_DEFAULT)),
	CALL(ARM_PAGE_UNMAP, AT(FRAME_MAPPED)),
	CALL(ARM_PAGE_CLEAN_DATA, AT(FRAME_MAPPED), WORDS(0, 0x1000)),
	CALL(ARM_PAGE_INVALIDATE_DATA, AT(FRAME_MAPPED), WORDS(0, 0x1000)),
	CALL(ARM_PAGE_CLEAN_INVALIDATE_DATA, AT(FRAME_MAPPED), WORDS(0, 0x1000)),
	CALL(ARM_PAGE_UNIFY_INSTRUCTION, AT(FRAME_MAPPED), WORDS(0, 0x1000)),
	CALL(ARM_PAGE_GET_ADDRESS, AT(FRAME)),
	CALL(ARM_ASID_CONTROL_MAKE_POOL, ABI_ROOT_ASID_CONTROL, CAPS(AT(UNTYPED), KT_CNODE),
	     WORDS(AT(EMPTY), 64)),
	CALL(ARM_ASID_POOL_ASSIGN, AT(POOL), CAPS(AT(VSPACE_NEW))),
	CALL(ARM_VCPU_SET_TCB, AT(VCPU), CAPS(AT(TCB))),
	CALL(ARM_VCPU_INJECT_IRQ, AT(VCPU), WORDS(40)),
	CALL(ARM_VCPU_READ_REGS, AT(VCPU), WORDS(ABI_VCPU_SCTLR_EL1)),
	CALL(ARM_VCPU_WRITE_REGS, AT(VCPU), WORDS(ABI_VCPU_SCTLR_EL1, SCTLR_EL1)),
	CALL(ARM_VCPU_ACK_VPPI, AT(VCPU), WORDS(ABI_PPI_VTIMER)),
	CALL(IRQ_CONTROL_GET_TRIGGER, ABI_ROOT_IRQ_CONTROL, CAPS(KT_CNODE),
	     WORDS(KT_IRQ_FREE, 1, AT(EMPTY), 64)),
	CALL(IRQ_CONTROL_ISSUE_SGI_SIGNAL, ABI_ROOT_IRQ_CONTROL, CAPS(KT_CNODE),
	     WORDS(9, 0, AT(EMPTY), 64)),
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))

/* --- the mistakes --- */

/* Makes a call that is to fail and to change nothing. */
static void fails(const struct kt_call *c)
{
	kt_world_note();
	kt_call_make(c);
	kt_call_check(c);
	kt_world_check();
}

static void works(const struct kt_call *valid)
{
	kt_call_make(valid);
	kt_call_check(valid);
}

static void too_few_words(const struct kt_call *valid)
{
	struct kt_call c = *valid;

	c.error = ABI_TRUNCATED_MESSAGE;
	while (c.words-- > 0)
		fails(&c);
}

static void too_few_caps(const struct kt_call *valid)
{
	struct kt_call c = *valid;

	c.error = ABI_TRUNCATED_MESSAGE;
	while (c.caps-- > 0)
		fails(&c);
}

static void empty_slot(const struct kt_call *valid)
{
	struct kt_call c = *valid;

	c.target = AT(EMPTY);
	c.error = ABI_INVALID_CAPABILITY;
	c.details = 1;
	fails(&c);
}

static void deleted_object(const struct kt_call *valid)
{
	struct kt_call c = *valid;

	CHECK_OK(kt_delete(kt_at(c.target)));
	kt_world_note(); /* what was bound to it may be bound by the notes themselves */
	c.error = ABI_INVALID_CAPABILITY;
	c.details = 1;
	fails(&c);
}

/* The world, made of a part of the pool, goes with it. */
static void revoked_ancestor(const struct kt_call *valid)
{
	struct kt_call c = *valid;

	CHECK_OK(kt_revoke(c.target == AT(IRQ) ? ABI_ROOT_IRQ_CONTROL : kt_pool));
	c.error = ABI_INVALID_CAPABILITY;
	c.details = 1;
	kt_call_make(&c);
	kt_call_check(&c);
	CHECK(kt_is_empty(kt_at(c.target)));
}

static const struct {
	enum { A_TCB = 1,
	       A_CNODE,
	       A_SC,
	       A_UNTYPED,
	       A_FRAME,
	       A_PT,
	       A_VSPACE,
	       A_POOL,
	       A_VCPU,
	       A_IRQ,
	       A_IRQ_CONTROL,
	       A_DOMAIN,
	       A_SCHED_CONTROL,
	       A_ASID_CONTROL,
	       A_SMC } type;
	uint64_t object;
	unsigned first, last; /* labels */
} types[] = {
	{ A_UNTYPED, AT(UNTYPED), ABI_INV_UNTYPED_RETYPE, ABI_INV_UNTYPED_RETYPE },
	{ A_TCB, AT(TCB2), ABI_INV_TCB_READ_REGISTERS, ABI_INV_TCB_SET_FLAGS },
	{ A_CNODE, AT(CNODE), ABI_INV_CNODE_REVOKE, ABI_INV_CNODE_ROTATE },
	{ A_IRQ_CONTROL, ABI_ROOT_IRQ_CONTROL, ABI_INV_IRQ_CONTROL_GET, ABI_INV_IRQ_CONTROL_GET },
	{ A_IRQ, AT(IRQ), ABI_INV_IRQ_HANDLER_ACK, ABI_INV_IRQ_HANDLER_CLEAR },
	{ A_DOMAIN, ABI_ROOT_DOMAIN, ABI_INV_DOMAIN_SET_SET,
	  ABI_INV_DOMAIN_SET_SCHEDULE_SET_START },
	{ A_SCHED_CONTROL, AT(SCHED_CONTROL), ABI_INV_SCHED_CONTROL_CONFIGURE_FLAGS,
	  ABI_INV_SCHED_CONTROL_CONFIGURE_FLAGS },
	{ A_SC, AT(SC), ABI_INV_SCHED_CONTEXT_BIND, ABI_INV_SCHED_CONTEXT_YIELD_TO },
	{ A_VSPACE, AT(VSPACE), ABI_INV_ARM_VSPACE_CLEAN_DATA,
	  ABI_INV_ARM_VSPACE_UNIFY_INSTRUCTION },
	{ A_SMC, ABI_ROOT_SMC, ABI_INV_ARM_SMC_CALL, ABI_INV_ARM_SMC_CALL },
	{ A_PT, AT(PT), ABI_INV_ARM_PAGE_TABLE_MAP, ABI_INV_ARM_PAGE_TABLE_UNMAP },
	{ A_FRAME, AT(FRAME), ABI_INV_ARM_PAGE_MAP, ABI_INV_ARM_PAGE_GET_ADDRESS },
	{ A_ASID_CONTROL, ABI_ROOT_ASID_CONTROL, ABI_INV_ARM_ASID_CONTROL_MAKE_POOL,
	  ABI_INV_ARM_ASID_CONTROL_MAKE_POOL },
	{ A_POOL, AT(POOL), ABI_INV_ARM_ASID_POOL_ASSIGN, ABI_INV_ARM_ASID_POOL_ASSIGN },
	{ A_VCPU, AT(VCPU), ABI_INV_ARM_VCPU_SET_TCB, ABI_INV_ARM_VCPU_ACK_VPPI },
	{ A_IRQ_CONTROL, ABI_ROOT_IRQ_CONTROL, ABI_INV_IRQ_CONTROL_GET_TRIGGER,
	  ABI_INV_IRQ_CONTROL_ISSUE_SGI_SIGNAL },
};

/* Asked of an object of every other type. */
static void wrong_type(const struct kt_call *valid)
{
	struct kt_call c = *valid;
	unsigned own = 0;

	c.error = ABI_ILLEGAL_OPERATION;
	for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (c.label >= types[i].first && c.label <= types[i].last)
			own = types[i].type;
	CHECK(own != 0);
	kt_world_note();
	for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i].type == own)
			continue;
		c.target = types[i].object;
		kt_call_make(&c);
		kt_call_check(&c);
	}
	kt_world_check();
}

/* --- without an IPC buffer: only registers travel --- */

static const struct kt_call *from_thread;

static void caller(void *arg)
{
	uint64_t mr[SEL4_MSG_REGS];

	(void)arg;
	for (unsigned i = 0; i < SEL4_MSG_REGS; i++)
		mr[i] = kt_at(from_thread->word[i + 1]);
	kt_answer = sel4_call(kt_at(from_thread->target),
			      msginfo(from_thread->label, from_thread->caps, from_thread->words),
			      mr);
	kt_stop();
}

static void no_buffer(const struct kt_call *valid)
{
	struct kt_call c = *valid;
	struct kt_thread t = kt_thread(0, caller, NULL, KT_HIGH, 0, true);

	if (c.words > SEL4_MSG_REGS || c.caps > 0)
		c.error = ABI_TRUNCATED_MESSAGE;
	from_thread = &c;
	/* Taken away, or its frame revoked. */
	if (c.label & 1) {
		CHECK_OK(sel4_tcb_set_ipc_buffer(t.tcb, 0, 0));
	} else {
		cap_t frame = kt_make(ABI_OBJ_SMALL_PAGE, 0);

		CHECK_OK(sel4_tcb_set_ipc_buffer(t.tcb, frame, 0x1000));
		CHECK_OK(kt_revoke(frame));
	}
	kt_answer = ~0ull;
	if (c.error)
		kt_world_note();
	CHECK_OK(sel4_tcb_resume(t.tcb));
	kt_call_check(&c);
	if (c.error)
		kt_world_check();
}

static bool has_words(const struct kt_call *c) { return c->words > 0; }
static bool has_caps(const struct kt_call *c) { return c->caps > 0; }
static bool always(const struct kt_call *c) { return c->label != 0; }
static bool can_go(const struct kt_call *c)
{
	return c->target >> 32 == AT_TAG && c->target != AT(SCHED_CONTROL);
}

static const struct {
	const char *name;
	void (*run)(const struct kt_call *);
	bool (*applies)(const struct kt_call *);
} mistakes[] = {
	{ "works", works, always },
	{ "too few words", too_few_words, has_words },
	{ "too few capabilities", too_few_caps, has_caps },
	{ "an empty slot", empty_slot, always },
	{ "a deleted object", deleted_object, can_go },
	{ "an object whose ancestor was revoked", revoked_ancestor, can_go },
	{ "objects of other types", wrong_type, always },
	{ "without an IPC buffer", no_buffer, always },
};
#define MISTAKES (sizeof(mistakes) / sizeof(mistakes[0]))

static bool name(unsigned i, char *out, unsigned bytes)
{
	const struct kt_call *c = &calls[i / MISTAKES];

	fmt_print(out, bytes, "call: %s: %s", c->name, mistakes[i % MISTAKES].name);
	return mistakes[i % MISTAKES].applies(c);
}

static void run(unsigned i)
{
	kt_world_make();
	mistakes[i % MISTAKES].run(&calls[i / MISTAKES]);
}

const struct kt_group kt_calls = { NULL, CALLS *MISTAKES, run, name };
