/*
 * EL1 registers that act on EL0, even under HCR_EL2.TGE: a guest leaves each
 * in its worst state, one case per register and bit. A native thread behaves
 * before, meanwhile and after in the same way; the guest finds its value again.
 */
#include "guest.h"

#include <abi/ext.h>
#include <selvage/fmt.h>

#define HANDLED 0x5eff
#define TAGGED 0xa500000000000000ull

/* What came of a native thread's attempt: a value, or a fault. */
struct outcome {
	uint64_t value, label, word[SEL4_MSG_REGS];
};
struct attempt {
	uint64_t (*run)(void);
	volatile uint64_t value;
	volatile bool done;
};
static struct attempt attempt;
static _Alignas(64) uint64_t data[8] = { 0x1122334455667788 };

/* --- attempts; those that read a clock return that they could --- */

static uint64_t load_word(void)
{
	uint32_t v;

	__asm__ volatile("ldr %w0, [%1]"
			 : "=r"(v)
			 : "r"(data)
			 : "memory");
	return v;
}

static uint64_t load_unaligned(void)
{
	uint64_t v;

	__asm__ volatile("ldr %0, [%1, #3]"
			 : "=r"(v)
			 : "r"(data));
	return v != 0;
}

static uint64_t load_tagged(void)
{
	uint64_t v;

	__asm__ volatile("ldr %0, [%1]"
			 : "=r"(v)
			 : "r"((uintptr_t)data | TAGGED));
	return v;
}

static uint64_t load_through_odd_sp(void)
{
	__asm__ volatile("mov x9, sp\n\t"
			 "sub x10, x9, #40\n\t"
			 "mov sp, x10\n\t"
			 "ldr x10, [sp]\n\t"
			 "mov sp, x9"
			 :
			 :
			 : "x9", "x10");
	return 1;
}

static uint64_t clear_line(void)
{
	static _Alignas(2048) char block[2048];

	block[0] = 1;
	__asm__ volatile("dc zva, %0" ::"r"(block)
			 : "memory");
	return (uint64_t)block[0];
}

static uint64_t maintain(void)
{
	__asm__ volatile("dc cvau, %0\n\t"
			 "dc cvac, %0\n\t"
			 "dc civac, %0\n\t"
			 "dsb ish\n\t"
			 "ic ivau, %0\n\t"
			 "isb"
			 :
			 : "r"(data)
			 : "memory");
	return 1;
}

static uint64_t wait_for_event(void)
{
	__asm__ volatile("sevl\n\twfe");
	return 1;
}

#define READS(name, register, value)                 \
	static uint64_t name(void)                   \
	{                                            \
		uint64_t v;                          \
                                                     \
		__asm__ volatile("mrs %0, " register \
				 : "=r"(v));         \
		return value;                        \
	}
#define WRITES(name, register, value)                                              \
	static uint64_t name(void)                                                 \
	{                                                                          \
		__asm__ volatile("msr " register ", %0" ::"r"((uint64_t)(value))); \
		return 1;                                                          \
	}
READS(read_cache_type, "ctr_el0", v)
READS(read_daif, "daif", v)
READS(read_virtual_counter, "cntvct_el0", v != 0)
READS(read_physical_counter, "cntpct_el0", v != 0)
READS(read_frequency, "cntfrq_el0", v)
READS(read_virtual_timer, "cntv_ctl_el0", v)
READS(read_physical_timer, "cntp_ctl_el0", v)
READS(read_thread, "tpidr_el0", v)
READS(read_thread_ro, "tpidrro_el0", v)
READS(read_debug_status, "mdccsr_el0", v)
READS(read_cycles, "pmccntr_el0", v != 0)
READS(read_pmu_control, "pmcr_el0", v)
READS(read_pmu_enabled, "pmcntenset_el0", v)
WRITES(mask_interrupts, "daif", 0x3c0)

static uint64_t use_simd(void)
{
	uint64_t v;

	__asm__ volatile(".arch_extension fp\n\tfmov d31, %1\n\tfmov %0, d31"
			 : "=r"(v)
			 : "r"(0x1234ull));
	return v;
}

static uint64_t sign_pointer(void)
{
	register uint64_t x17 __asm__("x17") = 0x123456;
	register uint64_t x16 __asm__("x16") = 7;

	__asm__ volatile("hint #8" /* PACIA1716 */
			 : "+r"(x17)
			 : "r"(x16));
	return x17;
}

/* --- running them --- */

static void attempts(void *arg)
{
	(void)arg;
	attempt.value = attempt.run();
	attempt.done = true;
	kt_stop();
}

static struct outcome try(uint64_t (*run)(void))
{
	cap_t ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	struct kt_thread t = kt_thread(0, attempts, NULL, KT_HIGH, ep, true);
	struct outcome o = { 0 };
	uint64_t badge;

	attempt.run = run;
	attempt.done = false;
	CHECK_OK(sel4_tcb_resume(t.tcb));
	if (attempt.done)
		o.value = attempt.value;
	else
		o.label = msginfo_label(sel4_recv(ep, &badge, o.word, kt_make(ABI_OBJ_REPLY, 0)));
	CHECK_OK(kt_delete(t.tcb));
	return o;
}

static void check_same(const struct outcome *a, const struct outcome *b)
{
	CHECK_EQ(b->label, a->label);
	CHECK_EQ(b->value, a->value);
	if (a->label)
		for (unsigned i = 0; i < SEL4_MSG_REGS; i++)
			CHECK_EQ(b->word[i], a->word[i]);
}

/* --- the registers --- */

#define SCTLR(bit) (0x30c50838ull ^ 1ull << (bit))
#define TRAPS 1u /* the guest does not reach the register */
#define RES0 2u  /* or it may not have these bits here */

struct act {
	const char *name, *code;
	uint64_t value;
	uint64_t (*run)(void);
	unsigned how;
};

#define ACT(what, code, value, run, how)                \
	{                                               \
		what, guest_act_##code, value, run, how \
	}
extern const char guest_act_sctlr[], guest_act_cpacr[], guest_act_tcr[], guest_act_mair[],
	guest_act_cntkctl[], guest_act_cntv_ctl[], guest_act_cntp_ctl[], guest_act_tpidr[],
	guest_act_tpidrro[], guest_act_contextidr[], guest_act_mdscr[], guest_act_osdlr[],
	guest_act_dbgbcr[], guest_act_pmuserenr[], guest_act_pmcr[], guest_act_pmcntenset[],
	guest_act_pmselr[], guest_act_pmintenset[];

static const struct act table[] = {
	ACT("SCTLR_EL1.E0E, big-endian data", sctlr, SCTLR(24), load_word, 0),
	ACT("SCTLR_EL1.DZE, DC ZVA", sctlr, SCTLR(14), clear_line, 0),
	ACT("SCTLR_EL1.UCT, CTR_EL0", sctlr, SCTLR(15), read_cache_type, 0),
	ACT("SCTLR_EL1.UCI, cache maintenance", sctlr, SCTLR(26), maintain, 0),
	ACT("SCTLR_EL1.UMA, reading the mask", sctlr, SCTLR(9), read_daif, 0),
	ACT("SCTLR_EL1.UMA, masking interrupts", sctlr, SCTLR(9), mask_interrupts, 0),
	ACT("SCTLR_EL1.nTWE, WFE", sctlr, SCTLR(18), wait_for_event, 0),
	ACT("SCTLR_EL1.A, unaligned loads", sctlr, SCTLR(1), load_unaligned, 0),
	ACT("SCTLR_EL1.SA0, the stack's alignment", sctlr, SCTLR(4), load_through_odd_sp, 0),
	ACT("SCTLR_EL1.C, caches", sctlr, SCTLR(2), load_word, 0),
	ACT("SCTLR_EL1.I, caches", sctlr, SCTLR(12), load_word, 0),
	ACT("SCTLR_EL1.EnIA, pointer authentication", sctlr, SCTLR(31), sign_pointer, RES0),
	ACT("CPACR_EL1.FPEN, SIMD", cpacr, 0, use_simd, 0),
	ACT("TCR_EL1.TBI0, tagged addresses", tcr, 1ull << 37, load_tagged, 0),
	ACT("MAIR_EL1, memory types", mair, 0, load_unaligned, 0),
	ACT("CNTKCTL_EL1.EL0VCTEN off", cntkctl, 0, read_virtual_counter, 0),
	ACT("CNTKCTL_EL1.EL0PCTEN off", cntkctl, 0, read_physical_counter, 0),
	ACT("CNTKCTL_EL1 off, the frequency", cntkctl, 0, read_frequency, 0),
	ACT("CNTKCTL_EL1.EL0VTEN on", cntkctl, 0x300, read_virtual_timer, 0),
	ACT("CNTKCTL_EL1.EL0PTEN on", cntkctl, 0x300, read_physical_timer, 0),
	ACT("CNTV_CTL_EL0, a timer that is due", cntv_ctl, 3, read_virtual_counter, RES0),
	ACT("CNTP_CTL_EL0", cntp_ctl, 1, read_physical_timer, TRAPS),
	ACT("TPIDR_EL0", tpidr, ~0ull, read_thread, 0),
	ACT("TPIDRRO_EL0", tpidrro, ~0ull, read_thread_ro, 0),
	ACT("CONTEXTIDR_EL1", contextidr, 0xffffffff, load_word, 0),
	ACT("MDSCR_EL1.TDCC, debug channel", mdscr, 1ull << 12, read_debug_status, TRAPS),
	ACT("MDSCR_EL1.SS, single step", mdscr, 1, load_word, TRAPS),
	ACT("MDSCR_EL1.KDE and MDE, debug events", mdscr, 0xa000, load_word, TRAPS),
	ACT("OSDLR_EL1", osdlr, 1, load_word, TRAPS),
	ACT("DBGBCR0_EL1, a breakpoint at EL0", dbgbcr, 0x1e5, load_word, TRAPS),
	ACT("PMUSERENR_EL0, the cycle counter", pmuserenr, 0xf, read_cycles, TRAPS),
	ACT("PMUSERENR_EL0, the monitors", pmuserenr, 0xf, read_pmu_control, TRAPS),
	ACT("PMCR_EL0", pmcr, 0x47, read_pmu_control, TRAPS),
	ACT("PMCNTENSET_EL0", pmcntenset, 0x80000000, read_pmu_enabled, TRAPS),
	ACT("PMSELR_EL0", pmselr, 3, read_pmu_control, TRAPS),
	ACT("PMINTENSET_EL1", pmintenset, 0x80000000, load_word, TRAPS),
};
#define ACTS (sizeof(table) / sizeof(table[0]))

static void run_act(const struct act *a)
{
	struct kt_guest g = kt_guest(1);
	struct outcome before = try(a->run), meanwhile, after;

	kt_guest_start(&g, a->code, a->value);
	CHECK_EQ(kt_exit.label, a->how & TRAPS ? ABI_FAULT_VCPU : ABI_FAULT_UNKNOWN_SYSCALL);
	meanwhile = try(a->run);
	check_same(&before, &meanwhile);
	if (a->how & TRAPS)
		return;
	kt_guest_answer_hvc(&g, HANDLED);
	if (!(a->how & RES0))
		CHECK_EQ(kt_exit_word(0), a->value);
	after = try(a->run);
	check_same(&before, &after);
}

/* A guest of 32 bits: EL0 is 64 bits wide again when it is out. */
static void run_width(void)
{
	extern const char guest_a32[];
	struct kt_guest g = kt_guest(1);
	struct outcome before = try(load_tagged), after;
	uint64_t regs[ABI_CTX_COUNT] = { 0 };

	CHECK_OK(sel4_ext_vcpu_set_exit_message(g.vcpu, 1));
	if (sel4_ext_vcpu_set_width(g.vcpu, 32) == ABI_RANGE_ERROR)
		return; /* no AArch32 here */
	regs[ABI_CTX_PC] = kt_guest_gpa(guest_a32);
	regs[ABI_CTX_SPSR] = 0x1d3;
	regs[ABI_CTX_X0] = 0x55aa;
	CHECK_OK(sel4_tcb_write_registers(g.tcb, 1, ABI_CTX_COUNT, regs));
	kt_guest_receive(&g);
	CHECK_EQ(EC(kt_exit_syndrome()), 0x12);
	after = try(load_tagged);
	check_same(&before, &after);
	CHECK_EQ(try(load_word).value, (uint32_t)data[0]);
}

static void run(unsigned i)
{
	if (i < ACTS)
		run_act(&table[i]);
	else
		run_width();
}

static const char width[] = "HCR_EL2.RW, its width";

static bool name(unsigned i, char *out, unsigned bytes)
{
	fmt_print(out, bytes, "hostile guest: %s", i < ACTS ? table[i].name : width);
	return true;
}

const struct kt_group kt_el0 = { NULL, ACTS + 1, run, name };
