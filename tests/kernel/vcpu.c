/* VCPUs: exits, lazily switched state, virtual interrupts, hostile guests. */
#include "guest.h"

#include <string.h>

extern const char guest_hvc[], guest_traps[], guest_hostile[], guest_simd[], guest_timer[],
	guest_timer_off[], guest_irq[], guest_spin[], guest_ras_write[], guest_ras_read[];

static void test_hvc_and_abort(void)
{
	struct kt_guest g = kt_guest(5);

	kt_guest_start(&g, guest_hvc, 0);
	CHECK_EQ(kt_exit.label, ABI_FAULT_UNKNOWN_SYSCALL);
	CHECK_EQ(kt_exit.badge, 5);
	CHECK_EQ(kt_exit.words, ABI_SYSFAULT_WORDS);
	CHECK_EQ(kt_exit_word(0), 0x11);
	CHECK_EQ(kt_exit_word(ABI_SYSFAULT_IP), kt_guest_gpa(guest_hvc) + 8);
	CHECK_EQ(kt_exit_word(ABI_SYSFAULT_LR), kt_guest_gpa(guest_hvc) + 12);
	CHECK_EQ(kt_exit_word(ABI_SYSFAULT_NUMBER), ~0ull);
	kt_guest_answer_hvc(&g, 0x77);
	CHECK_EQ(kt_exit.label, ABI_FAULT_VM);
	CHECK_EQ(kt_exit_word(ABI_VMFAULT_ADDR), OUTSIDE + 0x14);
	CHECK_EQ(kt_exit_word(ABI_VMFAULT_IS_FETCH), 0);
	CHECK_EQ(EC(kt_exit_word(ABI_VMFAULT_FSR)), 0x24);
	kt_guest_skip(&g);
	CHECK_EQ(kt_exit_word(ABI_VMFAULT_ADDR), OUTSIDE + 0x28);
	kt_guest_set_reg(&g, ABI_CTX_X10, 0xabcd);
	kt_guest_skip(&g);
	CHECK_EQ(kt_exit.label, ABI_FAULT_UNKNOWN_SYSCALL);
	CHECK_EQ(kt_exit_word(0), 0xabcd);
}

static void expect_trap(const struct kt_guest *g, unsigned ec)
{
	CHECK_EQ(kt_exit.label, ABI_FAULT_VCPU);
	CHECK_EQ(kt_exit.words, 1);
	CHECK_EQ(EC(kt_exit_word(0)), ec);
	kt_guest_skip(g);
}

static uint64_t pfr0(const struct kt_guest *g)
{
	uint64_t v = 0;

	CHECK_OK(sel4_vcpu_read_regs(g->vcpu, ABI_EXTV_ID0 + (4 << 3), &v));
	return v;
}

static bool has_sve(const struct kt_guest *g) { return pfr0(g) >> 32 & 15; }

/* What one guest leaves in DISR_EL1 is not another's. */
static void test_ras(void)
{
	struct kt_guest a = kt_guest(1), b = kt_guest(2);

	if (!(pfr0(&a) >> 28 & 15))
		return;
	kt_guest_start(&a, guest_ras_write, 0x80000011);
	CHECK_EQ(kt_exit_word(0), 0x80000011);
	kt_guest_start(&b, guest_ras_read, 0);
	CHECK_EQ(kt_exit_word(0), 0);
	kt_guest_set_pc(&a, guest_ras_read, 0, 0);
	kt_guest_go_on(&a, 0);
	CHECK_EQ(kt_exit_word(0), 0x80000011);
	kt_guest_answer_hvc(&a, 0);
	expect_trap(&a, EC_SYSREG);
}

static void test_traps(void)
{
	struct kt_guest g = kt_guest(1);
	bool sve = has_sve(&g);

	CHECK_OK(sel4_ext_vcpu_set_traps(g.vcpu, ABI_EXT_TRAP_TID3 | ABI_EXT_TRAP_TACR));
	CHECK_EQ(sel4_ext_vcpu_set_traps(g.vcpu, 1), ABI_INVALID_ARGUMENT);
	/* An undefined instruction goes to the guest's own vector, which here
	 * would be address 0x200: an abort of stage 2. */
	kt_guest_start(&g, guest_traps, 0);
	expect_trap(&g, EC_SMC);
	expect_trap(&g, EC_WFX);
	expect_trap(&g, EC_SYSREG);
	expect_trap(&g, EC_SYSREG);
	if (!sve) {
		CHECK_EQ(kt_exit.label, ABI_FAULT_VM);
		CHECK_EQ(kt_exit_word(ABI_VMFAULT_ADDR), 0x200);
		CHECK_EQ(kt_exit_word(ABI_VMFAULT_IS_FETCH), 1);
		return;
	}
	/* CPACR_EL1 of the guest is checked first: also its own vector. */
	CHECK_EQ(kt_exit.label, ABI_FAULT_VM);
}

static void test_id_registers(void)
{
	struct kt_guest g = kt_guest(1);
	uint64_t v;

	CHECK_OK(sel4_ext_vcpu_set_traps(g.vcpu, ABI_EXT_TRAP_TID3 | ABI_EXT_TRAP_TACR));
	kt_guest_start(&g, guest_traps + 6 * 4, 0);
	expect_trap(&g, EC_SYSREG);
	expect_trap(&g, EC_SYSREG);
	CHECK_EQ(kt_exit.label, ABI_FAULT_UNKNOWN_SYSCALL);
	CHECK_OK(sel4_vcpu_read_regs(g.vcpu, ABI_EXTV_ID0, &v));
	CHECK(v != 0);
	CHECK_EQ(sel4_vcpu_read_regs(g.vcpu, ABI_EXTV_ID_LAST + 1, &v), ABI_INVALID_ARGUMENT);
	CHECK_EQ(sel4_vcpu_read_regs(g.vcpu, ~0ull, &v), ABI_INVALID_ARGUMENT);
	CHECK_EQ(sel4_vcpu_write_regs(g.vcpu, ABI_EXTV_NUM_LRS, 0), ABI_INVALID_ARGUMENT);
}

static void native_probe(void *arg)
{
	volatile uint64_t *out = arg;
	uint64_t v;

	__asm__ volatile("mrs %0, cntvct_el0"
			 : "=r"(v));
	out[1] = v;
	__asm__ volatile("mrs %0, ctr_el0"
			 : "=r"(v));
	__asm__ volatile("mrs %0, tpidrro_el0"
			 : "=r"(v));
	out[2] = v;
	__asm__ volatile("mrs %0, cntpct_el0"
			 : "=r"(v));
	static _Alignas(2048) char line[2048];
	line[0] = 1;
	__asm__ volatile("dc zva, %0" ::"r"(line)
			 : "memory");
	__asm__ volatile("dc cvac, %0\n\twfe" ::"r"(line)
			 : "memory");
	out[3] = (uint64_t)line[0];
	out[0] = 0x0123456789abcdef; /* in the right byte order? */
	kt_stop();
}

static void test_hostile(void)
{
	struct kt_guest g = kt_guest(1);
	static uint64_t out[4];

	memset(out, 0xff, sizeof(out));
	kt_guest_start(&g, guest_hostile, 0);
	CHECK_EQ(kt_exit.label, ABI_FAULT_UNKNOWN_SYSCALL);
	kt_start(0, native_probe, out, KT_HIGH);
	CHECK_EQ(out[0], 0x0123456789abcdef);
	CHECK_EQ(((const uint8_t *)out)[0], 0xef);
	CHECK_EQ(out[2], 0);
	CHECK_EQ(out[3], 0);
	kt_guest_answer_hvc(&g, 0);
	CHECK_EQ(kt_exit.label, ABI_FAULT_UNKNOWN_SYSCALL);
	CHECK_EQ(kt_exit_word(0) >> 24 & 1, 1);
	CHECK_EQ(kt_exit_word(1), ~0ull);
	CHECK_EQ(kt_exit_word(2), ~0ull);
	CHECK_EQ(kt_exit_word(3) & 3, 3);
	CHECK_EQ(kt_exit_word(4), 0);
}

static void test_lazy_state(void)
{
	struct kt_guest a = kt_guest(1), b = kt_guest(2);
	uint64_t v;

	kt_guest_start(&a, guest_simd, 0xaaaa);
	kt_guest_start(&b, guest_simd, 0xbbbb);
	for (unsigned i = 0; i < 3; i++) {
		kt_guest_set_reg(&a, ABI_CTX_PC, kt_guest_gpa(guest_simd) + 7 * 4 + 4);
		kt_guest_go_on(&a, 0);
		CHECK_EQ(kt_exit_word(0), 0xaaaa);
		CHECK_EQ(kt_exit_word(1), 0xaaaa);
		CHECK_EQ(kt_exit_word(2), 0xaaaa);
		CHECK_EQ(kt_exit_word(3), 0xaaaa);
		kt_guest_set_reg(&b, ABI_CTX_PC, kt_guest_gpa(guest_simd) + 7 * 4 + 4);
		kt_guest_go_on(&b, 0);
		CHECK_EQ(kt_exit_word(0), 0xbbbb);
		CHECK_EQ(kt_exit_word(1), 0xbbbb);
		CHECK_EQ(kt_exit_word(2), 0xbbbb);
		CHECK_EQ(kt_exit_word(3), 0xbbbb);
	}
	/* b's registers are live, a's in memory. */
	CHECK_OK(sel4_vcpu_read_regs(b.vcpu, ABI_VCPU_TTBR1_EL1, &v));
	CHECK_EQ(v, 0xbbbb);
	CHECK_OK(sel4_vcpu_read_regs(a.vcpu, ABI_VCPU_TTBR1_EL1, &v));
	CHECK_EQ(v, 0xaaaa);
	CHECK_OK(sel4_vcpu_write_regs(b.vcpu, ABI_VCPU_TTBR1_EL1, 0x1000));
	CHECK_OK(sel4_vcpu_read_regs(b.vcpu, ABI_VCPU_TTBR1_EL1, &v));
	CHECK_EQ(v, 0x1000);
}

static void test_timer(void)
{
	struct kt_guest g = kt_guest(1);

	kt_guest_start(&g, guest_timer, 0);
	CHECK_EQ(kt_exit.label, ABI_FAULT_VPPI_EVENT);
	CHECK_EQ(kt_exit.words, 1);
	CHECK_EQ(kt_exit_word(0), ABI_PPI_VTIMER);
	CHECK_EQ(sel4_vcpu_ack_vppi(g.vcpu, 26), ABI_INVALID_ARGUMENT);
	CHECK_EQ(sel4_vcpu_ack_vppi(g.vcpu, 1 << 20), ABI_RANGE_ERROR);
	/* Acknowledged with the timer still on: again. */
	CHECK_OK(sel4_vcpu_ack_vppi(g.vcpu, ABI_PPI_VTIMER));
	kt_guest_go_on(&g, 0);
	CHECK_EQ(kt_exit.label, ABI_FAULT_VPPI_EVENT);
	/* Not acknowledged: stays masked while the guest goes on. */
	kt_guest_set_reg(&g, ABI_CTX_PC, kt_guest_gpa(guest_timer_off));
	kt_guest_go_on(&g, 0);
	CHECK_EQ(kt_exit.label, ABI_FAULT_UNKNOWN_SYSCALL);
	CHECK_EQ(kt_exit_word(0), 5); /* enabled, expired */
	CHECK_OK(sel4_vcpu_ack_vppi(g.vcpu, ABI_PPI_VTIMER));
}

/* Not acknowledged, it stays masked though another guest runs in between, whose
 * own comes all the same. */
static void test_timer_of_another(void)
{
	struct kt_guest a = kt_guest(1), b = kt_guest(2);

	kt_guest_start(&a, guest_timer, 0);
	CHECK_EQ(kt_exit.label, ABI_FAULT_VPPI_EVENT);
	kt_guest_start(&b, guest_hvc, 0);
	CHECK_EQ(kt_exit.label, ABI_FAULT_UNKNOWN_SYSCALL);
	kt_guest_set_reg(&a, ABI_CTX_PC, kt_guest_gpa(guest_timer_off));
	kt_guest_go_on(&a, 0);
	CHECK_EQ(kt_exit.label, ABI_FAULT_UNKNOWN_SYSCALL);
	CHECK_EQ(kt_exit_word(0), 5); /* enabled, expired */
	kt_guest_set_reg(&b, ABI_CTX_PC, kt_guest_gpa(guest_timer));
	kt_guest_go_on(&b, 0);
	CHECK_EQ(kt_exit.label, ABI_FAULT_VPPI_EVENT);
	/* And comes again when it is acknowledged. */
	CHECK_OK(sel4_vcpu_ack_vppi(a.vcpu, ABI_PPI_VTIMER));
	kt_guest_set_reg(&a, ABI_CTX_PC, kt_guest_gpa(guest_timer));
	kt_guest_go_on(&a, 0);
	CHECK_EQ(kt_exit.label, ABI_FAULT_VPPI_EVENT);
}

static void inject_errors(const struct kt_guest *g, uint64_t lrs)
{
	CHECK_ERROR2(sel4_vcpu_inject_irq(g->vcpu, 1024, 0, 0, 0), ABI_RANGE_ERROR, 0, 1023);
	CHECK_ERROR2(sel4_vcpu_inject_irq(g->vcpu, 40, 32, 0, 0), ABI_RANGE_ERROR, 0, 31);
	CHECK_ERROR2(sel4_vcpu_inject_irq(g->vcpu, 40, 0, 2, 0), ABI_RANGE_ERROR, 0, 1);
	CHECK_ERROR2(sel4_vcpu_inject_irq(g->vcpu, 40, 0, 0, (uint8_t)lrs), ABI_RANGE_ERROR, 0,
		     lrs - 1);
}

static void test_irq(void)
{
	struct kt_guest g = kt_guest(1);
	uint64_t version, lrs, v;

	CHECK_OK(sel4_vcpu_read_regs(g.vcpu, ABI_EXTV_GIC_VERSION, &version));
	CHECK_OK(sel4_vcpu_read_regs(g.vcpu, ABI_EXTV_NUM_LRS, &lrs));
	if (version == 2)
		kt_guest_map_page(kt_gicv_frame(), g.vspace, GUEST_GICC, 0);
	inject_errors(&g, lrs);
	kt_guest_start(&g, guest_irq, version);
	CHECK_EQ(kt_exit.label, ABI_FAULT_UNKNOWN_SYSCALL); /* hvc #7: none yet */
	uint8_t group = version == 3;
	CHECK_OK(sel4_vcpu_inject_irq(g.vcpu, 40, 10, group, 2));
	CHECK_EQ(sel4_vcpu_inject_irq(g.vcpu, 41, 10, group, 2), ABI_DELETE_FIRST);
	CHECK_OK(sel4_vcpu_read_regs(g.vcpu, ABI_EXTV_LR0 + 2, &v));
	CHECK_EQ(v, 40 | 10ull << 51 | 1ull << 62 | (uint64_t)group << 60 | 1ull << 41);
	kt_guest_go_on(&g, 0);
	CHECK_EQ(kt_exit.label, ABI_FAULT_UNKNOWN_SYSCALL);
	CHECK_EQ(kt_exit_word(0), 40);
	CHECK_OK(sel4_vcpu_read_regs(g.vcpu, ABI_EXTV_LR0 + 2, &v));
	CHECK_EQ(v >> 62, 2); /* active */
	kt_guest_answer_hvc(&g, 0);
	CHECK_EQ(kt_exit.label, ABI_FAULT_VGIC_MAINTENANCE);
	CHECK_EQ(kt_exit.words, 1);
	CHECK_EQ(kt_exit_word(0), 2);
	CHECK_OK(sel4_vcpu_read_regs(g.vcpu, ABI_EXTV_LR0 + 2, &v));
	CHECK_EQ(v >> 62, 0);
	kt_guest_go_on(&g, 0);
	CHECK_EQ(kt_exit.label, ABI_FAULT_UNKNOWN_SYSCALL);
	CHECK_EQ(kt_exit_word(0), 0x99);
	/* A link to a physical interrupt is not for users. */
	CHECK_OK(sel4_vcpu_write_regs(g.vcpu, ABI_EXTV_LR0, 1ull << 61 | 30ull << 32 | 50));
	CHECK_OK(sel4_vcpu_read_regs(g.vcpu, ABI_EXTV_LR0, &v));
	CHECK_EQ(v >> 61, 0);
	/* An LPI's number: 16 bits of it. */
	CHECK_OK(sel4_vcpu_write_regs(g.vcpu, ABI_EXTV_LR0, 0xffffe005));
	CHECK_OK(sel4_vcpu_read_regs(g.vcpu, ABI_EXTV_LR0, &v));
	if (version == 3) /* a GICv2 keeps ten */
		CHECK_EQ(v, 0xe005);
	CHECK_EQ(sel4_vcpu_read_regs(g.vcpu, ABI_EXTV_LR0 + lrs, &v),
		 lrs < 16 ? ABI_INVALID_ARGUMENT : ABI_OK);
}

static void test_unbound(void)
{
	struct kt_guest g = kt_guest(1);

	kt_guest_start(&g, guest_hvc, 0);
	/* The VCPU goes: what is left is a native thread, at EL0. */
	CHECK_OK(kt_delete(g.vcpu));
	kt_guest_go_on(&g, 0);
	CHECK_EQ(kt_exit.label, ABI_FAULT_USER_EXCEPTION);
	CHECK_EQ(kt_exit_word(ABI_EXCFAULT_SPSR) & 0x1f, 0);
	/* And so is one that never had a VCPU but asks for EL1, EL2, AArch32. */
	for (uint64_t mode = 0; mode < 32; mode++) {
		kt_guest_set_reg(&g, ABI_CTX_SPSR, mode | 1u << 20 | 1u << 21);
		kt_guest_go_on(&g, 0);
		CHECK_EQ(kt_exit.label, ABI_FAULT_USER_EXCEPTION);
		CHECK_EQ(kt_exit_word(ABI_EXCFAULT_SPSR) & 0x1f, 0);
	}
}

static void test_modes(void)
{
	struct kt_guest g = kt_guest(1);

	/* Whatever mode is asked for, the kernel survives the return. */
	kt_guest_start(&g, guest_hvc, 0);
	for (uint64_t mode = 0; mode < 32; mode++) {
		kt_guest_set_reg(&g, ABI_CTX_PC, kt_guest_gpa(guest_hvc));
		kt_guest_set_reg(&g, ABI_CTX_SPSR, mode | 1u << 20 | 0x3c0);
		kt_guest_go_on(&g, 0);
		CHECK(kt_exit.label != 0);
	}
}

static void test_delete_running(void)
{
	struct kt_guest g = kt_guest(1);

	CHECK_OK(sel4_tcb_set_priority(g.tcb, ABI_ROOT_TCB, KT_PRIO));
	kt_guest_set_pc(&g, guest_spin, 0, 1);
	sel4_yield(); /* until the guest's time slice ends */
	/* Its thread holds a copy. Then it runs in the empty space: faults. */
	CHECK_OK(kt_revoke(g.vspace));
	CHECK_OK(kt_delete(g.vspace));
	kt_guest_receive(&g);
	CHECK_EQ(kt_exit.label, ABI_FAULT_VM);
	CHECK_OK(kt_delete(g.tcb));
	CHECK_OK(kt_delete(g.vcpu));
}

static void test_self(void)
{
	cap_t vcpu = kt_make(ABI_OBJ_VCPU, 0);

	CHECK_EQ(sel4_vcpu_set_tcb(vcpu, ABI_ROOT_TCB), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_vcpu_set_tcb(vcpu, kt_pool), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_ext_query(ABI_ROOT_TCB) & 15, 15);
}

static const struct kt_case cases[] = {
	{ "vcpu: HVC is always an exit; aborts tell the guest-physical address",
	  test_hvc_and_abort },
	{ "vcpu: SMC, WFI, debug and PMU registers trap", test_traps },
	{ "vcpu: ID and auxiliary registers trap on demand", test_id_registers },
	{ "vcpu: a hostile guest's EL1 registers do not reach native threads", test_hostile },
	{ "vcpu: error registers are not shared", test_ras },
	{ "vcpu: EL1 and SIMD state of two guests", test_lazy_state },
	{ "vcpu: virtual timer", test_timer },
	{ "vcpu: virtual timer, masked over another guest", test_timer_of_another },
	{ "vcpu: injected interrupt, list registers, maintenance", test_irq },
	{ "vcpu: a thread that lost its VCPU is native", test_unbound },
	{ "vcpu: every mode in SPSR is safe", test_modes },
	{ "vcpu: deleted under a running guest", test_delete_running },
	{ "vcpu: wrong arguments", test_self },
};
KT_GROUP(kt_vcpu);
