/* From an exception to the core's entry functions. */
#include <arch/gic.h>
#include <arch/plain.h>
#include <arch/sysreg.h>
#include <arch/trap.h>
#include <arch/vcpu.h>
#include <kernel/arch.h>
#include <kernel/cpu.h>
#include <kernel/debug.h>
#include <kernel/entry.h>
#include <kernel/trace.h>

#define CNTV_ASSERTED 5 /* CNTV_CTL_EL0: ENABLE, ISTATUS, not IMASK */

static void maintenance(struct tcb *t)
{
	struct fault f = { .kind = ABI_FAULT_VGIC_MAINTENANCE, .word = { ~0ull } };
	uint32_t eoi = vgic_eoi_lrs(), told;

	gic_end(PPI_MAINTENANCE);
	if (!t || !t->arch.vcpu || !arch_guest_live(arch_cpu())) {
		irq_other();
		return;
	}
	told = direct_maintenance(t->arch.vcpu, eoi);
	if (eoi && !told)
		return;
	eoi = told;
	/* Without budget it stays asserted and comes again. */
	if (!fault_begin())
		return;
	if (eoi) {
		unsigned i = (unsigned)__builtin_ctz(eoi);
		f.word[0] = i;
		/* Reported once: the register no longer asks for it. */
		vgic_write_lr(i, vgic_read_lr(i) & ~LR_EOI);
	}
	fault_commit(&f);
}

/* The guest's timer is masked until its VMM acknowledges. */
static void virtual_timer(struct tcb *t)
{
	struct fault f = { .kind = ABI_FAULT_VPPI_EVENT, .word = { PPI_VIRTUAL_TIMER } };

	if (!t || !t->arch.vcpu || !arch_guest_live(arch_cpu()) ||
	    (SYSREG_READ(cntv_ctl_el0) & 7) != CNTV_ASSERTED) {
		/* Another guest's, seen late: its timer is off now. */
		gic_end(PPI_VIRTUAL_TIMER);
		irq_other();
		return;
	}
	gic_end(PPI_VIRTUAL_TIMER);
	if (direct_vtimer(t->arch.vcpu))
		return;
	if (!fault_begin())
		return;
	t->arch.vcpu->vtimer_masked = true;
	arch_cpu()->vtimer_masked = true;
	gic_mask(PPI_VIRTUAL_TIMER);
	fault_commit(&f);
}

static void interrupt(void)
{
	struct tcb *t = this_cpu()->current;
	irq_t irq = gic_acknowledge();

	switch (irq) {
	case PPI_HYP_TIMER:
		SYSREG_WRITE(cnthp_ctl_el2, 0);
		isb();
		gic_end(irq);
		timer_handle();
		break;
	case PPI_VIRTUAL_TIMER:
		virtual_timer(t);
		break;
	case PPI_MAINTENANCE:
		maintenance(t);
		break;
	default:
		if (irq >= INTID_SPECIAL)
			irq_other();
		else
			irq_handle(irq);
	}
}

struct tcb *arch_next(void)
{
	while (!this_cpu()->current) {
		if (trace_is_on())
			trace_event(NULL, ABI_TRACE_IDLE, 0);
		__asm__ volatile("dsb sy\n\twfi\n\tisb" ::
					 : "memory");
		if (arch_irq_pending())
			interrupt();
	}
	return this_cpu()->current;
}

/* An abort's guest-physical address. HPFAR_EL2 is not valid for a permission
 * fault outside a stage-1 walk: then the stage-1 translation is repeated.
 * False if that fails now: the guest changed its tables, let it try again. */
static bool fault_ipa(word_t esr, word_t far, word_t *ipa)
{
	if (FSC_TYPE(esr) == FSC_PERMISSION && !(esr & ISS_S1PTW)) {
		word_t par = SYSREG_READ(par_el1);
		__asm__ volatile("at s1e1r, %0\n\tisb" ::"r"(far)
				 : "memory");
		word_t result = SYSREG_READ(par_el1);
		SYSREG_WRITE(par_el1, par);
		if (result & 1)
			return false;
		*ipa = (result & 0x000ffffffffff000ull) | (far & 0xfff);
		return true;
	}
	*ipa = (SYSREG_READ(hpfar_el2) & ~0xfull) << 8;
	if (!(esr & ISS_S1PTW))
		*ipa |= far & 0xfff;
	return true;
}

static COLD struct tcb *try_again(void)
{
	irq_other();
	return arch_next();
}

static NOINLINE struct tcb *fpu_trap(struct tcb *t)
{
	fpu_take(t);
	return t;
}

/* Without the exit message: the ABI's faults. */
static struct tcb *guest_trap_plain(struct tcb *t, word_t esr, word_t ipa)
{
	switch (ESR_EC(esr)) {
	case EC_DABT_LOWER:
	case EC_IABT_LOWER:
		return fault_current(t, ABI_FAULT_VM, ipa, ESR_EC(esr) == EC_IABT_LOWER, esr);
	case EC_HVC32:
	case EC_HVC64: /* never a system call, whatever x7 holds */
		return fault_current(t, ABI_FAULT_UNKNOWN_SYSCALL, t->arch.context.x[7], 0, 0);
	default: return fault_current(t, ABI_FAULT_VCPU, esr, 0, 0);
	}
}

static bool may_ring(const struct vcpu *v) { return v->n_bells || v->direct.sgir; }

static NOINLINE struct tcb *guest_trap(struct tcb *t, word_t esr)
{
	struct arch_context *ctx = &t->arch.context;
	word_t ipa = 0, va = 0;

	switch (ESR_EC(esr)) {
	case EC_DABT_LOWER:
	case EC_IABT_LOWER:
		va = SYSREG_READ(far_el2);
		if (!fault_ipa(esr, va, &ipa))
			return try_again();
		if (ESR_EC(esr) == EC_DABT_LOWER && may_ring(t->arch.vcpu) &&
		    doorbell_ring(t->arch.vcpu, ctx, esr, ipa))
			return arch_next();
		break;
	case EC_FP:
		if (!t->arch.fpu_disabled)
			return fpu_trap(t);
		break;
	case EC_SYSREG:
		if (direct_sysreg(t->arch.vcpu, ctx, esr))
			return arch_next();
		break;
	case EC_WATCHPOINT_LOWER:
		va = SYSREG_READ(far_el2);
		break;
	case EC_HVC32:
	case EC_HVC64:
		ctx->fault_ip = ctx->elr - 4;
		if (!SELVAGE_EXTENSIONS && plain_is_call(ctx->x[7]))
			return syscall_handle(t, (int64_t)ctx->x[7]);
		break;
	}
	if (t->arch.vcpu->exit_message)
		return fault_current(t, ABI_EXT_FAULT_EXIT, esr, ipa, va);
	return guest_trap_plain(t, esr, ipa);
}

static struct tcb *native_trap(struct tcb *t, word_t esr)
{
	unsigned ec = ESR_EC(esr);

	if (ec == EC_FP && !t->arch.fpu_disabled)
		return fpu_trap(t);
	if (ec == EC_DABT_LOWER || ec == EC_IABT_LOWER)
		return fault_current(t, ABI_FAULT_VM, SYSREG_READ(far_el2), ec == EC_IABT_LOWER,
				     esr);
	return fault_current(t, ABI_FAULT_USER_EXCEPTION, esr, 0, 0);
}

static struct tcb *synchronous(struct tcb *t)
{
	struct arch_context *ctx = &t->arch.context;
	word_t esr = SYSREG_READ(esr_el2);

	/* HCR_EL2.TGE is set: it comes from a native thread. */
	if (likely(ESR_EC(esr) == EC_SVC64)) {
		ctx->fault_ip = ctx->elr - 4;
		if (unlikely(t->arch.syscall_fault))
			return fault_current(t, ABI_FAULT_UNKNOWN_SYSCALL, ctx->x[7], 0, 0);
		return syscall_handle(t, (int64_t)ctx->x[7]);
	}
	ctx->fault_ip = ctx->elr;
	return t->arch.vcpu ? guest_trap(t, esr) : native_trap(t, esr);
}

static struct tcb *asynchronous(struct tcb *t)
{
	t->arch.context.fault_ip = t->arch.context.elr;
	interrupt();
	return arch_next();
}

/* An external abort: charged to the thread that was running. */
static struct tcb *serror(struct tcb *t)
{
	word_t esr = SYSREG_READ(esr_el2);

	t->arch.context.fault_ip = t->arch.context.elr;
	return fault_current(t, t->arch.vcpu ? ABI_FAULT_VCPU : ABI_FAULT_USER_EXCEPTION, esr, 0,
			     0);
}

_Static_assert(offsetof(struct tcb, arch.context) == 0, "entry.S");
static inline struct tcb *checked(struct tcb *next)
{
	invariants_check();
	return next;
}

struct tcb *trap_sync(struct tcb *t) { return checked(synchronous(t)); }
struct tcb *trap_irq(struct tcb *t) { return checked(asynchronous(t)); }
struct tcb *trap_serror(struct tcb *t) { return checked(serror(t)); }
struct tcb *trap_first(void) { return checked(arch_next()); }
