/*
 * The kick device of a PC, for benchmarks and tests: a byte written to its first
 * port signals a notification that nobody waits for; one to its second makes the
 * event thread raise an edge-triggered interrupt. Both are doorbells.
 */
#include "arch.h"

#define DOORBELL_PORT 0xb00u
#define KICK_PORT 0xb04u
#define LINE 15u
#define SOURCE 0u /* alone on its line */

static const char *init(struct vm *vm)
{
	const cap_t vcpu = vm->vcpu[0].cpu.caps.vcpu;

	if (sel4_ext_vcpu_set_doorbell(vcpu, 0, DOORBELL_PORT, ABI_DOORBELL_PORT | 1, 0,
				       VMM_CAP_DOORBELL) != ABI_OK ||
	    sel4_ext_vcpu_set_doorbell(vcpu, 1, KICK_PORT, ABI_DOORBELL_PORT | 1, 0,
				       VMM_CAP_KICK) != ABI_OK)
		return "a kick device, for which the kernel has no doorbells";
	vm->n_doorbells = 2;
	return NULL;
}

static uint64_t event(struct vm *vm, uint64_t badges)
{
	if (!(badges & VMM_NTFN_KICK))
		return 0;
	mutex_lock(&vm->lock);
	vm->handler = NULL;
	pc_irq_set(&vm->pc.irq, LINE, SOURCE, true);
	pc_irq_set(&vm->pc.irq, LINE, SOURCE, false);
	vm_deliver_irqs(vm, NULL);
	mutex_unlock(&vm->lock);
	return 0;
}

const struct vm_part part_pc_kick = { .init = init, .event = event };
