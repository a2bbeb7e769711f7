/* lib/vcpu on x86-64: decoding of exit messages, answers, the back end on a
 * kernel that this file plays. */
#include <selvage/vcpu_sel4.h>

#include "random.h"
#include "unit.h"

#include <selvage/sel4.h>
#include <string.h>

static struct abi_ipcbuf buffer;
_Thread_local struct abi_ipcbuf *sel4_ipcbuf;

enum { CAP_TCB = 10,
       CAP_VCPU = 11,
       CAP_EP = 12,
       CAP_REPLY = 13 };

static struct {
	uint64_t reg[64], fpu[ABI_VCPU_FPU_PARTS][2];
	unsigned invocations;
	bool resumed;
	/* The next exit, and the last answer. */
	uint64_t label, mr[4];
	msginfo_t answer;
	uint64_t reply[4];
} k;

static uint64_t *word(struct sel4_trap *t, unsigned i)
{
	return i < 4 ? &t->mr[i] : &buffer.msg[i];
}

static void transfer(struct sel4_trap *t, bool write)
{
	uint64_t set = t->mr[1];
	unsigned i = write ? 2 : 0;

	if (t->mr[0] == 0x4000) { /* no VT-x */
		t->info = msginfo(ABI_ILLEGAL_OPERATION, 0, 0);
		return;
	}
	if (t->mr[0] == ABI_VCPU_FPU) {
		assert_true(t->mr[1] < ABI_VCPU_FPU_PARTS);
		assert_false(write && t->mr[1] == ABI_VCPU_FPU_MXCSR);
		memcpy(write ? k.fpu[t->mr[1]] : t->mr, write ? &t->mr[2] : k.fpu[t->mr[1]], 16);
		t->info = 0;
		return;
	}
	assert_int_equal(t->mr[0], ABI_VCPU_SET);
	for (; set; set &= set - 1, i++) {
		if (write)
			k.reg[__builtin_ctzll(set)] = *word(t, i);
		else
			*word(t, i) = k.reg[__builtin_ctzll(set)];
	}
	t->info = 0;
}

void sel4_arch_trap(int64_t number, struct sel4_trap *t)
{
	if (number != ABI_SYS_CALL) {
		assert_int_equal(t->cap, CAP_EP);
		assert_int_equal(t->reply, CAP_REPLY);
		k.answer = t->info;
		memcpy(k.reply, t->mr, sizeof(k.reply));
		memcpy(t->mr, k.mr, sizeof(k.mr));
		for (unsigned i = 0; i < ABI_EXIT_STATE; i++)
			buffer.msg[ABI_EXIT_STATE_WORD + i] = k.reg[i];
		t->info = msginfo(k.label, 0, 4);
		return;
	}
	k.invocations++;
	switch (msginfo_label(t->info)) {
	case ABI_INV_X86_VCPU_READ_VMCS: transfer(t, false); break;
	case ABI_INV_X86_VCPU_WRITE_VMCS: transfer(t, true); break;
	case ABI_INV_TCB_RESUME: k.resumed = true; /* fall through */
	case ABI_EXT_VCPU_SET_EXIT_MESSAGE: t->info = 0; break;
	default: t->info = msginfo(ABI_ILLEGAL_OPERATION, 0, 0); break;
	}
}

uint64_t sel4_arch_trap_bare(int64_t number, uint64_t cap, uint64_t info)
{
	(void)number;
	(void)cap;
	return info;
}

static struct vcpu_sel4 make(void)
{
	const struct vcpu_caps caps = { .tcb = CAP_TCB,
					.vcpu = CAP_VCPU,
					.fault_ep = CAP_EP,
					.reply = CAP_REPLY,
					.features = ABI_EXTF_EXIT_MESSAGE };
	struct vcpu_sel4 s;

	memset(&k, 0, sizeof(k));
	sel4_ipcbuf = &buffer;
	assert_true(vcpu_sel4_init(&s, &caps));
	vcpu_reset(&s.cpu);
	assert_true(vcpu_sel4_start(&s));
	assert_true(k.resumed);
	k.invocations = 0;
	return s;
}

static uint64_t label(enum abi_exit_reason reason, unsigned bytes, uint32_t detail)
{
	return ABI_EXT_FAULT_EXIT | (uint64_t)reason << ABI_EXIT_REASON_SHIFT |
	       (uint64_t)bytes << ABI_EXIT_BYTES_SHIFT | (uint64_t)detail << ABI_EXIT_DETAIL_SHIFT;
}

static struct vcpu_exit run(struct vcpu_sel4 *s, uint64_t l, uint64_t a, uint64_t c, uint64_t d)
{
	struct vcpu_exit e;

	k.label = l;
	k.mr[0] = a;
	k.mr[1] = c;
	k.mr[2] = d;
	k.mr[3] = 0xb;
	vcpu_run(&s->cpu, &e);
	return e;
}

static void test_reset(void **state)
{
	(void)state;
	(void)make();
	assert_int_equal(k.reg[ABI_VCPU_RIP], 0xfff0);
	assert_int_equal(k.reg[ABI_VCPU_CS_BASE], 0xffff0000);
	assert_int_equal(k.reg[ABI_VCPU_CS], 0xffff009bf000);
}

static void test_cpuid(void **state)
{
	struct vcpu_sel4 s = make();
	struct vcpu_exit e = run(&s, label(ABI_EXIT_CPUID, 2, 0), 7, 1, 2);

	(void)state;
	assert_int_equal(e.reason, VCPU_EXIT_FEATURES);
	assert_int_equal(vcpu_exit_bytes(&e), 2);
	assert_int_equal(vcpu_get(&s.cpu, VCPU_RAX), 7);
	vcpu_finish_cpuid(&s.cpu, 0xa, 0xb0, 0xc, 0xd);
	(void)run(&s, label(ABI_EXIT_HLT, 1, 0), 0, 0, 0);
	assert_int_equal(k.answer, msginfo(ABI_EXIT_DONE, 0, 4));
	assert_int_equal(k.reply[0], 0xa);
	assert_int_equal(k.reply[1], 0xc);
	assert_int_equal(k.reply[2], 0xd);
	assert_int_equal(k.reply[3], 0xb0);
	assert_int_equal(k.invocations, 0);
}

static void test_port(void **state)
{
	struct vcpu_sel4 s = make();
	struct vcpu_exit e = run(&s, label(ABI_EXIT_PORT, 1, 0x60 | 1 << 16 | ABI_EXIT_PORT_IN),
				 0x11223344, 0, 0);

	(void)state;
	assert_int_equal(e.reason, VCPU_EXIT_PORT);
	assert_int_equal(e.code, 0x60);
	assert_int_equal(e.size, 1);
	assert_false(e.write);
	assert_false(vcpu_exit_is_string(&e));
	vcpu_finish_in(&s.cpu, &e, 0xabcd);
	e = run(&s, label(ABI_EXIT_STRING_PORT, 2, 0x1f0 | 2 << 16), 0, 0, 0);
	assert_int_equal(k.answer, msginfo(ABI_EXIT_DONE, 0, 1));
	assert_int_equal(k.reply[0], 0x112233cd);
	assert_true(vcpu_exit_is_string(&e));
	/* The answer to an access is where it goes on. */
	k.reg[ABI_VCPU_RIP] = 0x100;
	vcpu_advance(&s.cpu);
	s.cpu.valid &= ~vcpu_bit(VCPU_RIP);
	e = run(&s, label(ABI_EXIT_PORT, 2, 0x3f8 | 2 << 16), 0x11223344, 0, 0);
	assert_int_equal(k.answer, msginfo(ABI_EXIT_DONE, 0, 1));
	assert_int_equal(k.reply[0], 0x102);
	assert_true(e.write);
	assert_int_equal(e.value, 0x3344);
}

static void test_msr(void **state)
{
	struct vcpu_sel4 s = make();
	struct vcpu_exit e = run(&s, label(ABI_EXIT_MSR_WRITE, 2, 0), 0x1111111122222222, 0x1b, 3);

	(void)state;
	assert_int_equal(e.reason, VCPU_EXIT_MSR);
	assert_int_equal(e.syndrome, 0x1b);
	assert_int_equal(e.value, 0x322222222);
	assert_true(e.write);
	/* An exception in place of it. */
	k.reg[ABI_VCPU_CR0] = 0x11;
	vcpu_advance(&s.cpu);
	vcpu_inject_protection(&s.cpu);
	e = run(&s, label(ABI_EXIT_MSR_READ, 2, 0), 0, 0x10, 0);
	assert_int_equal(k.answer, msginfo(ABI_EXIT_AGAIN, 0, 0));
	assert_int_equal(k.reg[ABI_VCPU_EVENT], 0x80000b0d);
	vcpu_finish_msr(&s.cpu, 0x500000006);
	(void)run(&s, label(ABI_EXIT_HLT, 1, 0), 0, 0, 0);
	assert_int_equal(k.answer, msginfo(ABI_EXIT_DONE, 0, 3));
	assert_int_equal(k.reply[0], 6);
	assert_int_equal(k.reply[1], 0x10);
	assert_int_equal(k.reply[2], 5);
}

/* Error codes are protected mode's; a step leaves its traces. */
static void test_exceptions(void **state)
{
	struct vcpu_sel4 s = make();

	(void)state;
	(void)run(&s, label(ABI_EXIT_MSR_WRITE, 2, 0), 0, 0x1b, 3);
	vcpu_inject_protection(&s.cpu);
	(void)run(&s, label(ABI_EXIT_HLT, 1, 0), 0, 0, 0);
	assert_int_equal(k.reg[ABI_VCPU_EVENT], 0x8000030d);
	k.reg[ABI_VCPU_DR6] = 0xffff2ff3;
	k.reg[ABI_VCPU_DR7] = 0x2401;
	vcpu_advance(&s.cpu);
	vcpu_inject_step(&s.cpu);
	assert_false(s.cpu.advance);
	(void)run(&s, label(ABI_EXIT_HLT, 1, 0), 0, 0, 0);
	assert_int_equal(k.reg[ABI_VCPU_EVENT], 0x80000301);
	assert_int_equal(k.reg[ABI_VCPU_DR6], 0xffff6ff0);
	assert_int_equal(k.reg[ABI_VCPU_DR7], 0x401);
}

static void test_page(void **state)
{
	struct vcpu_sel4 s = make();
	struct vcpu_exit e;

	(void)state;
	for (unsigned i = 0; i < ABI_EXIT_STATE; i++)
		k.reg[i] = 0x100 + i;
	e = run(&s, label(ABI_EXIT_PAGE, 0, ABI_EXIT_PAGE_WRITE), 0xfee00000, 0, 0);
	assert_int_equal(e.reason, VCPU_EXIT_MMIO_OPAQUE);
	assert_int_equal(e.gpa, 0xfee00000);
	assert_true(e.write);
	for (unsigned i = 0; i < ABI_EXIT_STATE; i++)
		assert_int_equal(vcpu_get(&s.cpu, i), 0x100 + i);
	assert_int_equal(k.invocations, 0);
	vcpu_set_part(&s.cpu, VCPU_RBX, 1, true, 0xee);
	vcpu_set_part(&s.cpu, VCPU_RCX, 4, false, ~0ull);
	assert_int_equal(vcpu_get_part(&s.cpu, VCPU_RBX, 1, true), 0xee);
	assert_int_equal(vcpu_get(&s.cpu, VCPU_RBX), 0xee03);
	assert_int_equal(vcpu_get(&s.cpu, VCPU_RCX), 0xffffffff);
	e = run(&s, label(ABI_EXIT_PAGE, 0, ABI_EXIT_PAGE_FETCH), 0, 0, 0);
	assert_int_equal(e.reason, VCPU_EXIT_FETCH);
	assert_int_equal(k.reg[ABI_VCPU_RBX], 0xee03);
}

/* An instruction that was carried out: in the answer as long as that has room. */
static void test_access_answer(void **state)
{
	struct vcpu_sel4 s = make();

	(void)state;
	for (unsigned i = 0; i < ABI_EXIT_STATE; i++)
		k.reg[i] = 0x100 + i;
	(void)run(&s, label(ABI_EXIT_PAGE, 0, 0), 0xfee00000, 0, 0);
	vcpu_set(&s.cpu, VCPU_RIP, 0x1003);
	vcpu_set(&s.cpu, VCPU_SHADOW, 0);
	vcpu_set(&s.cpu, VCPU_R9, 99);
	(void)run(&s, label(ABI_EXIT_PAGE, 0, 0), 0xfee00000, 0, 0);
	assert_int_equal(k.answer, msginfo(ABI_EXIT_DONE, 0, 3));
	assert_int_equal(k.reply[0], 0x1003);
	assert_int_equal(k.reply[1], ABI_VCPU_R9);
	assert_int_equal(k.reply[2], 99);
	vcpu_set(&s.cpu, VCPU_RIP, 0x1006);
	vcpu_set(&s.cpu, VCPU_SHADOW, 0);
	vcpu_set(&s.cpu, VCPU_RFLAGS, 0x46);
	(void)run(&s, label(ABI_EXIT_PAGE, 0, 0), 0xfee00000, 0, 0);
	assert_int_equal(k.answer, msginfo(ABI_EXIT_DONE, 0, 4));
	assert_int_equal(k.reply[1], ABI_VCPU_RAX);
	assert_int_equal(k.reply[2], 0x100);
	assert_int_equal(k.reply[3], 0x46);
	assert_int_equal(k.invocations, 0);
	/* Two registers, or another one, or an event. */
	for (unsigned i = 0; i < 3; i++) {
		const unsigned more[] = { VCPU_RBX, VCPU_CR0, VCPU_EVENT };

		vcpu_set(&s.cpu, VCPU_RIP, 0x1009);
		vcpu_set(&s.cpu, VCPU_SHADOW, 0);
		vcpu_set(&s.cpu, VCPU_R9, 98);
		vcpu_set(&s.cpu, more[i], 5);
		(void)run(&s, label(ABI_EXIT_PAGE, 0, 0), 0xfee00000, 0, 0);
		assert_int_equal(k.answer, msginfo(ABI_EXIT_AGAIN, 0, 0));
		assert_int_equal(k.reg[ABI_VCPU_RIP], 0x1009);
		assert_int_equal(k.reg[more[i]], 5);
	}
}

static void test_irq(void **state)
{
	struct vcpu_sel4 s = make();
	struct vcpu_exit e = run(&s, label(ABI_EXIT_HLT, 1, 0) | ABI_EXIT_OPEN, 0, 0, 0);

	(void)state;
	assert_true(vcpu_takes_irqs(&e));
	assert_false(vcpu_irq_is_pending(&e));
	vcpu_set_irq(&s.cpu, 0x31);
	vcpu_advance(&s.cpu);
	e = run(&s, label(ABI_EXIT_WINDOW, 0, 0) | ABI_EXIT_IRQ_PENDING, 0, 0, 0);
	assert_int_equal(k.reg[ABI_VCPU_IRQ], 0x131);
	assert_int_equal(e.reason, VCPU_EXIT_IRQ_WINDOW);
	assert_true(vcpu_irq_is_pending(&e));
}

/* What is done behind an instruction that is stepped has RFLAGS. */
static void test_stepped(void **state)
{
	struct vcpu_sel4 s = make();

	(void)state;
	k.reg[ABI_VCPU_RFLAGS] = 0x102;
	(void)run(&s, label(ABI_EXIT_CPUID, 2, 0), 0, 0, 0);
	assert_false(s.cpu.valid & vcpu_bit(VCPU_RFLAGS));
	(void)run(&s, label(ABI_EXIT_CPUID, 2, 0) | ABI_EXIT_STEPPED, 0, 0, 0);
	assert_true(s.cpu.valid & vcpu_bit(VCPU_RFLAGS));
	assert_int_equal(vcpu_get(&s.cpu, VCPU_RFLAGS), 0x102);
}

/* x87's registers by number, whatever the stack's top: 1000 and on. */
static void stack(unsigned top)
{
	memset(k.fpu, 0xee, sizeof(k.fpu));
	k.fpu[ABI_VCPU_FPU_CONTROL][0] = 0x37f | (uint64_t)top << 27 | 0x55ull << 32;
	for (unsigned i = 0; i < 8; i++)
		k.fpu[ABI_VCPU_FPU_ST + i][0] = 1000 + (top + i) % 8;
}

static void test_vectors(void **state)
{
	struct vcpu_sel4 s = make();
	uint64_t w[2] = { 1, 2 }, value;

	(void)state;
	for (unsigned i = 0; i < 16; i++) {
		w[0] = i;
		assert_true(vcpu_sel4_set_xmm(&s, i, w));
		assert_int_equal(k.fpu[ABI_VCPU_FPU_XMM + i][0], i);
		k.fpu[ABI_VCPU_FPU_XMM + i][1] = 100 + i;
		assert_true(vcpu_sel4_get_xmm(&s, i, w));
		assert_int_equal(w[1], 100 + i);
	}
	for (unsigned top = 0; top < 8; top++) {
		stack(top);
		assert_true(vcpu_sel4_get_mmx(&s, 5, &value));
		assert_int_equal(value, 1005);
		assert_int_equal(k.fpu[ABI_VCPU_FPU_CONTROL][0], 0x37f | 0xffull << 32);
		for (unsigned i = 0; i < 8; i++)
			assert_int_equal(k.fpu[ABI_VCPU_FPU_ST + i][0], 1000 + i);
		stack(top);
		assert_true(vcpu_sel4_set_mmx(&s, 7, 42));
		for (unsigned i = 0; i < 8; i++)
			assert_int_equal(k.fpu[ABI_VCPU_FPU_ST + i][0], i == 7 ? 42 : 1000 + i);
		assert_int_equal(k.fpu[ABI_VCPU_FPU_ST + 7][1], 0xffff);
	}
}

/* Any label at all. */
static void test_random(void **state)
{
	struct vcpu_sel4 s = make();
	struct random r = { 1 };

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		uint64_t l = (random_u64(&r) & ~0xffull & ~0ull >> 12) | ABI_EXT_FAULT_EXIT;
		struct vcpu_exit e = run(&s, l, random_u64(&r), random_u64(&r), random_u64(&r));

		assert_true(e.reason <= VCPU_EXIT_INSTRUCTION);
		assert_true(e.reg < VCPU_MAX_REGS && e.size <= 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_cpuid),
		cmocka_unit_test(test_port),
		cmocka_unit_test(test_msr),
		cmocka_unit_test(test_exceptions),
		cmocka_unit_test(test_page),
		cmocka_unit_test(test_access_answer),
		cmocka_unit_test(test_irq),
		cmocka_unit_test(test_stepped),
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
