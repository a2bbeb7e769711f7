/* HLT: the vCPU waits for an interrupt. */
#include "arch.h"

#include <stddef.h>

#define RFLAGS_IF (1u << 9)

static bool forbids_wait(struct vm_vcpu *vc)
{
	const struct debug_hooks *debug = vc->vm->hooks.debug;

	return debug != NULL && debug->forbids_wait(vc);
}

/* With interrupts off only an NMI wakes it. What a debugger stops stays at the
 * instruction, and what it steps goes on behind it. */
void halt_exit(struct vm_vcpu *vc)
{
	struct vcpu *v = &vc->cpu.cpu;
	const bool open = vcpu_get(v, VCPU_RFLAGS) & RFLAGS_IF;

	vcpu_advance(v);
	console_flush(&vc->vm->console);
	pc_arm(vc->vm);
	while (!vc->vm->pc.nmi && !(open && pc_irq_due(vc->vm)) && !forbids_wait(vc))
		(void)vm_vcpu_wait(vc);
	v->advance = !vc->vm->stop;
}
