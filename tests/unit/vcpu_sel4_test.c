/*
 * The back end of lib/vcpu against a kernel that this file plays: one vCPU
 * with registers, faults in seL4's form or as exit messages.
 */
#include <selvage/vcpu_sel4.h>

#include "unit.h"

#include <abi/fault.h>
#include <selvage/sel4.h>
#include <string.h>

static struct abi_ipcbuf buffer;
_Thread_local struct abi_ipcbuf *sel4_ipcbuf;

enum { CAP_TCB = 10,
       CAP_VCPU = 11,
       CAP_EP = 12,
       CAP_REPLY = 13,
       CAP_READY = 14 };

/* The played kernel. */
static struct {
	uint64_t context[ABI_CTX_COUNT];
	uint64_t field[ABI_VCPU_REG_COUNT];
	bool exit_messages, resumed;
	unsigned invocations;
	/* The next fault. */
	uint64_t label;
	unsigned words;
	uint64_t message[16];
	/* The answer to the last one. */
	bool answered;
	msginfo_t answer;
	uint64_t reply[16];
	uint64_t signalled;
} k;

static void read_registers(struct sel4_trap *t)
{
	for (unsigned i = 0; i < ABI_CTX_COUNT; i++) {
		if (i < 4)
			t->mr[i] = k.context[i];
		else
			buffer.msg[i] = k.context[i];
	}
	t->info = msginfo(0, 0, ABI_CTX_COUNT);
}

static void write_registers(struct sel4_trap *t)
{
	for (unsigned i = 0; i < t->mr[1]; i++)
		k.context[i] = i < 2 ? t->mr[i + 2] : buffer.msg[i + 2];
	k.resumed = t->mr[0] & 1;
	t->info = 0;
}

static void invoke(struct sel4_trap *t)
{
	k.invocations++;
	switch (msginfo_label(t->info)) {
	case ABI_INV_TCB_READ_REGISTERS:
		assert_int_equal(t->cap, CAP_TCB);
		read_registers(t);
		break;
	case ABI_INV_TCB_WRITE_REGISTERS:
		assert_int_equal(t->cap, CAP_TCB);
		assert_int_equal(msginfo_words(t->info), t->mr[1] + 2);
		write_registers(t);
		break;
	case ABI_INV_ARM_VCPU_READ_REGS:
		assert_true(t->mr[0] < ABI_VCPU_REG_COUNT);
		t->mr[0] = k.field[t->mr[0]];
		t->info = msginfo(0, 0, 1);
		break;
	case ABI_INV_ARM_VCPU_WRITE_REGS:
		k.field[t->mr[0]] = t->mr[1];
		t->info = 0;
		break;
	case ABI_EXT_VCPU_SET_EXIT_MESSAGE:
		k.exit_messages = t->mr[0];
		t->info = 0;
		break;
	default:
		t->info = msginfo(ABI_ILLEGAL_OPERATION, 0, 0);
		break;
	}
}

static void deliver(struct sel4_trap *t)
{
	assert_int_equal(t->cap, CAP_EP);
	assert_int_equal(t->reply, CAP_REPLY);
	for (unsigned i = 0; i < k.words; i++) {
		if (i < 4)
			t->mr[i] = k.message[i];
		else
			buffer.msg[i] = k.message[i];
	}
	t->info = msginfo(k.label, 0, k.words);
	t->cap = 1;
}

void sel4_arch_trap(int64_t number, struct sel4_trap *t)
{
	switch (number) {
	case ABI_SYS_CALL:
		invoke(t);
		return;
	case ABI_SYS_NB_SEND_RECV:
		k.signalled = t->dest;
		deliver(t);
		return;
	case ABI_SYS_REPLY_RECV:
		k.answered = true;
		k.answer = t->info;
		for (unsigned i = 0; i < 16; i++)
			k.reply[i] = i < 4 ? t->mr[i] : buffer.msg[i];
		deliver(t);
		return;
	default:
		fail();
	}
}

uint64_t sel4_arch_trap_bare(int64_t number, uint64_t cap, uint64_t info)
{
	(void)number;
	(void)cap;
	(void)info;
	fail();
	return 0;
}

static struct vcpu_sel4 v;
static struct vcpu_exit e;

static void boot(uint64_t features)
{
	const struct vcpu_caps caps = {
		.tcb = CAP_TCB,
		.vcpu = CAP_VCPU,
		.fault_ep = CAP_EP,
		.reply = CAP_REPLY,
		.ready = CAP_READY,
		.features = features,
	};

	memset(&k, 0, sizeof(k));
	memset(&buffer, 0, sizeof(buffer));
	sel4_ipcbuf = &buffer;
	for (unsigned i = 0; i < ABI_CTX_COUNT; i++)
		k.context[i] = 0x1000 + i;
	k.context[ABI_CTX_PC] = 0x8000;
	vcpu_sel4_init(&v, &caps);
	k.invocations = 0;
}

static void fault(uint64_t label, const uint64_t *words, unsigned n)
{
	k.label = label;
	k.words = n;
	for (unsigned i = 0; i < n; i++)
		k.message[i] = words[i];
	vcpu_run(&v.cpu, &e);
}
#define FAULT(label, ...)                               \
	fault(label, (const uint64_t[]){ __VA_ARGS__ }, \
	      sizeof((const uint64_t[]){ __VA_ARGS__ }) / 8)

#define ESR_STR_W3 (0x24ull << 26 | 1u << 25 | 1u << 24 | 2u << 22 | 3u << 16 | 1u << 6)
#define ESR_LDR_X9 (0x24ull << 26 | 1u << 25 | 1u << 24 | 3u << 22 | 9u << 16 | 1u << 15)

static void the_first_receive_signals(void **state)
{
	(void)state;
	boot(0);
	FAULT(ABI_FAULT_VPPI_EVENT, 27);
	assert_int_equal(k.signalled, CAP_READY);
	assert_int_equal(e.reason, VCPU_EXIT_TIMER);
	assert_int_equal(e.code, 27);
}

static void plain_store(void **state)
{
	(void)state;
	boot(0);
	FAULT(ABI_FAULT_VM, 0x8000, 0x9000018, 0, ESR_STR_W3);
	assert_int_equal(e.reason, VCPU_EXIT_MMIO);
	assert_int_equal(e.gpa, 0x9000018);
	assert_int_equal(vcpu_get(&v.cpu, VCPU_PC), 0x8000);
	assert_int_equal(e.value, k.context[ABI_CTX_X3]);
	vcpu_advance(&v.cpu);
	FAULT(ABI_FAULT_VPPI_EVENT, 27);
	assert_int_equal(k.context[ABI_CTX_PC], 0x8004);
	assert_int_equal(k.context[ABI_CTX_X3], 0x1000 + ABI_CTX_X3);
	assert_int_equal(msginfo_label(k.answer), 0);
	assert_int_equal(msginfo_words(k.answer), 0);
	assert_false(k.resumed);
}

static void plain_load(void **state)
{
	(void)state;
	boot(0);
	FAULT(ABI_FAULT_VM, 0x8000, 0x9000018, 0, ESR_LDR_X9);
	vcpu_set_x(&v.cpu, e.reg, 0xabc);
	vcpu_advance(&v.cpu);
	FAULT(ABI_FAULT_VPPI_EVENT, 27);
	assert_int_equal(k.context[ABI_CTX_PC], 0x8004);
	assert_int_equal(k.context[ABI_CTX_X9], 0xabc);
	assert_int_equal(k.context[ABI_CTX_X10], 0x1000 + ABI_CTX_X10);
}

/* A Thumb instruction of two bytes. */
static void plain_narrow_instruction(void **state)
{
	(void)state;
	boot(0);
	FAULT(ABI_FAULT_VM, 0x8000, 0x9000018, 0, ESR_STR_W3 & ~(1ull << 25));
	vcpu_advance(&v.cpu);
	FAULT(ABI_FAULT_VPPI_EVENT, 27);
	assert_int_equal(k.context[ABI_CTX_PC], 0x8002);
}

static void plain_hypercall(void **state)
{
	(void)state;
	boot(0);
	FAULT(ABI_FAULT_UNKNOWN_SYSCALL, 0x84000000, 1, 2, 3, 4, 5, 6, 7,
	      0x8000, 0, 0x8004, 0x3c5, 7);
	assert_int_equal(e.reason, VCPU_EXIT_HYPERCALL);
	assert_int_equal(vcpu_get(&v.cpu, VCPU_X0), 0x84000000);
	assert_int_equal(vcpu_get(&v.cpu, VCPU_X0 + 7), 7);
	vcpu_set(&v.cpu, VCPU_X0, 0x10001);
	vcpu_advance(&v.cpu);
	assert_int_equal(k.invocations, 0);
	FAULT(ABI_FAULT_VPPI_EVENT, 27);
	assert_int_equal(k.invocations, 0);
	assert_int_equal(msginfo_words(k.answer), 9);
	assert_int_equal(k.reply[0], 0x10001);
	assert_int_equal(k.reply[7], 7);
	assert_int_equal(k.reply[ABI_SYSFAULT_IP], 0x8004);
}

/* seL4 decodes an HVC with x7 = -1 as a Call, which finds no capability. */
static void plain_hypercall_as_a_system_call(void **state)
{
	(void)state;
	boot(0);
	k.context[ABI_CTX_X0] = 0x84000000;
	k.context[ABI_CTX_PC] = 0x8000;
	FAULT(ABI_FAULT_CAP, 0x8000, 0x84000000, 0, 4, 64, 0, 63);
	assert_int_equal(e.reason, VCPU_EXIT_HYPERCALL);
	assert_int_equal(vcpu_get(&v.cpu, VCPU_X0), 0x84000000);
	vcpu_set(&v.cpu, VCPU_X0, 0x10001);
	vcpu_advance(&v.cpu);
	FAULT(ABI_FAULT_VPPI_EVENT, 27);
	assert_int_equal(k.context[ABI_CTX_X0], 0x10001);
	assert_int_equal(k.context[ABI_CTX_PC], 0x8004);
}

static void maintenance(void **state)
{
	(void)state;
	boot(0);
	FAULT(ABI_FAULT_VGIC_MAINTENANCE, 3);
	assert_int_equal(e.reason, VCPU_EXIT_MAINTENANCE);
	assert_int_equal(e.code, 3);
	FAULT(ABI_FAULT_VGIC_MAINTENANCE, ~0ull);
	assert_int_equal(e.code, VCPU_NO_INDEX);
}

#define EXIT(esr) (ABI_EXT_FAULT_EXIT | (esr) << ABI_EXIT_SYNDROME_SHIFT)
#define ESR_HVC (0x16ull << 26 | 1u << 25)
#define ESR_SMC (0x17ull << 26 | 1u << 25)
#define ESR_WFI (0x01ull << 26 | 1u << 25)

static void exit_message_store_costs_one_call(void **state)
{
	(void)state;
	boot(ABI_EXTF_EXIT_MESSAGE);
	assert_true(k.exit_messages);
	FAULT(EXIT(ESR_STR_W3), 0x41, 0x9000018, 0xffff0018, 0x8000);
	assert_int_equal(e.reason, VCPU_EXIT_MMIO);
	assert_int_equal(e.syndrome, ESR_STR_W3);
	assert_int_equal(e.value, 0x41);
	assert_int_equal(e.gpa, 0x9000018);
	assert_int_equal(e.gva, 0xffff0018);
	assert_int_equal(vcpu_get(&v.cpu, VCPU_PC), 0x8000);
	vcpu_advance(&v.cpu);
	FAULT(ABI_FAULT_VPPI_EVENT, 27);
	assert_int_equal(k.invocations, 0);
	assert_int_equal(msginfo_label(k.answer), ABI_EXIT_DONE);
	assert_int_equal(msginfo_words(k.answer), 0);
}

static void exit_message_load(void **state)
{
	(void)state;
	boot(ABI_EXTF_EXIT_MESSAGE);
	FAULT(EXIT(ESR_LDR_X9), 0, 0x9000018, 0x9000018, 0x8000);
	vcpu_set_x(&v.cpu, e.reg, 0xabc);
	vcpu_advance(&v.cpu);
	FAULT(ABI_FAULT_VPPI_EVENT, 27);
	assert_int_equal(k.invocations, 0);
	assert_int_equal(msginfo_label(k.answer), ABI_EXIT_DONE);
	assert_int_equal(msginfo_words(k.answer), 1);
	assert_int_equal(k.reply[0], 0xabc);
}

/* Also into the zero register: nothing to write, but the PC moves on. */
static void exit_message_load_into_nothing(void **state)
{
	(void)state;
	boot(ABI_EXTF_EXIT_MESSAGE);
	FAULT(EXIT(ESR_LDR_X9 | 31u << 16), 0, 0x9000018, 0x9000018, 0x8000);
	vcpu_set_x(&v.cpu, e.reg, 0xabc);
	vcpu_advance(&v.cpu);
	FAULT(ABI_FAULT_VPPI_EVENT, 27);
	assert_int_equal(k.invocations, 0);
	assert_int_equal(k.answer, msginfo(ABI_EXIT_DONE, 0, 0));
}

static void exit_message_hypercall(void **state)
{
	(void)state;
	boot(ABI_EXTF_EXIT_MESSAGE);
	FAULT(EXIT(ESR_HVC | 3), 10, 11, 12, 13);
	assert_int_equal(e.reason, VCPU_EXIT_HYPERCALL);
	assert_int_equal(e.code, 3);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(vcpu_get(&v.cpu, VCPU_X0 + i), 10 + i);
	assert_int_equal(k.invocations, 0);
	vcpu_set(&v.cpu, VCPU_X0 + 2, 5);
	vcpu_advance(&v.cpu);
	FAULT(EXIT(ESR_HVC), 1, 2, 3, 4);
	assert_int_equal(k.invocations, 0);
	assert_int_equal(k.answer, msginfo(ABI_EXIT_DONE, 0, 3));
	assert_int_equal(k.reply[0], 10);
	assert_int_equal(k.reply[1], 11);
	assert_int_equal(k.reply[2], 5);
	/* What did not come along is asked for. */
	assert_int_equal(vcpu_get(&v.cpu, VCPU_X0), 1);
	assert_int_equal(vcpu_get(&v.cpu, VCPU_X0 + 4), 0x1000 + ABI_CTX_X4);
	assert_int_equal(k.invocations, 1);
}

/* A register that the answer cannot carry is written, and the answer still
 * moves on; the PC is not moved twice. */
static void exit_message_other_registers(void **state)
{
	(void)state;
	boot(ABI_EXTF_EXIT_MESSAGE);
	FAULT(EXIT(ESR_WFI), 0, 0, 0, 0x8000);
	vcpu_set(&v.cpu, VCPU_X0 + 6, 66);
	vcpu_advance(&v.cpu);
	FAULT(EXIT(ESR_WFI), 0, 0, 0, 0x8004);
	assert_int_equal(k.context[ABI_CTX_X6], 66);
	assert_int_equal(k.context[ABI_CTX_PC], 0x8000);
	assert_int_equal(k.answer, msginfo(ABI_EXIT_DONE, 0, 0));
	vcpu_set(&v.cpu, VCPU_PC, 0x9000);
	vcpu_advance(&v.cpu);
	FAULT(ABI_FAULT_VPPI_EVENT, 27);
	assert_int_equal(k.context[ABI_CTX_PC], 0x9000);
	assert_int_equal(k.answer, msginfo(ABI_EXIT_AGAIN, 0, 0));
}

/* An injected exception cannot travel in the answer: registers are written,
 * and the answer neither advances nor writes. */
static void exit_message_injection(void **state)
{
	(void)state;
	boot(ABI_EXTF_EXIT_MESSAGE);
	k.field[ABI_VCPU_VBAR_EL1] = 0x2000;
	k.context[ABI_CTX_SPSR] = 0x3c5;
	FAULT(EXIT(ESR_SMC), 0, 0, 0, 0);
	assert_int_equal(e.reason, VCPU_EXIT_SECURE_CALL);
	vcpu_inject_undefined(&v.cpu);
	FAULT(ABI_FAULT_VPPI_EVENT, 27);
	assert_int_equal(k.answer, msginfo(ABI_EXIT_AGAIN, 0, 0));
	assert_int_equal(k.context[ABI_CTX_PC], 0x2200);
	assert_int_equal(k.field[ABI_VCPU_ELR_EL1], 0x8000);
}

static void unknown_faults_are_said_so(void **state)
{
	(void)state;
	boot(0);
	FAULT(99, 5);
	assert_int_equal(e.reason, VCPU_EXIT_UNKNOWN);
	assert_int_equal(e.code, 99);
}

static void start_writes_all_that_was_set(void **state)
{
	(void)state;
	boot(0);
	memset(k.context, 0, sizeof(k.context));
	vcpu_set(&v.cpu, VCPU_PC, 0x40200000);
	vcpu_set(&v.cpu, VCPU_X0, 0x40000000);
	vcpu_set(&v.cpu, VCPU_PSTATE, VCPU_PSTATE_RESET);
	vcpu_set(&v.cpu, vcpu_field(ABI_VCPU_SCTLR_EL1), 0x30d00800);
	assert_true(vcpu_sel4_start(&v));
	assert_true(k.resumed);
	assert_int_equal(k.context[ABI_CTX_PC], 0x40200000);
	assert_int_equal(k.context[ABI_CTX_X0], 0x40000000);
	assert_int_equal(k.context[ABI_CTX_SPSR], VCPU_PSTATE_RESET);
	assert_int_equal(k.field[ABI_VCPU_SCTLR_EL1], 0x30d00800);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_receive_signals),
		cmocka_unit_test(plain_store),
		cmocka_unit_test(plain_load),
		cmocka_unit_test(plain_narrow_instruction),
		cmocka_unit_test(plain_hypercall),
		cmocka_unit_test(plain_hypercall_as_a_system_call),
		cmocka_unit_test(maintenance),
		cmocka_unit_test(exit_message_store_costs_one_call),
		cmocka_unit_test(exit_message_load),
		cmocka_unit_test(exit_message_load_into_nothing),
		cmocka_unit_test(exit_message_hypercall),
		cmocka_unit_test(exit_message_other_registers),
		cmocka_unit_test(exit_message_injection),
		cmocka_unit_test(unknown_faults_are_said_so),
		cmocka_unit_test(start_writes_all_that_was_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
