/* VCPUs: exits, lazily switched state, virtual interrupts, hostile guests. */
#include "kt.h"

#include <abi/ext.h>
#include <abi/fault.h>
#include <abi/regs.h>
#include <string.h>

#define PAGE 4096u
#define GUEST_BASE 0x40000000ull
#define GUEST_GICC (GUEST_BASE + 0x10000)
#define OUTSIDE 0x50000000ull
#define WINDOW 0x38000000ull /* where the tests see guest memory */
#define GICV_PADDR 0x08040000ull
#define SPSR_EL1H 0x3c5u
#define HVC_BYTES 4

#define EC(esr) ((unsigned)((esr) >> 26) & 63)
#define EC_WFX 0x01
#define EC_SMC 0x17
#define EC_SYSREG 0x18
#define EC_SVE 0x19

extern const char guest_code[], guest_code_end[], guest_hvc[], guest_traps[], guest_hostile[],
	guest_simd[], guest_timer[], guest_timer_off[], guest_irq[], guest_spin[],
	guest_ras_write[], guest_ras_read[];

struct guest {
	cap_t vspace, tcb, sc, vcpu, ep, reply;
};

/* The exit that was received last. */
static struct {
	uint64_t label, badge, mr[SEL4_MSG_REGS];
	uint64_t more[ABI_SYSFAULT_WORDS]; /* from word 4 on */
	unsigned words;
} exit_;

static uint64_t msg(unsigned i)
{
	return i < SEL4_MSG_REGS ? exit_.mr[i] : exit_.more[i];
}

static void keep(msginfo_t info)
{
	exit_.label = msginfo_label(info);
	exit_.words = msginfo_words(info);
	for (unsigned i = SEL4_MSG_REGS; i < ABI_SYSFAULT_WORDS; i++)
		exit_.more[i] = sel4_ipcbuf->msg[i];
}

static uint64_t gpa_of(const char *code)
{
	return GUEST_BASE + (uint64_t)(code - guest_code);
}

static void map_page(cap_t frame, cap_t vspace, uint64_t vaddr, uint64_t attr)
{
	for (unsigned level = 0; level < 4; level++) {
		if (sel4_page_map(frame, vspace, vaddr, KT_ALL, attr) == ABI_OK)
			return;
		CHECK_OK(sel4_page_table_map(kt_make(ABI_OBJ_PAGE_TABLE, 0), vspace, vaddr,
					     ABI_VM_DEFAULT));
	}
	CHECK_OK(ABI_FAILED_LOOKUP);
}

static void load_code(cap_t vspace)
{
	size_t bytes = (size_t)(guest_code_end - guest_code);

	for (size_t at = 0; at < bytes; at += PAGE) {
		cap_t frame = kt_make(ABI_OBJ_SMALL_PAGE, 0), copy = kt_copy(frame);

		map_page(copy, ABI_ROOT_VSPACE, WINDOW + at, ABI_VM_DEFAULT);
		memcpy((void *)(uintptr_t)(WINDOW + at), guest_code + at, PAGE);
		CHECK_OK(sel4_page_clean_data(copy, 0, PAGE));
		CHECK_OK(sel4_page_unify_instruction(copy, 0, PAGE));
		CHECK_OK(sel4_page_unmap(copy));
		map_page(frame, vspace, GUEST_BASE + at, ABI_VM_DEFAULT);
	}
}

static void set_pc(const struct guest *g, const char *code, uint64_t x0, int resume)
{
	uint64_t regs[ABI_CTX_COUNT] = { 0 };

	regs[ABI_CTX_PC] = gpa_of(code);
	regs[ABI_CTX_SPSR] = SPSR_EL1H;
	regs[ABI_CTX_X0] = x0;
	CHECK_OK(sel4_tcb_write_registers(g->tcb, resume, ABI_CTX_COUNT, regs));
}

static struct guest make_guest(uint64_t badge)
{
	struct guest g = {
		.vspace = kt_make(ABI_OBJ_VSPACE, 0),
		.tcb = kt_make(ABI_OBJ_TCB, 0),
		.sc = kt_make(ABI_OBJ_SCHED_CONTEXT, 8),
		.vcpu = kt_make(ABI_OBJ_VCPU, 0),
		.ep = kt_make(ABI_OBJ_ENDPOINT, 0),
		.reply = kt_make(ABI_OBJ_REPLY, 0),
	};

	CHECK_OK(sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, g.vspace));
	load_code(g.vspace);
	CHECK_OK(sel4_sched_control_configure(kt_sched_control(), g.sc, 5000, 5000, 0, 0, 0));
	CHECK_OK(sel4_tcb_set_space(g.tcb, 0, KT_CNODE, g.vspace, 0, 0));
	CHECK_OK(sel4_tcb_set_sched_params(g.tcb, ABI_ROOT_TCB, g.sc,
					   kt_mint(g.ep, KT_ALL, badge), 255, KT_LOW));
	CHECK_OK(sel4_vcpu_set_tcb(g.vcpu, g.tcb));
	return g;
}

static void receive(const struct guest *g)
{
	keep(sel4_recv(g->ep, &exit_.badge, exit_.mr, g->reply));
}

static void start(const struct guest *g, const char *code, uint64_t x0)
{
	set_pc(g, code, x0, 1);
	receive(g);
}

static void go_on(const struct guest *g, unsigned words)
{
	keep(sel4_reply_recv(g->ep, msginfo(0, 0, words), &exit_.badge, exit_.mr, g->reply));
}

/* Answers an UnknownSyscall: x0, and on behind the HVC. */
static void answer_hvc(const struct guest *g, uint64_t x0)
{
	exit_.mr[0] = x0;
	for (unsigned i = SEL4_MSG_REGS; i < ABI_SYSFAULT_REPLY_WORDS; i++)
		sel4_ipcbuf->msg[i] = exit_.more[i];
	sel4_ipcbuf->msg[ABI_SYSFAULT_IP] += HVC_BYTES;
	go_on(g, ABI_SYSFAULT_REPLY_WORDS);
}

/* Past the instruction that trapped, for faults that only restart. */
static void skip(const struct guest *g)
{
	uint64_t regs[ABI_CTX_COUNT];

	CHECK_OK(sel4_tcb_read_registers(g->tcb, 0, ABI_CTX_COUNT, regs));
	regs[ABI_CTX_PC] += 4;
	CHECK_OK(sel4_tcb_write_registers(g->tcb, 0, ABI_CTX_COUNT, regs));
	go_on(g, 0);
}

static void set_reg(const struct guest *g, unsigned index, uint64_t v)
{
	uint64_t regs[ABI_CTX_COUNT];

	CHECK_OK(sel4_tcb_read_registers(g->tcb, 0, ABI_CTX_COUNT, regs));
	regs[index] = v;
	CHECK_OK(sel4_tcb_write_registers(g->tcb, 0, ABI_CTX_COUNT, regs));
}

static void test_hvc_and_abort(void)
{
	struct guest g = make_guest(5);

	start(&g, guest_hvc, 0);
	CHECK_EQ(exit_.label, ABI_FAULT_UNKNOWN_SYSCALL);
	CHECK_EQ(exit_.badge, 5);
	CHECK_EQ(exit_.words, ABI_SYSFAULT_WORDS);
	CHECK_EQ(msg(0), 0x11);
	CHECK_EQ(msg(ABI_SYSFAULT_IP), gpa_of(guest_hvc) + 8);
	CHECK_EQ(msg(ABI_SYSFAULT_LR), gpa_of(guest_hvc) + 12);
	CHECK_EQ(msg(ABI_SYSFAULT_NUMBER), ~0ull);
	answer_hvc(&g, 0x77);
	CHECK_EQ(exit_.label, ABI_FAULT_VM);
	CHECK_EQ(msg(ABI_VMFAULT_ADDR), OUTSIDE + 0x14);
	CHECK_EQ(msg(ABI_VMFAULT_IS_FETCH), 0);
	CHECK_EQ(EC(msg(ABI_VMFAULT_FSR)), 0x24);
	skip(&g);
	CHECK_EQ(msg(ABI_VMFAULT_ADDR), OUTSIDE + 0x28);
	set_reg(&g, ABI_CTX_X10, 0xabcd);
	skip(&g);
	CHECK_EQ(exit_.label, ABI_FAULT_UNKNOWN_SYSCALL);
	CHECK_EQ(msg(0), 0xabcd);
}

static void expect_trap(const struct guest *g, unsigned ec)
{
	CHECK_EQ(exit_.label, ABI_FAULT_VCPU);
	CHECK_EQ(EC(msg(0)), ec);
	skip(g);
}

static uint64_t pfr0(const struct guest *g)
{
	uint64_t v = 0;

	CHECK_OK(sel4_vcpu_read_regs(g->vcpu, ABI_EXTV_ID0 + (4 << 3), &v));
	return v;
}

static bool has_sve(const struct guest *g) { return pfr0(g) >> 32 & 15; }

/* What one guest leaves in DISR_EL1 is not another's. */
static void test_ras(void)
{
	struct guest a = make_guest(1), b = make_guest(2);

	if (!(pfr0(&a) >> 28 & 15))
		return;
	start(&a, guest_ras_write, 0x80000011);
	CHECK_EQ(msg(0), 0x80000011);
	start(&b, guest_ras_read, 0);
	CHECK_EQ(msg(0), 0);
	set_pc(&a, guest_ras_read, 0, 0);
	go_on(&a, 0);
	CHECK_EQ(msg(0), 0x80000011);
	answer_hvc(&a, 0);
	expect_trap(&a, EC_SYSREG);
}

static void test_traps(void)
{
	struct guest g = make_guest(1);
	bool sve = has_sve(&g);

	CHECK_OK(sel4_ext_vcpu_set_traps(g.vcpu, ABI_EXT_TRAP_TID3 | ABI_EXT_TRAP_TACR));
	CHECK_EQ(sel4_ext_vcpu_set_traps(g.vcpu, 1), ABI_INVALID_ARGUMENT);
	/* An undefined instruction goes to the guest's own vector, which here
	 * would be address 0x200: an abort of stage 2. */
	start(&g, guest_traps, 0);
	expect_trap(&g, EC_SMC);
	expect_trap(&g, EC_WFX);
	expect_trap(&g, EC_SYSREG);
	expect_trap(&g, EC_SYSREG);
	if (!sve) {
		CHECK_EQ(exit_.label, ABI_FAULT_VM);
		CHECK_EQ(msg(ABI_VMFAULT_ADDR), 0x200);
		CHECK_EQ(msg(ABI_VMFAULT_IS_FETCH), 1);
		return;
	}
	/* CPACR_EL1 of the guest is checked first: also its own vector. */
	CHECK_EQ(exit_.label, ABI_FAULT_VM);
}

static void test_id_registers(void)
{
	struct guest g = make_guest(1);
	uint64_t v;

	CHECK_OK(sel4_ext_vcpu_set_traps(g.vcpu, ABI_EXT_TRAP_TID3 | ABI_EXT_TRAP_TACR));
	start(&g, guest_traps + 6 * 4, 0);
	expect_trap(&g, EC_SYSREG);
	expect_trap(&g, EC_SYSREG);
	CHECK_EQ(exit_.label, ABI_FAULT_UNKNOWN_SYSCALL);
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
	struct guest g = make_guest(1);
	static uint64_t out[4];

	memset(out, 0xff, sizeof(out));
	start(&g, guest_hostile, 0);
	CHECK_EQ(exit_.label, ABI_FAULT_UNKNOWN_SYSCALL);
	kt_start(0, native_probe, out, KT_HIGH);
	CHECK_EQ(out[0], 0x0123456789abcdef);
	CHECK_EQ(((const uint8_t *)out)[0], 0xef);
	CHECK_EQ(out[2], 0);
	CHECK_EQ(out[3], 0);
	answer_hvc(&g, 0);
	CHECK_EQ(exit_.label, ABI_FAULT_UNKNOWN_SYSCALL);
	CHECK_EQ(msg(0) >> 24 & 1, 1);
	CHECK_EQ(msg(1), ~0ull);
	CHECK_EQ(msg(2), ~0ull);
	CHECK_EQ(msg(3) & 3, 3);
	CHECK_EQ(msg(4), 0);
}

static void test_lazy_state(void)
{
	struct guest a = make_guest(1), b = make_guest(2);
	uint64_t v;

	start(&a, guest_simd, 0xaaaa);
	start(&b, guest_simd, 0xbbbb);
	for (unsigned i = 0; i < 3; i++) {
		set_reg(&a, ABI_CTX_PC, gpa_of(guest_simd) + 7 * 4 + 4);
		go_on(&a, 0);
		CHECK_EQ(msg(0), 0xaaaa);
		CHECK_EQ(msg(1), 0xaaaa);
		CHECK_EQ(msg(2), 0xaaaa);
		CHECK_EQ(msg(3), 0xaaaa);
		set_reg(&b, ABI_CTX_PC, gpa_of(guest_simd) + 7 * 4 + 4);
		go_on(&b, 0);
		CHECK_EQ(msg(0), 0xbbbb);
		CHECK_EQ(msg(1), 0xbbbb);
		CHECK_EQ(msg(2), 0xbbbb);
		CHECK_EQ(msg(3), 0xbbbb);
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
	struct guest g = make_guest(1);

	start(&g, guest_timer, 0);
	CHECK_EQ(exit_.label, ABI_FAULT_VPPI_EVENT);
	CHECK_EQ(msg(0), ABI_PPI_VTIMER);
	CHECK_EQ(sel4_vcpu_ack_vppi(g.vcpu, 26), ABI_INVALID_ARGUMENT);
	CHECK_EQ(sel4_vcpu_ack_vppi(g.vcpu, 1 << 20), ABI_RANGE_ERROR);
	/* Acknowledged with the timer still on: again. */
	CHECK_OK(sel4_vcpu_ack_vppi(g.vcpu, ABI_PPI_VTIMER));
	go_on(&g, 0);
	CHECK_EQ(exit_.label, ABI_FAULT_VPPI_EVENT);
	/* Not acknowledged: stays masked while the guest goes on. */
	set_reg(&g, ABI_CTX_PC, gpa_of(guest_timer_off));
	go_on(&g, 0);
	CHECK_EQ(exit_.label, ABI_FAULT_UNKNOWN_SYSCALL);
	CHECK_EQ(msg(0), 5); /* enabled, expired */
	CHECK_OK(sel4_vcpu_ack_vppi(g.vcpu, ABI_PPI_VTIMER));
}

/* A frame of the device untyped that holds the GICv2's virtual interface. */
static cap_t gicv_frame(void)
{
	const struct abi_bootinfo *info = rt_bootinfo();

	for (uint64_t i = 0; i < info->untyped.end - info->untyped.start; i++)
		if (info->untyped_list[i].paddr == GICV_PADDR) {
			cap_t frame = kt_slot();
			CHECK_OK(sel4_untyped_retype(info->untyped.start + i, KT_CNODE,
						     ABI_OBJ_SMALL_PAGE, 0, 0, 0, frame, 1));
			return frame;
		}
	CHECK_OK(ABI_FAILED_LOOKUP);
	return 0;
}

static void inject_errors(const struct guest *g, uint64_t lrs)
{
	CHECK_ERROR2(sel4_vcpu_inject_irq(g->vcpu, 1024, 0, 0, 0), ABI_RANGE_ERROR, 0, 1023);
	CHECK_ERROR2(sel4_vcpu_inject_irq(g->vcpu, 40, 32, 0, 0), ABI_RANGE_ERROR, 0, 31);
	CHECK_ERROR2(sel4_vcpu_inject_irq(g->vcpu, 40, 0, 2, 0), ABI_RANGE_ERROR, 0, 1);
	CHECK_ERROR2(sel4_vcpu_inject_irq(g->vcpu, 40, 0, 0, (uint8_t)lrs), ABI_RANGE_ERROR, 0,
		     lrs - 1);
}

static void test_irq(void)
{
	struct guest g = make_guest(1);
	uint64_t version, lrs, v;

	CHECK_OK(sel4_vcpu_read_regs(g.vcpu, ABI_EXTV_GIC_VERSION, &version));
	CHECK_OK(sel4_vcpu_read_regs(g.vcpu, ABI_EXTV_NUM_LRS, &lrs));
	if (version == 2)
		map_page(gicv_frame(), g.vspace, GUEST_GICC, 0);
	inject_errors(&g, lrs);
	start(&g, guest_irq, version);
	CHECK_EQ(exit_.label, ABI_FAULT_UNKNOWN_SYSCALL); /* hvc #7: none yet */
	uint8_t group = version == 3;
	CHECK_OK(sel4_vcpu_inject_irq(g.vcpu, 40, 10, group, 2));
	CHECK_EQ(sel4_vcpu_inject_irq(g.vcpu, 41, 10, group, 2), ABI_DELETE_FIRST);
	CHECK_OK(sel4_vcpu_read_regs(g.vcpu, ABI_EXTV_LR0 + 2, &v));
	CHECK_EQ(v, 40 | 10ull << 51 | 1ull << 62 | (uint64_t)group << 60 | 1ull << 41);
	go_on(&g, 0);
	CHECK_EQ(exit_.label, ABI_FAULT_UNKNOWN_SYSCALL);
	CHECK_EQ(msg(0), 40);
	CHECK_OK(sel4_vcpu_read_regs(g.vcpu, ABI_EXTV_LR0 + 2, &v));
	CHECK_EQ(v >> 62, 2); /* active */
	answer_hvc(&g, 0);
	CHECK_EQ(exit_.label, ABI_FAULT_VGIC_MAINTENANCE);
	CHECK_EQ(msg(0), 2);
	CHECK_OK(sel4_vcpu_read_regs(g.vcpu, ABI_EXTV_LR0 + 2, &v));
	CHECK_EQ(v >> 62, 0);
	go_on(&g, 0);
	CHECK_EQ(exit_.label, ABI_FAULT_UNKNOWN_SYSCALL);
	CHECK_EQ(msg(0), 0x99);
	/* A link to a physical interrupt is not for users. */
	CHECK_OK(sel4_vcpu_write_regs(g.vcpu, ABI_EXTV_LR0, 1ull << 61 | 30ull << 32 | 50));
	CHECK_OK(sel4_vcpu_read_regs(g.vcpu, ABI_EXTV_LR0, &v));
	CHECK_EQ(v >> 61, 0);
	CHECK_EQ(sel4_vcpu_read_regs(g.vcpu, ABI_EXTV_LR0 + lrs, &v),
		 lrs < 16 ? ABI_INVALID_ARGUMENT : ABI_OK);
}

static void test_exit_message(void)
{
	struct guest g = make_guest(1);

	CHECK_EQ(sel4_ext_vcpu_set_exit_message(g.vcpu, 2), ABI_RANGE_ERROR);
	CHECK_OK(sel4_ext_vcpu_set_exit_message(g.vcpu, 1));
	start(&g, guest_hvc, 0);
	CHECK_EQ(exit_.label, ABI_EXT_FAULT_EXIT);
	CHECK_EQ(msg(0), gpa_of(guest_hvc) + 8);
	CHECK_EQ(EC(msg(1)), 0x16);
	CHECK_EQ(msg(3), 0x11);
	CHECK_EQ(msg(10), ~0ull);
	exit_.mr[0] = ABI_EXIT_ADVANCE | ABI_EXIT_WRITE_X0_3;
	exit_.mr[1] = 0x66;
	go_on(&g, 2);
	CHECK_EQ(exit_.label, ABI_EXT_FAULT_EXIT);
	CHECK_EQ(msg(2), OUTSIDE + 0x14);
	CHECK_EQ(msg(3), 0x66);
	exit_.mr[0] = ABI_EXIT_ADVANCE;
	go_on(&g, 1);
	CHECK_EQ(msg(2), OUTSIDE + 0x28);
	exit_.mr[0] = ABI_EXIT_ADVANCE | ABI_EXIT_WRITE_RT;
	exit_.mr[1] = 0x1238001;
	go_on(&g, 2);
	CHECK_EQ(msg(3), 0xffffffffffff8001); /* ldrsh */
}

static void test_unbound(void)
{
	struct guest g = make_guest(1);

	start(&g, guest_hvc, 0);
	/* The VCPU goes: what is left is a native thread, at EL0. */
	CHECK_OK(kt_delete(g.vcpu));
	go_on(&g, 0);
	CHECK_EQ(exit_.label, ABI_FAULT_USER_EXCEPTION);
	CHECK_EQ(msg(ABI_EXCFAULT_SPSR) & 0x1f, 0);
	/* And so is one that never had a VCPU but asks for EL1, EL2, AArch32. */
	for (uint64_t mode = 0; mode < 32; mode++) {
		set_reg(&g, ABI_CTX_SPSR, mode | 1u << 20 | 1u << 21);
		go_on(&g, 0);
		CHECK_EQ(exit_.label, ABI_FAULT_USER_EXCEPTION);
		CHECK_EQ(msg(ABI_EXCFAULT_SPSR) & 0x1f, 0);
	}
}

static void test_modes(void)
{
	struct guest g = make_guest(1);

	/* Whatever mode is asked for, the kernel survives the return. */
	start(&g, guest_hvc, 0);
	for (uint64_t mode = 0; mode < 32; mode++) {
		set_reg(&g, ABI_CTX_PC, gpa_of(guest_hvc));
		set_reg(&g, ABI_CTX_SPSR, mode | 1u << 20 | 0x3c0);
		go_on(&g, 0);
		CHECK(exit_.label != 0);
	}
}

static void test_delete_running(void)
{
	struct guest g = make_guest(1);

	CHECK_OK(sel4_tcb_set_priority(g.tcb, ABI_ROOT_TCB, KT_PRIO));
	set_pc(&g, guest_spin, 0, 1);
	sel4_yield(); /* until the guest's time slice ends */
	/* Its thread holds a copy. Then it runs in the empty space: faults. */
	CHECK_OK(kt_revoke(g.vspace));
	CHECK_OK(kt_delete(g.vspace));
	receive(&g);
	CHECK_EQ(exit_.label, ABI_FAULT_VM);
	CHECK_OK(kt_delete(g.tcb));
	CHECK_OK(kt_delete(g.vcpu));
}

static void test_self(void)
{
	cap_t vcpu = kt_make(ABI_OBJ_VCPU, 0);

	CHECK_EQ(sel4_vcpu_set_tcb(vcpu, ABI_ROOT_TCB), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_vcpu_set_tcb(vcpu, kt_pool), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_ext_query(ABI_ROOT_TCB), 15);
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
	{ "vcpu: injected interrupt, list registers, maintenance", test_irq },
	{ "vcpu: exit message", test_exit_message },
	{ "vcpu: a thread that lost its VCPU is native", test_unbound },
	{ "vcpu: every mode in SPSR is safe", test_modes },
	{ "vcpu: deleted under a running guest", test_delete_running },
	{ "vcpu: wrong arguments", test_self },
};
KT_GROUP(kt_vcpu);
