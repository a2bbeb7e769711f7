/* EL2 control registers at boot, and the switch between threads. */
#include <abi/invocation.h>
#include <arch/boot.h>
#include <arch/gic.h>
#include <arch/link.h>
#include <arch/sysreg.h>
#include <arch/trap.h>
#include <arch/vcpu.h>
#include <arch/vspace.h>
#include <kernel/arch.h>
#include <kernel/cpu.h>

static unsigned field(word_t reg, unsigned shift) { return (unsigned)(reg >> shift) & 15; }

/* Performance monitors and the EL1 physical timer: for all native threads
 * (guests reach the monitors too then), or for none. */
void cpu_open_el0(bool open)
{
	unsigned pmu = field(SYSREG_READ(id_aa64dfr0_el1), 8);
	word_t mdcr = SYSREG_READ(mdcr_el2) | MDCR_TPM | MDCR_TPMCR;

	this_cpu()->arch.cntkctl = open ? CNTKCTL_NATIVE | CNTKCTL_EL0PTEN : CNTKCTL_NATIVE;
	SYSREG_WRITE(cntkctl_el1, this_cpu()->arch.cntkctl);
	SYSREG_WRITE(cntp_ctl_el0, 0);
	if (pmu && pmu != 15)
		SYSREG_WRITE(pmuserenr_el0, open ? PMUSERENR_ALL : 0);
	SYSREG_WRITE(mdcr_el2, open ? mdcr & ~(MDCR_TPM | MDCR_TPMCR) : mdcr);
}

/* Debug and trace: nobody's; every access traps. */
static void init_debug(void)
{
	unsigned pmu = field(SYSREG_READ(id_aa64dfr0_el1), 8);
	word_t mdcr = MDCR_TDA | MDCR_TDOSA | MDCR_TDRA | MDCR_TPMS | MDCR_TTRF;

	if (pmu && pmu != 15)
		mdcr |= SYSREG_READ(pmcr_el0) >> 11 & 31; /* HPMN: all counters */
	SYSREG_WRITE(mdcr_el2, mdcr);
	cpu_open_el0(SELVAGE_EXTENSIONS);
	SYSREG_WRITE(mdscr_el1, 0);
	SYSREG_WRITE(oslar_el1, 0); /* locked after reset: no debug event would come */
	SYSREG_WRITE(osdlr_el1, 0);
}

/* Undefined after reset where they exist: no extra features for EL1 and EL0
 * (HCRX_EL2), no fine-grained traps. */
static void init_fine_traps(void)
{
	if (field(SYSREG_READ(id_aa64mmfr1_el1), 40))
		SYSREG_WRITE(s3_4_c1_c2_2, 0); /* HCRX_EL2 */
	if (!field(SYSREG_READ(id_aa64mmfr0_el1), 56))
		return;
	SYSREG_WRITE(s3_4_c1_c1_4, 0); /* HFGRTR_EL2 */
	SYSREG_WRITE(s3_4_c1_c1_5, 0); /* HFGWTR_EL2 */
	SYSREG_WRITE(s3_4_c1_c1_6, 0); /* HFGITR_EL2 */
	SYSREG_WRITE(s3_4_c3_c1_4, 0); /* HDFGRTR_EL2 */
	SYSREG_WRITE(s3_4_c3_c1_5, 0); /* HDFGWTR_EL2 */
}

static word_t cptr_value(bool trap_fp)
{
	static word_t base;

	if (!base) {
		base = CPTR_BASE | CPTR_TTA;
		if (field(SYSREG_READ(id_aa64pfr0_el1), 44)) /* activity monitors */
			base |= CPTR_TAM;
	}
	return trap_fp ? base | CPTR_TFP : base;
}

static void set_facility(uint32_t *set, uint32_t facility, bool on)
{
	*set = on ? *set | facility : *set & ~facility;
}

static void fpu_open(struct arch_cpu *cpu, bool open)
{
	SYSREG_WRITE(cptr_el2, cptr_value(!open));
	isb();
	set_facility(&cpu->holds, ARCH_FPU, open);
}

void cpu_init_el2(void)
{
	struct arch_cpu *cpu = &this_cpu()->arch;

	SYSREG_WRITE(tpidr_el2, cpu);
	cpu->kernel_stack = (word_t)kernel_stack_top;
	SYSREG_WRITE(hcr_el2, HCR_NATIVE);
	SYSREG_WRITE(hstr_el2, 0);
	SYSREG_WRITE(actlr_el2, 0); /* the core's own controls are not EL1's */
	SYSREG_WRITE(vtcr_el2, stage2_vtcr());
	SYSREG_WRITE(sctlr_el1, SCTLR_EL1_NATIVE);
	SYSREG_WRITE(tcr_el1, 0);
	SYSREG_WRITE(cpacr_el1, CPACR_NATIVE);
	SYSREG_WRITE(cnthctl_el2, CNTHCTL_NATIVE);
	SYSREG_WRITE(cntvoff_el2, 0);
	SYSREG_WRITE(cntv_ctl_el0, 0);
	SYSREG_WRITE(cnthp_ctl_el2, 0);
	init_debug();
	init_fine_traps();
	fpu_open(cpu, false);
	cpu->asid_generation = 1; /* no thread knows its own yet */
	cpu->vttbr = asid_empty_vttbr();
	SYSREG_WRITE(vttbr_el2, cpu->vttbr);
	isb();
	/* Whatever VMIDs meant before us. */
	__asm__ volatile("tlbi alle1\n\tdsb nsh\n\tisb" ::
				 : "memory");
}

/* --- FPU: registers stay with their last user until another one traps --- */
static bool is_aarch32(const struct tcb *t)
{
	return t->arch.vcpu && vcpu_is_aarch32(t->arch.vcpu);
}

static void fpu_disown(struct arch_cpu *cpu)
{
	if (cpu->fpu_owner)
		set_facility(&cpu->fpu_owner->arch.needs, ARCH_FPU, false);
	cpu->fpu_owner = NULL;
}

/* The owner needs them open, unless it may not use them. */
static void fpu_update(struct tcb *t)
{
	set_facility(&t->arch.needs, ARCH_FPU, arch_cpu()->fpu_owner == t && !t->arch.fpu_disabled);
}

static void fpu_exchange(struct tcb *from, struct tcb *to)
{
	if (from) {
		fpu_save(&from->arch.fpu);
		if (is_aarch32(from))
			from->arch.fpu.fpexc = SYSREG_READ(fpexc32_el2);
	}
	fpu_load(&to->arch.fpu);
	if (is_aarch32(to))
		SYSREG_WRITE(fpexc32_el2, to->arch.fpu.fpexc);
}

void fpu_take(struct tcb *t)
{
	struct arch_cpu *cpu = arch_cpu();
	struct tcb *before = cpu->fpu_owner;

	fpu_open(cpu, true);
	if (before != t) {
		fpu_exchange(before, t);
		fpu_disown(cpu);
		cpu->fpu_owner = t;
	}
	fpu_update(t);
}

/* --- switching --- */
static void open_timer(struct arch_cpu *cpu, bool open)
{
	/* A guest's CNTKCTL_EL1 is its own; closing precedes its load. */
	SYSREG_WRITE(cntkctl_el1, open ? cpu->cntkctl | CNTKCTL_EL0PTEN : cpu->cntkctl);
	set_facility(&cpu->holds, ARCH_TIMER, open);
}

static COLD word_t find_vttbr(struct tcb *t)
{
	struct cap c = t->slots[TCB_VSPACE].cap;

	t->arch.vttbr = cap_type(c) == CAP_VSPACE ? asid_vttbr(cap_map_asid(c), cap_addr(c))
						  : asid_empty_vttbr();
	t->arch.vspace = c.w0;
	t->arch.asid_generation = arch_cpu()->asid_generation;
	return t->arch.vttbr;
}

static inline word_t vttbr_of(const struct arch_cpu *cpu, struct tcb *t)
{
	if (likely(t->slots[TCB_VSPACE].cap.w0 == t->arch.vspace &&
		   t->arch.asid_generation == cpu->asid_generation))
		return t->arch.vttbr;
	return find_vttbr(t);
}

static NOINLINE struct tcb *switch_facilities(struct arch_cpu *cpu, struct tcb *t)
{
	struct vcpu *v = t->arch.vcpu;
	/* A guest's timer controls are its own. */
	uint32_t needs = v ? t->arch.needs & ~(uint32_t)ARCH_TIMER : t->arch.needs;
	uint32_t change = needs ^ cpu->holds;

	/* The guest's stage 1 must never meet another's stage 2. */
	if (arch_guest_live(cpu) && cpu->el1_owner != v)
		vcpu_leave();
	asid_load_vttbr(vttbr_of(cpu, t));
	if (change & ARCH_TIMER)
		open_timer(cpu, needs & ARCH_TIMER);
	if (!arch_guest_live(cpu))
		SYSREG_WRITE(tpidrro_el0, t->arch.context.tpidrro_el0);
	if (v)
		vcpu_enter(v);
	if (change & ARCH_FPU)
		fpu_open(cpu, needs & ARCH_FPU);
	return t;
}

struct tcb *arch_switch_to(struct tcb *t)
{
	struct arch_cpu *cpu = arch_cpu();

	if (t->arch.needs | cpu->holds)
		return switch_facilities(cpu, t);
	/* Between native threads the return to EL0 is synchronisation enough. */
	cpu->vttbr = vttbr_of(cpu, t);
	SYSREG_WRITE(vttbr_el2, cpu->vttbr);
	SYSREG_WRITE(tpidrro_el0, t->arch.context.tpidrro_el0);
	return t;
}

void arch_space_changed(struct tcb *t)
{
	if (this_cpu()->current != t)
		return;
	(void)arch_switch_to(t);
	isb();
}

void arch_switch_to_idle(void)
{
	if (arch_guest_live(arch_cpu()))
		vcpu_leave();
}

void arch_tcb_destroy(struct tcb *t)
{
	struct arch_cpu *cpu = arch_cpu();

	if (t->arch.vcpu)
		vcpu_unbind(t->arch.vcpu);
	if (cpu->fpu_owner == t) {
		fpu_disown(cpu);
		fpu_open(cpu, false);
	}
}

void arch_tcb_flags_changed(struct tcb *t)
{
	t->arch.fpu_disabled = t->flags & ABI_TCB_FLAG_FPU_DISABLED;
	fpu_update(t);
	arch_space_changed(t);
}
