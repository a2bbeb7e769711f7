/* From an exception to the core's entry functions. */
#include <abi/syscall.h>
#include <arch/gic.h>
#include <arch/plain.h>
#include <arch/sysreg.h>
#include <arch/trap.h>
#include <arch/vcpu.h>
#include <kernel/arch.h>
#include <kernel/cpu.h>
#include <kernel/debug.h>
#include <kernel/entry.h>
#include <kernel/fastpath.h>
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

/* The context to restore; waits for interrupts while there is none. */
static struct arch_context *next_context(void)
{
	while (!this_cpu()->current) {
		if (trace_is_on())
			trace_event(NULL, ABI_TRACE_IDLE, 0);
		__asm__ volatile("dsb sy\n\twfi\n\tisb" ::
					 : "memory");
		if (arch_irq_pending())
			interrupt();
	}
	invariants_check();
	return &this_cpu()->current->arch.context;
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

/* The current vCPU's exit as an exit message. */
static void exit_fault(word_t esr, word_t ipa, word_t va)
{
	struct fault f = { .kind = ABI_EXT_FAULT_EXIT, .word = { esr, ipa, va } };

	fault_current(&f);
}

static void guest_abort(struct tcb *t, word_t esr, bool fetch)
{
	word_t ipa, va = SYSREG_READ(far_el2);

	if (!fault_ipa(esr, va, &ipa)) {
		irq_other();
		return;
	}
	if (!fetch && doorbell_ring(t->arch.vcpu, &t->arch.context, esr, ipa))
		return;
	if (t->arch.vcpu->exit_message) {
		exit_fault(esr, ipa, va);
		return;
	}
	struct fault f = { .kind = ABI_FAULT_VM, .word = { ipa, fetch, esr } };
	fault_current(&f);
}

static void guest_trap(struct tcb *t, word_t esr)
{
	struct arch_context *ctx = &t->arch.context;
	struct fault f = { .kind = ABI_FAULT_VCPU, .word = { esr } };

	switch (ESR_EC(esr)) {
	case EC_DABT_LOWER:
		guest_abort(t, esr, false);
		return;
	case EC_IABT_LOWER:
		guest_abort(t, esr, true);
		return;
	case EC_STEP_LOWER:
		ctx->spsr |= SPSR_SS; /* the next one, too */
		break;
	case EC_SYSREG:
		if (direct_sysreg(t->arch.vcpu, ctx, esr))
			return;
		break;
	case EC_HVC32:
	case EC_HVC64:
		ctx->fault_ip = ctx->elr - 4;
		if (!SELVAGE_EXTENSIONS && plain_guest_call(ctx->x[7]))
			return;
		/* Never a system call, whatever x7 holds. */
		f.kind = ABI_FAULT_UNKNOWN_SYSCALL;
		f.word[0] = ctx->x[7];
		break;
	}
	if (t->arch.vcpu->exit_message)
		exit_fault(esr, 0, ESR_EC(esr) == EC_WATCHPOINT_LOWER ? SYSREG_READ(far_el2) : 0);
	else
		fault_current(&f);
}

static void native_trap(word_t esr)
{
	struct fault f = { .kind = ABI_FAULT_USER_EXCEPTION, .word = { esr, 0 } };
	unsigned ec = ESR_EC(esr);

	if (ec == EC_DABT_LOWER || ec == EC_IABT_LOWER) {
		f.kind = ABI_FAULT_VM;
		f.word[0] = SYSREG_READ(far_el2);
		f.word[1] = ec == EC_IABT_LOWER;
		f.word[2] = esr;
	}
	fault_current(&f);
}

static NOINLINE struct arch_context *general_call(int64_t nr)
{
	syscall_handle(nr);
	return next_context();
}

static COLD struct arch_context *faulting_call(int64_t nr)
{
	syscall_fault(nr);
	return next_context();
}

/* HCR_EL2.TGE is set: it comes from a native thread. */
static inline struct arch_context *system_call(struct tcb *t)
{
	int64_t nr = (int64_t)t->arch.context.x[7];
	struct tcb *next = NULL;

	if (unlikely(t->arch.syscall_fault))
		return faulting_call(nr);
	if (nr == ABI_SYS_CALL)
		next = fastpath_call(t);
	else if (nr == ABI_SYS_REPLY_RECV)
		next = fastpath_reply_recv(t);
	if (!next)
		return general_call(nr);
	invariants_check();
	return &next->arch.context;
}

static NOINLINE struct arch_context *other_trap(struct arch_context *ctx, word_t esr)
{
	struct tcb *t = this_cpu()->current;

	if (ESR_EC(esr) == EC_FP && !t->arch.fpu_disabled) {
		fpu_take(t);
		return ctx;
	}
	if (t->arch.vcpu)
		guest_trap(t, esr);
	else
		native_trap(esr);
	return next_context();
}

struct arch_context *trap_sync(struct arch_context *ctx)
{
	word_t esr = SYSREG_READ(esr_el2);

	if (likely(ESR_EC(esr) == EC_SVC64)) {
		ctx->fault_ip = ctx->elr - 4;
		return system_call((struct tcb *)ctx);
	}
	ctx->fault_ip = ctx->elr;
	return other_trap(ctx, esr);
}

struct arch_context *trap_irq(struct arch_context *ctx)
{
	ctx->fault_ip = ctx->elr;
	interrupt();
	return next_context();
}

/* An asynchronous external abort: charged to the thread that was running. */
struct arch_context *trap_serror(struct arch_context *ctx)
{
	word_t esr = SYSREG_READ(esr_el2);
	struct fault f = { .kind = ABI_FAULT_USER_EXCEPTION, .word = { esr, 0 } };

	ctx->fault_ip = ctx->elr;
	if (this_cpu()->current->arch.vcpu)
		f.kind = ABI_FAULT_VCPU;
	fault_current(&f);
	return next_context();
}

struct arch_context *trap_first(void) { return next_context(); }
