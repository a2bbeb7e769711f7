/* HLT: the vCPU waits for an interrupt. */
#include "arch.h"

#include <stddef.h>

#define RFLAGS_IF (1u << 9)

static bool forbids_wait(struct vm_vcpu *vc)
{
	const struct debug_hooks *debug = vc->vm->hooks.debug;

	return debug != NULL && debug->forbids_wait(vc);
}

/* With interrupts off only an NMI wakes it, and the #DB of the instruction itself. One that
 * the kernel has is in service, and not the board's to know any more. What a debugger stops
 * stays at the instruction, and what it steps goes on behind it. */
void halt_exit(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	struct vcpu *v = &vc->cpu.cpu;
	const bool open = vcpu_get(v, VCPU_RFLAGS) & RFLAGS_IF;

	vcpu_advance(v);
	console_flush(&vc->vm->console);
	pc_arm(vc->vm);
	const bool ends = is_stepped(vc) || (open && vcpu_irq_is_pending(e) &&
					     interrupt_is_pending(vc));

	while (!ends && !vc->vm->pc.nmi && !(open && pc_irq_due(vc->vm)) && !forbids_wait(vc))
		(void)vm_vcpu_wait(vc);
	v->advance = !vc->vm->stop;
}
