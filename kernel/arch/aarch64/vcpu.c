/*
 * A guest's registers. Those that act on EL0 even under HCR_EL2.TGE ("eager")
 * are exchanged at every switch between a guest and a native thread; the rest
 * stays in the registers until another VCPU runs.
 */
#include <arch/vcpu.h>

#include <arch/gic.h>
#include <arch/plain.h>
#include <arch/sysreg.h>
#include <arch/types.h>
#include <arch/vspace.h>
#include <kernel/tcb.h>

/* Field, register. */
/* clang-format off */
#define LAZY_REGS(X)                                                                     \
	X(TTBR0_EL1, ttbr0_el1) X(TTBR1_EL1, ttbr1_el1)                                   \
	X(MAIR_EL1, mair_el1) X(AMAIR_EL1, amair_el1) X(CONTEXTIDR_EL1, contextidr_el1)  \
	X(ACTLR_EL1, actlr_el1) X(AFSR0_EL1, afsr0_el1) X(AFSR1_EL1, afsr1_el1)          \
	X(ESR_EL1, esr_el1) X(FAR_EL1, far_el1) X(PAR_EL1, par_el1) X(VBAR_EL1, vbar_el1) \
	X(TPIDR_EL1, tpidr_el1) X(VMPIDR_EL2, vmpidr_el2) X(SP_EL1, sp_el1)              \
	X(ELR_EL1, elr_el1) X(SPSR_EL1, spsr_el1) X(CNTV_CVAL, cntv_cval_el0)
#define EAGER_REGS(X)                                           \
	X(SCTLR_EL1, sctlr_el1) X(CPACR_EL1, cpacr_el1) X(TCR_EL1, tcr_el1) \
	X(CNTKCTL_EL1, cntkctl_el1) X(CNTV_CTL, cntv_ctl_el0)
/* clang-format on */
#define CNTV_CTL_MASK 3ull /* ENABLE, IMASK; ISTATUS is read-only */

bool vcpu_has_aarch32(unsigned el) { return (SYSREG_READ(id_aa64pfr0_el1) >> 4 * el & 15) == 2; }

static bool has_ras(void) { return SYSREG_READ(id_aa64pfr0_el1) >> 28 & 15; }

/* Positions from ABI_EXTV_DACR32 on. They exist where EL1 can be AArch32. */
/* clang-format off */
#define REGS32(X)                                                       \
	X(0, dacr32_el2) X(1, ifsr32_el2) X(2, spsr_abt) X(3, spsr_und) \
	X(4, spsr_irq) X(5, spsr_fiq)
/* clang-format on */

static void lazy_save(struct vcpu *v)
{
#define X(field, reg) v->regs[ABI_VCPU_##field] = SYSREG_READ(reg);
	LAZY_REGS(X)
#undef X
	v->csselr = SYSREG_READ(csselr_el1);
	if (has_ras())
		v->vdisr = SYSREG_READ(s3_4_c12_c1_1); /* VDISR_EL2 */
	if (vcpu_is_aarch32(v)) {
#define X(i, reg) v->regs32[i] = SYSREG_READ(reg);
		REGS32(X)
#undef X
	}
	vgic_save(&v->vgic);
}

static void lazy_load(const struct vcpu *v)
{
#define X(field, reg) SYSREG_WRITE(reg, v->regs[ABI_VCPU_##field]);
	LAZY_REGS(X)
#undef X
	SYSREG_WRITE(csselr_el1, v->csselr);
	SYSREG_WRITE(vpidr_el2, v->regs32[VCPU_VPIDR]);
	if (has_ras())
		SYSREG_WRITE(s3_4_c12_c1_1, v->vdisr);
	if (vcpu_is_aarch32(v)) {
#define X(i, reg) SYSREG_WRITE(reg, v->regs32[i]);
		REGS32(X)
#undef X
	}
	vgic_load(&v->vgic);
}

static void mask_vtimer(struct arch_cpu *cpu, bool masked)
{
	if (cpu->vtimer_masked == masked)
		return;
	if (masked)
		gic_mask(PPI_VIRTUAL_TIMER);
	else
		gic_unmask(PPI_VIRTUAL_TIMER);
	cpu->vtimer_masked = masked;
}

void vcpu_enter(struct vcpu *v)
{
	struct arch_cpu *cpu = arch_cpu();

	if (cpu->el1_owner != v) {
		if (cpu->el1_owner)
			vcpu_evict(cpu->el1_owner);
		lazy_load(v);
		cpu->el1_owner = v;
		if (v->direct.timer_listed)
			direct_timer_link(v, true);
	}
	/* Also if it is live already: an acknowledged timer may fire again. */
	mask_vtimer(cpu, v->vtimer_masked);
	if (arch_guest_live(cpu))
		return;
	asid_use_by_vcpu(v->id);
	SYSREG_WRITE(cnthctl_el2, CNTHCTL_GUEST);
	if (!SELVAGE_EXTENSIONS)
		plain_vcpu_enter(v);
	SYSREG_WRITE(cntvoff_el2, v->regs[ABI_VCPU_CNTVOFF]);
#define X(field, reg) SYSREG_WRITE(reg, v->regs[ABI_VCPU_##field]);
	EAGER_REGS(X)
#undef X
	vgic_enable(v->vgic.hcr);
	if (v->debug)
		debug_enter(v);
	SYSREG_WRITE(hcr_el2, v->hcr);
	cpu->holds |= ARCH_VCPU;
}

void vcpu_leave(void)
{
	struct arch_cpu *cpu = arch_cpu();
	struct vcpu *v = cpu->el1_owner;

	SYSREG_WRITE(hcr_el2, HCR_NATIVE);
#define X(field, reg) v->regs[ABI_VCPU_##field] = SYSREG_READ(reg);
	EAGER_REGS(X)
#undef X
	if (v->tcb)
		v->tcb->arch.context.tpidrro_el0 = SYSREG_READ(tpidrro_el0);
	if (v->direct.timer_listed)
		direct_timer_leave(v);
	vgic_disable();
	if (v->debug)
		debug_leave();
	/* Off, so that it cannot interrupt while the guest does not run. */
	SYSREG_WRITE(cntv_ctl_el0, 0);
	if (SELVAGE_EXTENSIONS)
		SYSREG_WRITE(cntvoff_el2, 0);
	else
		plain_vcpu_leave(v);
	SYSREG_WRITE(cnthctl_el2, CNTHCTL_NATIVE);
	SYSREG_WRITE(sctlr_el1, SCTLR_EL1_NATIVE);
	SYSREG_WRITE(tcr_el1, 0); /* TBI0 counts without stage 1, too */
	SYSREG_WRITE(cpacr_el1, CPACR_NATIVE);
	SYSREG_WRITE(cntkctl_el1, cpu->cntkctl);
	isb(); /* before another VTTBR_EL2 */
	cpu->holds &= ~(uint32_t)ARCH_VCPU;
}

void vcpu_evict(struct vcpu *v)
{
	struct arch_cpu *cpu = arch_cpu();

	if (cpu->el1_owner != v)
		return;
	if (arch_guest_live(cpu))
		vcpu_leave();
	lazy_save(v);
	cpu->el1_owner = NULL;
	if (v->direct.timer_listed)
		direct_timer_link(v, false);
}

void vcpu_init(struct vcpu *v)
{
	static uint64_t ids;

	v->id = ++ids;
	v->regs[ABI_VCPU_SCTLR_EL1] = SCTLR_EL1_RESET;
	v->regs[ABI_VCPU_ACTLR_EL1] = SYSREG_READ(actlr_el1);
	v->regs[ABI_VCPU_VMPIDR_EL2] = 1ull << 31; /* RES1; affinity 0 */
	v->regs32[VCPU_VPIDR] = SYSREG_READ(midr_el1);
	v->vgic.hcr = ICH_HCR_EN;
	v->hcr = HCR_GUEST;
	v->direct.next = v;
}

bool vcpu_set_aarch32(struct vcpu *v, bool on)
{
	if (on && !vcpu_has_aarch32(1))
		return false;
	vcpu_evict(v);
	v->hcr = on ? v->hcr & ~HCR_RW : v->hcr | HCR_RW;
	if (v->tcb)
		v->tcb->arch.context.spsr = spsr_sanitise(v->tcb->arch.context.spsr, v->tcb);
	return true;
}

/* An illegal mode would be an illegal return of ours. While the guest is
 * stepped, its next instruction is the one to leave behind. */
word_t spsr_sanitise(word_t spsr, const struct tcb *t)
{
	const struct vcpu *v = t->arch.vcpu;
	word_t mode = spsr & SPSR_MODE_MASK;

	if (!v)
		return (spsr & SPSR_NZCV) | SPSR_EL0T;
	word_t step = v->debug & ABI_EXT_DEBUG_STEP ? SPSR_SS : 0;
	if (mode == SPSR_AARCH32_USER ? vcpu_has_aarch32(0)
				      : vcpu_is_aarch32(v) && SPSR_AARCH32_EL1 >> mode & 1)
		return (spsr & SPSR_AARCH32_KEPT) | step;
	if (vcpu_is_aarch32(v))
		return (spsr & SPSR_AARCH32_KEPT & ~SPSR_MODE_MASK) | SPSR_AARCH32_SVC | step;
	if (mode != SPSR_EL0T && mode != SPSR_EL1T)
		mode = SPSR_EL1H;
	return (spsr & SPSR_AARCH64_KEPT) | mode | step;
}

void vcpu_unbind(struct vcpu *v)
{
	struct tcb *t = v->tcb;

	vcpu_evict(v);
	if (!t)
		return;
	t->arch.vcpu = NULL;
	t->arch.needs &= ~(uint32_t)ARCH_VCPU;
	v->tcb = NULL;
	/* A return to EL1 without a VCPU would be an illegal one. */
	t->arch.context.spsr = spsr_sanitise(t->arch.context.spsr, t);
}

void vcpu_bind(struct vcpu *v, struct tcb *t)
{
	if (t->arch.vcpu == v)
		return;
	if (v->tcb)
		vcpu_unbind(v);
	if (t->arch.vcpu)
		vcpu_unbind(t->arch.vcpu);
	v->tcb = t;
	t->arch.vcpu = v;
	t->arch.needs |= ARCH_VCPU;
	t->arch.context.spsr = spsr_sanitise(t->arch.context.spsr, t);
}

static bool is_owner(const struct vcpu *v) { return arch_cpu()->el1_owner == v; }

/* The invoker is native, so eager registers are in memory. */
word_t vcpu_read(struct vcpu *v, enum abi_vcpu_reg f)
{
	if (!is_owner(v))
		return v->regs[f];
	switch (f) {
#define X(field, reg)          \
	case ABI_VCPU_##field: \
		return SYSREG_READ(reg);
		LAZY_REGS(X)
#undef X
	default: return v->regs[f];
	}
}

void vcpu_write(struct vcpu *v, enum abi_vcpu_reg f, word_t value)
{
	if (f == ABI_VCPU_VMPIDR_EL2)
		value |= 1ull << 31;
	v->regs[f] = f == ABI_VCPU_CNTV_CTL ? value & CNTV_CTL_MASK : value;
	if (!is_owner(v))
		return;
	switch (f) {
#define X(field, reg)                          \
	case ABI_VCPU_##field:                 \
		SYSREG_WRITE(reg, v->regs[f]); \
		break;
		LAZY_REGS(X)
#undef X
	default:
		break;
	}
}
