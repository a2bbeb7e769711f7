/* Exit dispatch. */
#include "../../exits.h"

#include "arch.h"

#include <selvage/clock.h>

static void dispatch(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	switch (e->reason) {
	case VCPU_EXIT_PORT: port_exit(vc, e); break;
	case VCPU_EXIT_MMIO_OPAQUE: page_exit(vc, e); break;
	case VCPU_EXIT_WAIT_IRQ: halt_exit(vc, e); break;
	case VCPU_EXIT_IRQ_WINDOW: break; /* interrupt_deliver */
	case VCPU_EXIT_MSR: msr_exit(vc, e); break;
	case VCPU_EXIT_FEATURES: cpuid_exit(vc); break;
	case VCPU_EXIT_HYPERCALL: hypercall_exit(vc); break;
	case VCPU_EXIT_INSTRUCTION: instruction_exit(vc, e); break;
	case VCPU_EXIT_CONTROL: control_exit(vc, e); break;
	case VCPU_EXIT_UNDEFINED: undefined_exit(vc, e); break;
	case VCPU_EXIT_FETCH: fetch_exit(vc, e); break;
	case VCPU_EXIT_DEBUG: debug_exit(vc, e); break;
	case VCPU_EXIT_SHUTDOWN: report_stop(vc, e, "triple fault");
	case VCPU_EXIT_BAD_STATE: state_exit(vc, e); break;
	case VCPU_EXIT_TASK_SWITCH: report_stop(vc, e, "a task switch by hardware");
	default: report_stop(vc, e, "exit that nothing handles");
	}
}

/* What few exits need. */
__attribute__((noinline)) static void before_return(struct vm_vcpu *vc, const struct vcpu_exit *e,
						    uint64_t begun)
{
	struct vm *vm = vc->vm;
	const struct vcpu *v = &vc->cpu.cpu;

	if (vm->steps &&
	    (v->advance || (v->dirty & (vcpu_bit(VCPU_RIP) | vcpu_bit(VCPU_EVENT)))))
		vm->hooks.debug->stepped(vc);
	if (vm->stop)
		vm->hooks.debug->hold(vc, e);
	if (vm->timed)
		vm->stats->exit_ticks[e->reason] += clock_now() - begun;
}

/* Behind the instruction. */
__attribute__((noinline)) static void end_step(struct vcpu *v)
{
	vcpu_inject_step(v);
	v->advance = true;
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
		vm_lock(vm, vc);
		vm->stats->exits[e.reason]++;
		dispatch(vc, &e);
		if (vc->cpu.cpu.advance && is_stepped(vc))
			end_step(&vc->cpu.cpu);
		if (vc->cpu.cpu.failed)
			report_stop(vc, &e, "the kernel refused a transfer of registers");
		if (vm->pc.touched)
			pc_arm(vm);
		interrupt_deliver(vc, &e);
		if (vm->behind_exit != 0)
			before_return(vc, &e, begun);
		mutex_unlock(&vm->lock);
	}
}
