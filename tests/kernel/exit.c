/* Exit messages (abi/ext.h): what they carry, what replies do. */
#include "guest.h"

#define EC_HVC 0x16
#define EC_DABT 0x24

extern const char guest_hvc[], guest_exits[], guest_zeros[];

static void expect_exit(unsigned ec)
{
	CHECK_EQ(kt_exit.label & 0xff, ABI_EXT_FAULT_EXIT);
	CHECK_EQ(EC(kt_exit_syndrome()), ec);
	CHECK_EQ(kt_exit.words, ABI_EXIT_WORDS);
}

static void expect_call(unsigned ec, uint64_t x0, uint64_t x1, uint64_t x2, uint64_t x3)
{
	const uint64_t x[ABI_EXIT_WORDS] = { x0, x1, x2, x3 };

	expect_exit(ec);
	for (unsigned i = 0; i < ABI_EXIT_WORDS; i++)
		CHECK_EQ(kt_exit_word(i), x[i]);
}

static void expect_access(unsigned ec, uint64_t value, uint64_t addr, uint64_t pc)
{
	expect_exit(ec);
	CHECK_EQ(kt_exit_word(ABI_EXIT_VALUE), value);
	CHECK_EQ(kt_exit_word(ABI_EXIT_GPA), addr);
	CHECK_EQ(kt_exit_word(ABI_EXIT_GVA), addr);
	CHECK_EQ(kt_exit_word(ABI_EXIT_PC), pc);
}

static struct kt_guest exit_guest(void)
{
	struct kt_guest g = kt_guest(1);

	CHECK_OK(sel4_ext_vcpu_set_traps(g.vcpu, ABI_EXT_TRAP_TACR));
	CHECK_OK(sel4_ext_vcpu_set_exit_message(g.vcpu, 1));
	return g;
}

static void test_exit_message(void)
{
	struct kt_guest g = exit_guest();
	uint64_t pc = kt_guest_gpa(guest_hvc) + 8;

	CHECK_EQ(sel4_ext_vcpu_set_exit_message(g.vcpu, 2), ABI_RANGE_ERROR);
	kt_guest_start(&g, guest_hvc, 0);
	expect_call(EC_HVC, 0x11, 0, 0, 0);
	kt_exit.mr[0] = 0x66;
	kt_exit.mr[1] = 0x77;
	kt_guest_answer(&g, ABI_EXIT_DONE, 1);
	expect_access(EC_DABT, 0x66, OUTSIDE + 0x14, pc + 8);
	/* A store writes no register, whatever the reply's length. */
	kt_exit.mr[0] = 0x88;
	kt_guest_answer(&g, ABI_EXIT_DONE, 4);
	expect_access(EC_DABT, 0, OUTSIDE + 0x28, pc + 12);
	/* The value as it is; the VMM extends. */
	kt_exit.mr[0] = 0x1238001ull << 8;
	kt_guest_answer(&g, ABI_EXIT_DONE, 1);
	expect_call(EC_HVC, 0x1238001ull << 8, 0, 0, 0);
}

static void test_exit_registers(void)
{
	struct kt_guest g = exit_guest();
	uint64_t pc = kt_guest_gpa(guest_exits);

	kt_guest_start(&g, guest_exits, 0);
	expect_access(EC_SYSREG, 0x44, 0, pc + 4);
	/* Nothing in the reply: nothing written. */
	kt_guest_answer(&g, ABI_EXIT_DONE, 0);
	expect_access(EC_SYSREG, 0x44, 0, pc + 8);
	/* Back to the MRS; a register that is set otherwise. */
	kt_guest_set_reg(&g, ABI_CTX_PC, pc + 4);
	kt_guest_answer(&g, ABI_EXIT_AGAIN, 4);
	expect_access(EC_SYSREG, 0x44, 0, pc + 4);
	kt_exit.mr[0] = 0x99;
	kt_guest_answer(&g, ABI_EXIT_DONE, 1);
	expect_access(EC_SYSREG, 0x99, 0, pc + 8);
	kt_exit.mr[0] = 0xaa;
	kt_guest_answer(&g, ABI_EXIT_DONE, 1);
	expect_call(EC_SMC, 0, 0, 0x20, 0x30);
	CHECK_EQ(kt_exit_syndrome() & 0xffff, 5);
	for (unsigned i = 0; i < 4; i++)
		kt_exit.mr[i] = 0x100 + i;
	kt_guest_answer(&g, ABI_EXIT_DONE, 4);
	expect_call(EC_HVC, 0x100, 0x101, 0x102, 0x103);
}

/* The zero register reads as 0 and takes nothing; nor does what has no syndrome. */
static void test_exit_zero_register(void)
{
	struct kt_guest g = exit_guest();
	uint64_t pc = kt_guest_gpa(guest_zeros) + 20;

	kt_guest_start(&g, guest_zeros, 7);
	expect_access(EC_DABT, 0, OUTSIDE, pc);
	for (unsigned i = 1; i < 5; i++) {
		kt_exit.mr[0] = 0x99;
		kt_guest_answer(&g, ABI_EXIT_DONE, 1);
		if (i == 1 || i == 4)
			expect_access(EC_DABT, 0, OUTSIDE + (i == 1 ? 8 : 16), pc + 4 * i);
		else
			expect_access(EC_SYSREG, 0, 0, pc + 4 * i);
	}
	kt_exit.mr[0] = 0x99;
	kt_guest_answer(&g, ABI_EXIT_DONE, 1);
	expect_call(EC_HVC, 7, 0x1234, 0x20, 0x30);
}

/* More words than the message has, and a label that nobody knows. */
static void test_exit_wrong_reply(void)
{
	struct kt_guest g = exit_guest();
	uint64_t regs[ABI_CTX_COUNT];

	kt_guest_start(&g, guest_hvc, 0);
	kt_guest_answer(&g, ABI_EXIT_DONE, 120);
	expect_access(EC_DABT, 0x11, OUTSIDE + 0x14, kt_guest_gpa(guest_hvc) + 16);
	sel4_nb_send(g.reply, msginfo(2, 0, 4), kt_exit.mr);
	CHECK_EQ(sel4_nb_recv(g.ep, &kt_exit.badge, kt_exit.mr, g.reply), 0);
	CHECK_EQ(kt_exit.badge, 0);
	CHECK_OK(sel4_tcb_read_registers(g.tcb, 0, ABI_CTX_COUNT, regs));
	CHECK_EQ(regs[ABI_CTX_PC], kt_guest_gpa(guest_hvc) + 16);
	/* It can be started again. */
	CHECK_OK(sel4_tcb_resume(g.tcb));
	kt_guest_receive(&g);
	expect_access(EC_DABT, 0x11, OUTSIDE + 0x14, kt_guest_gpa(guest_hvc) + 16);
}

static const struct kt_case cases[] = {
	{ "exit: calls, stores and loads", test_exit_message },
	{ "exit: system registers; going on as it is", test_exit_registers },
	{ "exit: the zero register", test_exit_zero_register },
	{ "exit: replies that are too long or of no known kind", test_exit_wrong_reply },
};
KT_GROUP(kt_exit_message);
