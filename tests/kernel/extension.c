/* Extensions of threads and VCPUs: system calls that fault, width, debug. */
#include "guest.h"

#include <abi/trace.h>

extern const char guest_a32[], guest_a32_loop[], guest_a32_fp[], guest_t32[], guest_debug[],
	guest_midr[], guest_debug_here[], guest_hvc[], guest_steps[];

#define HAS(feature) (sel4_ext_query(ABI_ROOT_TCB) & (feature))
#define EC_MCR15 0x03
#define EC_HVC32 0x12
#define EC_SMC32 0x13
#define EC_HVC64 0x16
#define EC_DABT 0x24
#define EC_BREAKPOINT 0x30
#define EC_STEP 0x32
#define EC_WATCHPOINT 0x34
#define EC_BRK 0x3c
#define SPSR_A32_SVC 0x1d3u
#define SPSR_T 0x20u
#define FPEXC_EN (1u << 30)

static uint64_t field(const struct kt_guest *g, uint64_t f)
{
	uint64_t v = ~0ull;

	CHECK_OK(sel4_vcpu_read_regs(g->vcpu, f, &v));
	return v;
}

static uint64_t reg(const struct kt_guest *g, unsigned index)
{
	uint64_t regs[ABI_CTX_COUNT];

	CHECK_OK(sel4_tcb_read_registers(g->tcb, 0, ABI_CTX_COUNT, regs));
	return regs[index];
}

static unsigned exit_class(void) { return EC(kt_exit_syndrome()); }

static struct kt_guest with_exits(uint64_t badge)
{
	struct kt_guest g = kt_guest(badge);

	CHECK_OK(sel4_ext_vcpu_set_exit_message(g.vcpu, 1));
	return g;
}

/* --- width --- */

static struct kt_guest narrow(uint64_t badge)
{
	struct kt_guest g = with_exits(badge);

	CHECK_OK(sel4_ext_vcpu_set_width(g.vcpu, 32));
	return g;
}

static void start32(const struct kt_guest *g, const char *code, uint64_t spsr, uint64_t x0)
{
	kt_guest_set_pc(g, code, x0, 0);
	kt_guest_set_reg(g, ABI_CTX_SPSR, spsr);
	CHECK_OK(sel4_tcb_resume(g->tcb));
	kt_guest_receive(g);
}

/* Past the instruction that trapped. */
static void go_on(const struct kt_guest *g)
{
	kt_guest_answer(g, ABI_EXIT_DONE, 0);
}

static void again(const struct kt_guest *g)
{
	kt_guest_answer(g, ABI_EXIT_AGAIN, 0);
}

static void test_width_exits(void)
{
	struct kt_guest g;

	if (!HAS(ABI_EXTF_VCPU_WIDTH))
		return;
	g = narrow(1);
	start32(&g, guest_a32, SPSR_A32_SVC, 0x55);
	CHECK_EQ(exit_class(), EC_HVC32);
	CHECK_EQ(reg(&g, ABI_CTX_PC), kt_guest_gpa(guest_a32_loop));
	CHECK_EQ(reg(&g, ABI_CTX_X17), 0x55); /* SP_irq */
	CHECK_EQ(field(&g, ABI_EXTV_SPSR_IRQ), 0xd3);
	CHECK_EQ(field(&g, ABI_EXTV_DACR32), 0x55);
	CHECK_EQ(reg(&g, ABI_CTX_TPIDR_EL0), 0x55);
	go_on(&g);
	CHECK_EQ(exit_class(), EC_DABT);
	CHECK_EQ(kt_exit_word(ABI_EXIT_GPA), OUTSIDE + 0x14);
	CHECK_EQ(kt_exit_word(ABI_EXIT_VALUE), 0x55);
	go_on(&g);
	CHECK_EQ(kt_exit_word(ABI_EXIT_GPA), OUTSIDE + 0x28);
	kt_exit.mr[0] = 0xffff8001;
	kt_guest_answer(&g, ABI_EXIT_DONE, 1);
	CHECK_EQ(exit_class(), EC_SMC32);
	CHECK_EQ(reg(&g, ABI_CTX_X2), 0xffff8001); /* ldrsh */
	CHECK_EQ(reg(&g, ABI_CTX_X3), 0x55);
	go_on(&g);
	CHECK_EQ(exit_class(), EC_HVC32);
}

static void test_width_fault_messages(void)
{
	struct kt_guest g;

	if (!HAS(ABI_EXTF_VCPU_WIDTH))
		return;
	g = kt_guest(1);
	CHECK_OK(sel4_ext_vcpu_set_width(g.vcpu, 32));
	start32(&g, guest_a32, SPSR_A32_SVC, 0x55);
	CHECK_EQ(kt_exit.label, ABI_FAULT_UNKNOWN_SYSCALL);
	CHECK_EQ(kt_exit_word(ABI_SYSFAULT_X0), 0x55);
	CHECK_EQ(kt_exit_word(ABI_SYSFAULT_IP), kt_guest_gpa(guest_a32_loop));
	CHECK_EQ(kt_exit_word(ABI_SYSFAULT_SPSR) & 0x1f, 0x13);
	kt_guest_answer_hvc(&g, 0x66);
	CHECK_EQ(kt_exit.label, ABI_FAULT_VM);
	CHECK_EQ(reg(&g, ABI_CTX_X0), 0x66);
}

static void test_width_two_guests(void)
{
	struct kt_guest a, b, wide;

	if (!HAS(ABI_EXTF_VCPU_WIDTH))
		return;
	a = narrow(1);
	b = narrow(2);
	wide = with_exits(3);
	start32(&a, guest_a32, SPSR_A32_SVC, 0xa);
	start32(&b, guest_a32, SPSR_A32_SVC, 0xb);
	kt_guest_start(&wide, guest_hvc, 0);
	CHECK_EQ(exit_class(), EC_HVC64);
	CHECK_EQ(field(&a, ABI_EXTV_DACR32), 0xa);
	CHECK_EQ(field(&b, ABI_EXTV_DACR32), 0xb);
	CHECK_OK(sel4_vcpu_write_regs(a.vcpu, ABI_EXTV_DACR32, 0x1c));
	kt_guest_set_reg(&a, ABI_CTX_PC, kt_guest_gpa(guest_a32_loop) + 12);
	again(&a);
	CHECK_EQ(exit_class(), EC_SMC32);
	CHECK_EQ(reg(&a, ABI_CTX_X3), 0x1c);
	CHECK_EQ(reg(&a, ABI_CTX_X17), 0xa);
}

static void test_width_processor_number(void)
{
	struct kt_guest a, b;

	if (!HAS(ABI_EXTF_VCPU_STATE))
		return;
	a = with_exits(1);
	b = with_exits(2);
	CHECK_EQ(field(&a, ABI_EXTV_VPIDR), field(&a, ABI_EXTV_ID0));
	CHECK_OK(sel4_vcpu_write_regs(a.vcpu, ABI_EXTV_VPIDR, 0x410fc090));
	kt_guest_start(&a, guest_midr, 0);
	CHECK_EQ(reg(&a, ABI_CTX_X0), 0x410fc090);
	/* Another guest has its own. */
	kt_guest_start(&b, guest_midr, 0);
	CHECK_EQ(reg(&b, ABI_CTX_X0), field(&b, ABI_EXTV_ID0));
	CHECK_EQ(field(&a, ABI_EXTV_VPIDR), 0x410fc090);
}

static void test_width_fp(void)
{
	struct kt_guest g[2];

	if (!HAS(ABI_EXTF_VCPU_WIDTH))
		return;
	for (unsigned i = 0; i < 2; i++) {
		g[i] = narrow(1 + i);
		CHECK_OK(sel4_vcpu_write_regs(g[i].vcpu, ABI_VCPU_CPACR_EL1, 0xf00000));
		start32(&g[i], guest_a32_fp, SPSR_A32_SVC, i ? 0 : FPEXC_EN);
		CHECK_EQ(exit_class(), EC_HVC32);
	}
	for (unsigned round = 0; round < 4; round++) {
		kt_guest_set_reg(&g[round % 2], ABI_CTX_X0, 0x55);
		go_on(&g[round % 2]);
		CHECK_EQ(exit_class(), EC_HVC32);
		CHECK_EQ(reg(&g[round % 2], ABI_CTX_X0), round % 2 ? 0 : FPEXC_EN);
	}
}

static void test_width_it_block(void)
{
	struct kt_guest g;

	if (!HAS(ABI_EXTF_VCPU_WIDTH))
		return;
	g = narrow(1);
	start32(&g, guest_t32, SPSR_A32_SVC | SPSR_T, 0);
	CHECK_EQ(exit_class(), EC_DABT);
	CHECK_EQ(kt_exit_word(ABI_EXIT_GPA), OUTSIDE);
	kt_exit.mr[0] = 0x99;
	kt_guest_answer(&g, ABI_EXIT_DONE, 1);
	CHECK_EQ(exit_class(), EC_HVC32);
	CHECK_EQ(reg(&g, ABI_CTX_X0), 0x99); /* movne did not run */
}

static void test_width_modes(void)
{
	struct kt_guest g;

	if (!HAS(ABI_EXTF_VCPU_WIDTH))
		return;
	g = narrow(1);
	start32(&g, guest_a32, SPSR_A32_SVC, 0);
	for (uint64_t mode = 0; mode < 32; mode++) {
		uint64_t got;

		kt_guest_set_reg(&g, ABI_CTX_PC, kt_guest_gpa(guest_a32_loop));
		kt_guest_set_reg(&g, ABI_CTX_SPSR, mode | 3u << 20 | 0x1c0);
		got = reg(&g, ABI_CTX_SPSR);
		CHECK_EQ(got >> 20 & 3, 0);
		/* AArch64, monitor and hypervisor mode are no guest's. */
		if (mode < 0x10 || mode == 0x16 || mode == 0x1a)
			CHECK_EQ(got & 0x1f, 0x13);
		again(&g);
		CHECK(kt_exit.label != 0);
	}
	/* Wide again: no AArch32 mode of EL1 is left. */
	kt_guest_set_reg(&g, ABI_CTX_SPSR, SPSR_A32_SVC);
	CHECK_OK(sel4_ext_vcpu_set_width(g.vcpu, 64));
	CHECK_EQ(reg(&g, ABI_CTX_SPSR) & 0x1f, 5);
	CHECK_OK(sel4_ext_vcpu_set_width(g.vcpu, 32));
	CHECK_EQ(reg(&g, ABI_CTX_SPSR) & 0x1f, 0x13);
	CHECK_OK(kt_delete(g.vcpu));
	CHECK_EQ(reg(&g, ABI_CTX_SPSR) & 0x1f, 0);
}

static void test_width_errors(void)
{
	cap_t vcpu = kt_make(ABI_OBJ_VCPU, 0);
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	CHECK_EQ(sel4_invoke(vcpu, ABI_EXT_VCPU_SET_WIDTH, 0, 0, mr), ABI_TRUNCATED_MESSAGE);
	CHECK_ERROR2(sel4_ext_vcpu_set_width(vcpu, 0), ABI_RANGE_ERROR, 32, 64);
	CHECK_ERROR2(sel4_ext_vcpu_set_width(vcpu, 33), ABI_RANGE_ERROR, 32, 64);
	CHECK_ERROR2(sel4_ext_vcpu_set_width(vcpu, 1ull << 32 | 32), ABI_RANGE_ERROR, 32, 64);
	if (!HAS(ABI_EXTF_VCPU_WIDTH))
		CHECK_ERROR2(sel4_ext_vcpu_set_width(vcpu, 32), ABI_RANGE_ERROR, 64, 64);
	CHECK_OK(sel4_ext_vcpu_set_width(vcpu, 64));
	CHECK_EQ(sel4_ext_vcpu_set_width(ABI_ROOT_TCB, 64), ABI_ILLEGAL_OPERATION);
}

/* --- debug --- */

#define BCR_ON 0x1e7u /* E, EL1 and EL0, four bytes */
#define WCR_ON(lsc) (0x1fe7u | (lsc) << 3)

static struct kt_guest debugged(uint64_t mode)
{
	struct kt_guest g = with_exits(1);

	CHECK_OK(sel4_ext_vcpu_set_debug(g.vcpu, mode));
	return g;
}

static void start_debug(const struct kt_guest *g)
{
	kt_guest_set_pc(g, guest_debug, 0, 0);
	kt_guest_set_reg(g, ABI_CTX_X1, GUEST_BASE + 0x200);
	CHECK_OK(sel4_tcb_resume(g->tcb));
	kt_guest_receive(g);
}

static void test_breakpoint(void)
{
	struct kt_guest g = debugged(ABI_EXT_DEBUG_EVENTS);

	CHECK_OK(sel4_vcpu_write_regs(g.vcpu, ABI_EXTV_DBGBVR0 + 1,
				      kt_guest_gpa(guest_debug_here)));
	CHECK_OK(sel4_vcpu_write_regs(g.vcpu, ABI_EXTV_DBGBCR0 + 1, ~0ull));
	CHECK_EQ(field(&g, ABI_EXTV_DBGBCR0 + 1), BCR_ON);
	start_debug(&g);
	CHECK_EQ(exit_class(), EC_BREAKPOINT);
	CHECK_EQ(reg(&g, ABI_CTX_PC), kt_guest_gpa(guest_debug_here));
	CHECK_EQ(reg(&g, ABI_CTX_X0), 1);
	CHECK_OK(sel4_vcpu_write_regs(g.vcpu, ABI_EXTV_DBGBCR0 + 1, 0));
	again(&g);
	CHECK_EQ(exit_class(), EC_BRK);
	CHECK_EQ(kt_exit_syndrome() & 0xffff, 0x123);
	go_on(&g);
	CHECK_EQ(exit_class(), EC_HVC64);
}

static void test_watchpoint(void)
{
	struct kt_guest g = debugged(ABI_EXT_DEBUG_EVENTS);

	CHECK_OK(sel4_vcpu_write_regs(g.vcpu, ABI_EXTV_DBGWVR0, GUEST_BASE + 0x200));
	CHECK_OK(sel4_vcpu_write_regs(g.vcpu, ABI_EXTV_DBGWCR0, WCR_ON(2u)));
	CHECK_OK(sel4_vcpu_write_regs(g.vcpu, ABI_EXTV_DBGWVR0 + 1, GUEST_BASE + 0x208));
	CHECK_OK(sel4_vcpu_write_regs(g.vcpu, ABI_EXTV_DBGWCR0 + 1, WCR_ON(1u)));
	start_debug(&g);
	CHECK_EQ(exit_class(), EC_WATCHPOINT);
	CHECK_EQ(kt_exit_word(ABI_EXIT_GVA), GUEST_BASE + 0x200);
	CHECK_EQ(reg(&g, ABI_CTX_PC), kt_guest_gpa(guest_debug_here) + 8);
	CHECK_OK(sel4_vcpu_write_regs(g.vcpu, ABI_EXTV_DBGWCR0, 0));
	again(&g);
	CHECK_EQ(exit_class(), EC_WATCHPOINT);
	CHECK_EQ(kt_exit_word(ABI_EXIT_GVA), GUEST_BASE + 0x208);
}

/* Each of a kind (breakpoints, watchpoints) is set alone and hit. */
static void each_is_hit(const struct kt_guest *g, uint64_t value0, uint64_t control0,
			unsigned count, uint64_t address, uint64_t control, unsigned class)
{
	for (unsigned i = 0; i < count; i++) {
		CHECK_OK(sel4_vcpu_write_regs(g->vcpu, value0 + i, address));
		CHECK_OK(sel4_vcpu_write_regs(g->vcpu, control0 + i, control));
		kt_guest_set_reg(g, ABI_CTX_PC, kt_guest_gpa(guest_debug));
		again(g);
		CHECK_EQ(exit_class(), class);
		CHECK_OK(sel4_vcpu_write_regs(g->vcpu, control0 + i, 0));
	}
	CHECK_EQ(sel4_vcpu_write_regs(g->vcpu, value0 + count, 0),
		 count < 16 ? ABI_INVALID_ARGUMENT : ABI_OK);
	CHECK_EQ(sel4_vcpu_write_regs(g->vcpu, control0 + count, 0),
		 count < 16 ? ABI_INVALID_ARGUMENT : ABI_OK);
}

static void test_every_debug_register(void)
{
	struct kt_guest g = debugged(ABI_EXT_DEBUG_EVENTS);
	uint64_t dfr0 = field(&g, ABI_EXTV_ID0 + (5 << 3));

	start_debug(&g);
	CHECK_EQ(exit_class(), EC_BRK);
	each_is_hit(&g, ABI_EXTV_DBGBVR0, ABI_EXTV_DBGBCR0, 1 + (dfr0 >> 12 & 15),
		    kt_guest_gpa(guest_debug_here), BCR_ON, EC_BREAKPOINT);
	each_is_hit(&g, ABI_EXTV_DBGWVR0, ABI_EXTV_DBGWCR0, 1 + (dfr0 >> 20 & 15),
		    GUEST_BASE + 0x200, WCR_ON(2u), EC_WATCHPOINT);
}

static void test_step(void)
{
	struct kt_guest g = debugged(ABI_EXT_DEBUG_EVENTS | ABI_EXT_DEBUG_STEP);

	start_debug(&g);
	for (unsigned i = 0; i < 5; i++) {
		CHECK_EQ(exit_class(), EC_STEP);
		CHECK_EQ(reg(&g, ABI_CTX_PC), kt_guest_gpa(guest_debug_here) + 4 * i);
		again(&g);
	}
	/* Skipping BRK is a step. */
	CHECK_EQ(exit_class(), EC_BRK);
	go_on(&g);
	CHECK_EQ(exit_class(), EC_STEP);
	CHECK_EQ(reg(&g, ABI_CTX_PC), kt_guest_gpa(guest_debug_here) + 20);
	/* From elsewhere, one instruction again. */
	kt_guest_set_reg(&g, ABI_CTX_PC, kt_guest_gpa(guest_debug));
	again(&g);
	CHECK_EQ(exit_class(), EC_STEP);
	CHECK_EQ(reg(&g, ABI_CTX_PC), kt_guest_gpa(guest_debug_here));
	CHECK_OK(sel4_ext_vcpu_set_debug(g.vcpu, 0));
	kt_guest_set_reg(&g, ABI_CTX_PC, kt_guest_gpa(guest_debug_here) + 20);
	again(&g);
	CHECK_EQ(exit_class(), EC_HVC64);
}

/* Each instruction once, though its report waits for the next period at times:
 * the budget's end falls between the two, or into the report. */
static void step_over_budgets(bool exits)
{
	struct kt_guest g = exits ? with_exits(1) : kt_guest(1);
	uint64_t first = kt_guest_gpa(guest_steps), wrong = 0, begin = kt_now_us();
	unsigned at = 0;

	CHECK_OK(sel4_ext_vcpu_set_debug(g.vcpu, ABI_EXT_DEBUG_EVENTS | ABI_EXT_DEBUG_STEP));
	CHECK_OK(sel4_sched_control_configure(kt_sched_control(), g.sc, 50, 100, 4, 0, 0));
	kt_guest_start(&g, guest_steps, 0);
	for (unsigned i = 0; i < 2000; i++) {
		at = (at + 1) % 64;
		wrong += reg(&g, ABI_CTX_PC) != first + 4 * at;
		kt_guest_answer(&g, exits ? ABI_EXIT_AGAIN : 0, 0);
	}
	CHECK_EQ(wrong, 0);
	CHECK(kt_now_us() - begin > 1000); /* ten budgets at least */
}

static void test_step_over_budgets(void)
{
	step_over_budgets(true);
	step_over_budgets(false);
}

static void test_debug_is_ones_own(void)
{
	struct kt_guest a = debugged(ABI_EXT_DEBUG_EVENTS | ABI_EXT_DEBUG_STEP);
	struct kt_guest b = with_exits(2);

	CHECK_OK(sel4_vcpu_write_regs(a.vcpu, ABI_EXTV_DBGBVR0, kt_guest_gpa(guest_hvc)));
	CHECK_OK(sel4_vcpu_write_regs(a.vcpu, ABI_EXTV_DBGBCR0, BCR_ON));
	start_debug(&a);
	CHECK_EQ(exit_class(), EC_STEP);
	kt_guest_start(&b, guest_hvc, 0);
	CHECK_EQ(exit_class(), EC_HVC64);
	CHECK_EQ(field(&b, ABI_EXTV_DBGBCR0), 0);
}

static void test_debug_errors(void)
{
	cap_t vcpu = kt_make(ABI_OBJ_VCPU, 0);
	uint64_t mr[SEL4_MSG_REGS] = { 0 }, v;

	CHECK_EQ(sel4_invoke(vcpu, ABI_EXT_VCPU_SET_DEBUG, 0, 0, mr), ABI_TRUNCATED_MESSAGE);
	CHECK_ERROR1(sel4_ext_vcpu_set_debug(vcpu, ABI_EXT_DEBUG_STEP), ABI_INVALID_ARGUMENT, 0);
	CHECK_ERROR1(sel4_ext_vcpu_set_debug(vcpu, 4), ABI_INVALID_ARGUMENT, 0);
	CHECK_ERROR1(sel4_ext_vcpu_set_debug(vcpu, ~0ull), ABI_INVALID_ARGUMENT, 0);
	CHECK_EQ(sel4_vcpu_read_regs(vcpu, ABI_EXTV_DBGWCR0 + 16, &v), ABI_INVALID_ARGUMENT);
	CHECK_EQ(sel4_vcpu_read_regs(vcpu, ABI_EXTV_VPIDR + 1, &v), ABI_INVALID_ARGUMENT);
	CHECK_OK(sel4_vcpu_write_regs(vcpu, ABI_EXTV_DBGBVR0, ~0ull));
	CHECK_OK(sel4_vcpu_read_regs(vcpu, ABI_EXTV_DBGBVR0, &v));
	CHECK_EQ(v, ~3ull);
}

/* --- system calls that fault --- */

static volatile uint64_t calls;

static void caller(void *arg)
{
	(void)arg;
	for (;;) {
		sel4_yield();
		calls++;
	}
}

static void test_syscall_fault(void)
{
	cap_t ep = kt_make(ABI_OBJ_ENDPOINT, 0), reply = kt_make(ABI_OBJ_REPLY, 0);
	struct kt_thread t = kt_thread(0, caller, NULL, KT_HIGH, kt_mint(ep, KT_ALL, 7), true);
	uint64_t mr[SEL4_MSG_REGS] = { 0 }, badge, ip;
	msginfo_t info;

	calls = 0;
	CHECK_OK(sel4_ext_tcb_set_syscall_fault(t.tcb, 1));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	info = sel4_recv(ep, &badge, mr, reply);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQ(msginfo_label(info), ABI_FAULT_UNKNOWN_SYSCALL);
		CHECK_EQ(badge, 7);
		CHECK_EQ(sel4_ipcbuf->msg[ABI_SYSFAULT_NUMBER], (uint64_t)ABI_SYS_YIELD);
		CHECK_EQ(sel4_ipcbuf->msg[ABI_SYSFAULT_LR], sel4_ipcbuf->msg[ABI_SYSFAULT_IP] + 4);
		CHECK_EQ(calls, i);
		ip = sel4_ipcbuf->msg[ABI_SYSFAULT_IP] + 4;
		sel4_ipcbuf->msg[ABI_SYSFAULT_IP] = ip;
		info = sel4_reply_recv(ep, msginfo(0, 0, ABI_SYSFAULT_IP + 1), &badge, mr, reply);
	}
	/* Off: the restarted call is a call again. */
	CHECK_OK(sel4_ext_tcb_set_syscall_fault(t.tcb, 0));
	CHECK_OK(sel4_tcb_set_priority(t.tcb, ABI_ROOT_TCB, KT_LOW));
	sel4_send(reply, msginfo(0, 0, 0), mr);
	kt_sleep_us(1000);
	CHECK(calls > 3);
}

static void test_syscall_fault_errors(void)
{
	struct kt_thread t = kt_thread(0, caller, NULL, KT_LOW, 0, true);
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	CHECK_EQ(sel4_invoke(t.tcb, ABI_EXT_TCB_SET_SYSCALL_FAULT, 0, 0, mr),
		 ABI_TRUNCATED_MESSAGE);
	CHECK_ERROR2(sel4_ext_tcb_set_syscall_fault(t.tcb, 2), ABI_RANGE_ERROR, 0, 1);
	CHECK_ERROR2(sel4_ext_tcb_set_syscall_fault(t.tcb, ~0ull), ABI_RANGE_ERROR, 0, 1);
}

/* --- trace --- */

#define RING_AT 0x39000000ull
static const struct abi_trace_ring *const ring = (const struct abi_trace_ring *)RING_AT;

static cap_t start_trace(void)
{
	cap_t frame = kt_make(ABI_OBJ_SMALL_PAGE, 0);

	kt_guest_map_page(frame, ABI_ROOT_VSPACE, RING_AT, ABI_VM_DEFAULT);
	CHECK_OK(sel4_ext_sched_control_set_trace(kt_sched_control(), frame));
	return frame;
}

static void stop_trace(void)
{
	CHECK_OK(sel4_ext_sched_control_set_trace(kt_sched_control(), 0));
}

static bool traced(uint64_t thread, enum abi_trace_kind kind, int32_t detail)
{
	for (uint64_t i = 0; i < ring->written && i < ring->slots; i++)
		if (ring->event[i].thread == thread && ring->event[i].kind == kind &&
		    ring->event[i].detail == detail)
			return true;
	return false;
}

static void test_trace_events(void)
{
	struct kt_guest g = kt_guest(1);
	struct kt_thread t = kt_thread(0, caller, NULL, KT_LOW, 0, true);
	uint64_t seen;

	CHECK_OK(sel4_ext_tcb_set_trace_id(ABI_ROOT_TCB, 0x11));
	CHECK_OK(sel4_ext_tcb_set_trace_id(g.tcb, 0x22));
	CHECK_OK(sel4_ext_tcb_set_trace_id(t.tcb, 0x33));
	start_trace();
	CHECK_EQ(ring->version, ABI_TRACE_VERSION);
	CHECK_EQ(ring->slots, 127);
	/* The way out of the call that started it is not in it. */
	seen = ring->written;
	sel4_yield();
	CHECK_EQ(ring->written, seen + 2);
	CHECK_EQ(ring->event[seen].kind, ABI_TRACE_SYSCALL);
	CHECK_EQ(ring->event[seen].detail, ABI_SYS_YIELD);
	CHECK_EQ(ring->event[seen].thread, 0x11);
	CHECK_EQ(ring->event[seen + 1].kind, ABI_TRACE_RETURN);
	CHECK_EQ(ring->event[seen + 1].pc, ring->event[seen].pc);
	CHECK(ring->event[seen + 1].time > ring->event[seen].time);
	kt_guest_start(&g, guest_hvc, 0);
	CHECK(traced(0x22, ABI_TRACE_RETURN, 0));
	CHECK(traced(0x22, ABI_TRACE_EXIT, 0x5a000000));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	kt_sleep_us(2000);
	stop_trace();
	CHECK(ring->written > ring->slots);
	CHECK(traced(0x33, ABI_TRACE_SYSCALL, ABI_SYS_YIELD));
	seen = ring->written;
	sel4_yield();
	CHECK_EQ(ring->written, seen);
	CHECK_OK(sel4_ext_tcb_set_trace_id(ABI_ROOT_TCB, 0));
}

static void test_trace_idle(void)
{
	cap_t frame;
	unsigned idle = 0;

	CHECK_OK(sel4_ext_tcb_set_trace_id(ABI_ROOT_TCB, 0x11));
	frame = start_trace();
	kt_sleep_us(1500);
	stop_trace();
	for (uint64_t i = 0; i < ring->written && i < ring->slots; i++) {
		const volatile struct abi_trace_event *e = &ring->event[i];

		if (e->kind == ABI_TRACE_IDLE || e->kind == ABI_TRACE_INTERRUPT ||
		    e->kind == ABI_TRACE_RETURN)
			CHECK_EQ(e->detail, 0);
		if (e->kind == ABI_TRACE_IDLE) {
			idle++;
			CHECK_EQ(e->thread, 0);
			CHECK_EQ(e->pc, 0);
		}
	}
	CHECK(idle > 0);
	/* Again in the same frame: from its beginning. */
	CHECK_OK(sel4_ext_sched_control_set_trace(kt_sched_control(), frame));
	CHECK_EQ(ring->written, 0);
	sel4_yield();
	CHECK_EQ(ring->event[0].kind, ABI_TRACE_SYSCALL);
	CHECK_EQ(ring->event[0].detail, ABI_SYS_YIELD);
	stop_trace();
	CHECK_OK(sel4_ext_tcb_set_trace_id(ABI_ROOT_TCB, 0));
}

static void breaks(void *arg)
{
	(void)arg;
	__asm__ volatile("brk #7");
	kt_stop();
}

static void test_trace_of_what_is_not_a_call(void)
{
	struct kt_thread t = kt_thread(0, breaks, NULL, KT_LOW, 0, true);
	uint64_t until;

	CHECK_OK(sel4_ext_tcb_set_trace_id(ABI_ROOT_TCB, 0x11));
	CHECK_OK(sel4_ext_tcb_set_trace_id(t.tcb, 0x33));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	start_trace();
	/* Longer than a round: its end is an interrupt. */
	until = kt_now_us() + 12000;
	while (kt_now_us() < until)
		;
	CHECK(traced(0x11, ABI_TRACE_INTERRUPT, 0));
	kt_sleep_us(1000);
	stop_trace();
	CHECK(traced(0x33, ABI_TRACE_FAULT, (int32_t)0xf2000007));
	CHECK_OK(sel4_ext_tcb_set_trace_id(ABI_ROOT_TCB, 0));
}

static cap_t fp_turn;

static void uses_fp(void *arg)
{
	(void)arg;
	for (;;) {
		__asm__ volatile(".arch_extension fp\n\tfmov d0, xzr");
		(void)sel4_wait(fp_turn);
	}
}

/* Registers that nobody else uses stay its own, whatever else it is given: its
 * first instruction traps, no other. */
static void test_trace_of_fp(void)
{
	struct kt_thread t = kt_thread(0, uses_fp, NULL, KT_HIGH, 0, true);
	struct kt_guest g = kt_guest(1);
	cap_t h = kt_slot();
	unsigned traps = 0;

	fp_turn = kt_make(ABI_OBJ_NOTIFICATION, 0);
	CHECK_OK(sel4_irq_control_get(ABI_ROOT_IRQ_CONTROL, KT_CNODE, 30, h, 64));
	CHECK_OK(sel4_ext_tcb_set_trace_id(t.tcb, 0x33));
	start_trace();
	CHECK_OK(sel4_tcb_resume(t.tcb));
	for (unsigned i = 0; i < 3; i++) {
		kt_guest_start(&g, guest_hvc, 0);
		sel4_signal(fp_turn);
		CHECK_OK(sel4_ext_tcb_enable_timer(i ? g.tcb : t.tcb, h));
		sel4_signal(fp_turn);
	}
	stop_trace();
	CHECK(ring->written < ring->slots);
	for (uint64_t i = 0; i < ring->written; i++)
		traps += ring->event[i].thread == 0x33 && ring->event[i].kind == ABI_TRACE_FAULT;
	CHECK_EQ(traps, 1);
	CHECK_OK(kt_delete(h));
}

/* The ring's frame goes while it is written. */
static void test_trace_revoked(void)
{
	cap_t frame = start_trace();

	CHECK_OK(kt_revoke(frame));
	sel4_yield();
	CHECK_OK(sel4_ext_sched_control_set_trace(kt_sched_control(), frame));
	CHECK_OK(kt_revoke(kt_pool)); /* and with it all that the case made */
	sel4_yield();
	stop_trace();
}

/* Another ring takes the place of the first; none, that of the second. What
 * the kernel held of a ring goes with it: its untyped is whole again. */
static void test_trace_replaced(void)
{
	cap_t untyped = kt_make(ABI_OBJ_UNTYPED, 13);
	cap_t frame = kt_slots(2), control = kt_sched_control();

	for (unsigned i = 0; i < 3; i++) {
		CHECK_OK(sel4_untyped_retype(untyped, KT_CNODE, ABI_OBJ_SMALL_PAGE, 0, 0, 0,
					     frame, 2));
		CHECK_OK(sel4_ext_sched_control_set_trace(control, frame));
		CHECK_OK(sel4_ext_sched_control_set_trace(control, frame + 1));
		CHECK_OK(kt_delete(frame));
		stop_trace();
		CHECK_OK(kt_delete(frame + 1));
	}
}

static void test_trace_errors(void)
{
	cap_t frame = kt_make(ABI_OBJ_SMALL_PAGE, 0);
	cap_t control = kt_sched_control();

	CHECK_ERROR1(sel4_ext_sched_control_set_trace(control, ABI_ROOT_TCB),
		     ABI_INVALID_CAPABILITY, 1);
	CHECK_ERROR1(sel4_ext_sched_control_set_trace(control,
						      kt_mint(frame, ABI_RIGHT_READ, 0)),
		     ABI_INVALID_CAPABILITY, 1);
	CHECK_ERROR1(sel4_ext_sched_control_set_trace(control, kt_slot()),
		     ABI_INVALID_CAPABILITY, 1);
	CHECK_EQ(sel4_ext_sched_control_set_trace(frame, frame), ABI_ILLEGAL_OPERATION);
}

static const struct kt_case cases[] = {
	{ "width: exits of a 32-bit guest", test_width_exits },
	{ "width: seL4's fault messages of a 32-bit guest", test_width_fault_messages },
	{ "width: state of two 32-bit guests and a 64-bit one", test_width_two_guests },
	{ "width: what processor a guest is told", test_width_processor_number },
	{ "width: FPEXC of two 32-bit guests", test_width_fp },
	{ "width: a skipped instruction counts in an IT block", test_width_it_block },
	{ "width: every mode in SPSR is safe", test_width_modes },
	{ "width: wrong arguments", test_width_errors },
	{ "debug: hardware breakpoint, BRK", test_breakpoint },
	{ "debug: watchpoints", test_watchpoint },
	{ "debug: every breakpoint and watchpoint", test_every_debug_register },
	{ "debug: single step", test_step },
	{ "debug: single steps over ends of budgets", test_step_over_budgets },
	{ "debug: one guest's events are not another's", test_debug_is_ones_own },
	{ "debug: wrong arguments", test_debug_errors },
	{ "syscall fault: every system call of the thread", test_syscall_fault },
	{ "syscall fault: wrong arguments", test_syscall_fault_errors },
	{ "trace: entries, exits, threads' names", test_trace_events },
	{ "trace: idle and interrupts", test_trace_idle },
	{ "trace: faults and interrupts", test_trace_of_what_is_not_a_call },
	{ "trace: a thread's FP registers stay its own", test_trace_of_fp },
	{ "trace: its frame is revoked", test_trace_revoked },
	{ "trace: its frame is replaced", test_trace_replaced },
	{ "trace: wrong arguments", test_trace_errors },
};
KT_GROUP(kt_extension);
