/*
 * Every system instruction there is, and arbitrary words, run by a native
 * thread at EL0 and by a guest at EL1: whatever it is, it ends in a fault to
 * the handler, and the kernel and the other threads go on. And invocations
 * with any label, capabilities and words: each is answered.
 */
#include "kt.h"

#include <abi/ext.h>
#include <abi/fault.h>
#include <abi/regs.h>
#include <string.h>

#define PAGE 4096u
#define CODE 0x40000000ull   /* in the victim's address space */
#define WINDOW 0x3a000000ull /* in ours */
#define ROUNDS 3000u
#define SPSR_EL1H 0x3c5u
#define HVC 0xd4000002u
#define UDF 0x00000000u

struct victim {
	cap_t vspace, tcb, vcpu, ep, reply, frame;
	volatile uint32_t *code;
};

static void map(cap_t frame, cap_t vspace, uint64_t vaddr)
{
	for (unsigned level = 0; level < 4; level++) {
		if (sel4_page_map(frame, vspace, vaddr, KT_ALL, ABI_VM_DEFAULT) == ABI_OK)
			return;
		CHECK_OK(sel4_page_table_map(kt_make(ABI_OBJ_PAGE_TABLE, 0), vspace, vaddr,
					     ABI_VM_DEFAULT));
	}
}

static struct victim make_victim(bool guest)
{
	struct victim v = {
		.vspace = kt_make(ABI_OBJ_VSPACE, 0),
		.tcb = kt_make(ABI_OBJ_TCB, 0),
		.ep = kt_make(ABI_OBJ_ENDPOINT, 0),
		.reply = kt_make(ABI_OBJ_REPLY, 0),
		.code = (volatile uint32_t *)(uintptr_t)WINDOW,
	};
	cap_t sc = kt_make(ABI_OBJ_SCHED_CONTEXT, 8), frame = kt_make(ABI_OBJ_SMALL_PAGE, 0);

	v.frame = kt_copy(frame);
	map(v.frame, ABI_ROOT_VSPACE, WINDOW);
	CHECK_OK(sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, v.vspace));
	map(frame, v.vspace, CODE);
	CHECK_OK(sel4_sched_control_configure(kt_sched_control(), sc, 5000, 5000, 0, 0, 0));
	CHECK_OK(sel4_tcb_set_space(v.tcb, 0, KT_CNODE, v.vspace, 0, 0));
	CHECK_OK(sel4_tcb_set_sched_params(v.tcb, ABI_ROOT_TCB, sc, kt_mint(v.ep, KT_ALL, 1), 255,
					   KT_LOW));
	if (guest) {
		v.vcpu = kt_make(ABI_OBJ_VCPU, 0);
		CHECK_OK(sel4_vcpu_set_tcb(v.vcpu, v.tcb));
	}
	return v;
}

/* Runs one word and what ends the run behind it; the fault's label. */
static uint64_t run_word(const struct victim *v, uint32_t word)
{
	uint64_t regs[ABI_CTX_COUNT], badge, mr[SEL4_MSG_REGS] = { 0 };

	for (unsigned i = 0; i < PAGE / 4; i++)
		v->code[i] = v->vcpu ? HVC : UDF;
	v->code[64] = word;
	CHECK_OK(sel4_page_unify_instruction(v->frame, 0, PAGE));
	for (unsigned i = 0; i < ABI_CTX_COUNT; i++)
		regs[i] = CODE + 8 * i; /* an address that is there */
	regs[ABI_CTX_PC] = CODE + 256;
	regs[ABI_CTX_SPSR] = v->vcpu ? SPSR_EL1H : 0;
	regs[ABI_CTX_X7] = 1; /* no system call has this number */
	if (v->vcpu) {
		(void)sel4_vcpu_ack_vppi(v->vcpu, ABI_PPI_VTIMER);
		CHECK_OK(sel4_vcpu_write_regs(v->vcpu, ABI_VCPU_SCTLR_EL1, 0x30c50838));
		CHECK_OK(sel4_vcpu_write_regs(v->vcpu, ABI_VCPU_VBAR_EL1, 0x7000000));
		CHECK_OK(sel4_vcpu_write_regs(v->vcpu, ABI_VCPU_CNTV_CTL, 0));
	}
	CHECK_OK(sel4_tcb_write_registers(v->tcb, 1, ABI_CTX_COUNT, regs));
	return msginfo_label(sel4_recv(v->ep, &badge, mr, v->reply));
}

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static void run_many(bool guest, uint32_t fixed, uint32_t mask)
{
	struct victim v = make_victim(guest);
	uint32_t state = 0x5e1fa6e;

	for (unsigned i = 0; i < ROUNDS; i++) {
		uint32_t word = fixed | (next_random(&state) & mask);
		uint64_t label = run_word(&v, word);

		if (label == 0 || label > ABI_FAULT_VPPI_EVENT)
			CHECK_EQ(word, 0);
	}
}

/* MSR, MRS, SYS, hints, barriers: 0xd5000000 to 0xd53fffff. */
static void test_system_native(void) { run_many(false, 0xd5000000, 0x003fffff); }
static void test_system_guest(void) { run_many(true, 0xd5000000, 0x003fffff); }
/* Exceptions, branches to registers, ERET, DRPS: 0xd4000000, 0xd6000000. */
static void test_exceptions_native(void) { run_many(false, 0xd4000000, 0x02ffffff); }
static void test_exceptions_guest(void) { run_many(true, 0xd4000000, 0x02ffffff); }
static void test_words_native(void) { run_many(false, 0, ~0u); }
static void test_words_guest(void) { run_many(true, 0, ~0u); }

/* --- invocations --- */
#define INVOCATIONS 20000u
#define TARGETS 20u
#define CNODE_RADIX 6

static unsigned make_targets(cap_t *t)
{
	static const uint8_t plain[] = { ABI_OBJ_TCB, ABI_OBJ_TCB, ABI_OBJ_ENDPOINT,
					 ABI_OBJ_NOTIFICATION, ABI_OBJ_REPLY, ABI_OBJ_VSPACE,
					 ABI_OBJ_VSPACE, ABI_OBJ_SMALL_PAGE, ABI_OBJ_SMALL_PAGE,
					 ABI_OBJ_LARGE_PAGE, ABI_OBJ_PAGE_TABLE, ABI_OBJ_PAGE_TABLE,
					 ABI_OBJ_PAGE_TABLE, ABI_OBJ_VCPU, ABI_OBJ_VCPU };
	unsigned n = 0;

	for (; n < sizeof(plain); n++)
		t[n] = kt_make(plain[n], 0);
	t[n++] = kt_make(ABI_OBJ_CNODE, CNODE_RADIX);
	t[n++] = kt_make(ABI_OBJ_SCHED_CONTEXT, 8);
	t[n++] = kt_make(ABI_OBJ_UNTYPED, 12);
	t[n++] = kt_make(ABI_OBJ_UNTYPED, 14);
	t[n++] = ABI_ROOT_ASID_CONTROL;
	return n;
}

/* Values around what methods check for. */
static uint64_t next_word(uint32_t *state)
{
	static const uint64_t odd[] = { 0, 1, 2, 3, 7, 12, 27, 64, 0xfff, PAGE, CODE, 1ull << 21,
					1ull << 40, 1ull << 44, ~0ull, 1ull << 63 };
	uint32_t r = next_random(state);

	if (r & 1)
		return odd[r >> 8 & 15];
	return r & 2 ? next_random(state) & 63 : (uint64_t)next_random(state) << 32 | r;
}

static void test_invocations(void)
{
	cap_t target[TARGETS];
	unsigned n = make_targets(target);
	uint32_t state = 0xca11;

	for (unsigned i = 0; i < INVOCATIONS; i++) {
		uint64_t mr[SEL4_MSG_REGS], label = next_random(&state) % 64;
		cap_t cap = target[next_random(&state) % n];
		unsigned words = next_random(&state) % 12, caps = next_random(&state) % 4;

		if (next_random(&state) % 8 == 0)
			label = ABI_EXT_BASE + next_random(&state) % 8;
		for (unsigned w = 0; w < SEL4_MSG_REGS; w++)
			mr[w] = next_word(&state);
		for (unsigned w = SEL4_MSG_REGS; w < 12; w++)
			sel4_ipcbuf->msg[w] = next_word(&state);
		for (unsigned c = 0; c < caps; c++)
			sel4_ipcbuf->caps_or_badges[c] = target[next_random(&state) % n];
		/* A call of these waits for a thread that never comes. */
		if (cap == target[2] || cap == target[3] || cap == target[4])
			continue;
		CHECK(sel4_invoke(cap, label, caps, words, mr) <= ABI_NOT_ENOUGH_MEMORY);
	}
}

static const struct kt_case cases[] = {
	{ "hostile: system instructions at EL0", test_system_native },
	{ "hostile: system instructions at EL1", test_system_guest },
	{ "hostile: exceptions and returns at EL0", test_exceptions_native },
	{ "hostile: exceptions and returns at EL1", test_exceptions_guest },
	{ "hostile: any word at EL0", test_words_native },
	{ "hostile: any word at EL1", test_words_guest },
	{ "hostile: any invocation", test_invocations },
};
KT_GROUP(kt_hostile);
