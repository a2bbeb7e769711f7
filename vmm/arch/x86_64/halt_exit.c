/* HLT: the vCPU waits for an interrupt. */
#include "arch.h"

#define RFLAGS_IF (1u << 9)

/* With interrupts off only an NMI wakes it. */
void halt_exit(struct vm_vcpu *vc)
{
	struct vcpu *v = &vc->cpu.cpu;
	const bool open = vcpu_get(v, VCPU_RFLAGS) & RFLAGS_IF;

	vcpu_advance(v);
	console_flush(&vc->vm->console);
	pc_arm(vc->vm);
	if (open && interrupt_was_given(vc))
		return;
	while (!vc->vm->pc.nmi && !(open && pc_irq_due(vc->vm)))
		(void)vm_vcpu_wait(vc);
}
