/* Exit dispatch. */
#include "exits.h"

#include "arch.h"
#include "insn.h"
#include "report_arch.h"

#include <selvage/clock.h>
#include <selvage/log.h>

static unsigned long long pc_of(struct vm_vcpu *vc)
{
	return vcpu_get(&vc->cpu.cpu, VCPU_PC);
}

__attribute__((cold, noinline)) static void refuse_access(struct vm_vcpu *vc,
							  const struct vcpu_exit *e)
{
	report_note(vc, e, "device register used in a wrong way: data abort");
	vcpu_inject_abort(&vc->cpu.cpu, e->gva, false);
}

__attribute__((noinline)) static void
opaque_exit(struct vm *vm, struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	const struct bus_region *r = bus_find(&vm->bus, e->gpa);
	const char *why = NULL;

	if ((e->syndrome & REPORT_S1PTW) || r == NULL)
		report_stop(vc, e, "access to an address where nothing is");
	if (r->absent) {
		refuse_access(vc, e);
		return;
	}
	why = insn_emulate(vc, e);
	if (why != NULL)
		report_stop(vc, e, why);
}

static void mmio_exit(struct vm *vm, struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	const struct bus_region *r = bus_find(&vm->bus, e->gpa);
	enum mmio_outcome outcome;
	struct mmio m;

	if (r == NULL)
		report_stop(vc, e, "access to an address where nothing is");
	if (vc->cpu.cpu.narrow && insn_is_misdescribed(&vc->cpu.cpu, e)) {
		opaque_exit(vm, vc, e);
		return;
	}
	m.size = e->size;
	m.write = e->write;
	m.value = e->value;
	outcome = bus_access(r, e->gpa, vc->index, &m);
	if (outcome != MMIO_HANDLED)
		vm_misuse(vc, r->name, r, &m);
	if (outcome == MMIO_FAULT) {
		refuse_access(vc, e);
		return;
	}
	/* No wider than a narrow register: it is not cut (vcpu_set_x). */
	if (!e->write && e->reg < VCPU_NO_REG)
		vcpu_set(&vc->cpu.cpu, VCPU_X0 + e->reg, vcpu_extend(e, m.value));
	vcpu_advance(&vc->cpu.cpu);
}

static void undefined_exit(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	unsigned long long n = vm_count(vc->vm, NULL, vcpu_esr_class(e->syndrome));

	if (n != 0)
		log_warning("vCPU %u: %s at %llx: undefined instruction injected (%llu so far)",
			    vc->index, vcpu_esr_class(e->syndrome), pc_of(vc), n);
	report_note(vc, e, "trapped instruction: undefined");
	vcpu_inject_undefined(&vc->cpu.cpu);
}

static void maintenance_exit(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	vgic_maintenance(&vc->vm->gic, vc->index,
			 e->code == VCPU_NO_INDEX ? -1 : (int)e->code);
}

static void dispatch(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	if (e->skip) {
		vcpu_advance(&vc->cpu.cpu);
		return;
	}
	switch (e->reason) {
	case VCPU_EXIT_SYSREG:
		sysreg_exit(vc, e);
		break;
	case VCPU_EXIT_TIMER:
		vtimer_exit(vc, e->code);
		console_flush(&vc->vm->console);
		break;
	case VCPU_EXIT_MAINTENANCE:
		maintenance_exit(vc, e);
		break;
	case VCPU_EXIT_WAIT_IRQ:
		vcpu_advance(&vc->cpu.cpu);
		wfi_block(vc);
		break;
	case VCPU_EXIT_WAIT_EVENT:
		vcpu_advance(&vc->cpu.cpu);
		vm_vcpu_yield(vc);
		break;
	case VCPU_EXIT_SECURE_CALL:
		secure_call_exit(vc, e);
		break;
	case VCPU_EXIT_UNDEFINED:
		undefined_exit(vc, e);
		break;
	case VCPU_EXIT_FETCH:
		if (vtime_probed(vc, e))
			break;
		report_stop(vc, e, "instruction fetch where no memory is");
	case VCPU_EXIT_MMIO_OPAQUE:
		opaque_exit(vc->vm, vc, e);
		break;
	case VCPU_EXIT_DEBUG:
		if (vc->vm->hooks.debug != NULL) {
			vc->vm->hooks.debug->event(vc, e);
			break;
		}
		if (vc->vm->hooks.breakpoint != NULL && vc->vm->hooks.breakpoint(vc, e))
			break;
		/* fall through */
	default:
		report_stop(vc, e, "exit that nothing handles");
	}
}

/* What few exits need. */
__attribute__((noinline)) static void before_return(struct vm_vcpu *vc, const struct vcpu_exit *e,
						    uint64_t begun)
{
	if (vc->vm->time_stands)
		vtime_resume(vc);
	if (vc->vm->stop)
		vc->vm->hooks.debug->hold(vc, e);
	if (vc->vm->timed)
		vc->vm->stats->exit_ticks[e->reason] += clock_now() - begun;
}

_Noreturn void exits_handler(void *arg)
{
	struct vm_vcpu *vc = arg;
	struct vm *vm = vc->vm;
	struct vcpu_exit e;
	uint64_t begun;

	for (;;) {
		vcpu_run(&vc->cpu.cpu, &e);
		begun = clock_about();
		if (vm->features == 0)
			vtime_exit(vc);
		vm_lock(vm, vc);
		vm->stats->exits[e.reason]++;
		if (e.reason == VCPU_EXIT_MMIO)
			mmio_exit(vm, vc, &e);
		else if (e.reason == VCPU_EXIT_HYPERCALL)
			hypercall_exit(vc);
		else
			dispatch(vc, &e);
		if (vc->cpu.cpu.failed)
			report_stop(vc, &e, "the kernel refused a transfer of registers");
		if (vgic_work(&vm->gic) != 0)
			vm_deliver_irqs(vm, vc);
		if (vm->behind_exit != 0)
			before_return(vc, &e, begun);
		mutex_unlock(&vm->lock);
	}
}
