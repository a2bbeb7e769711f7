/*
 * Interrupts of the board into the vCPU. A vector is taken from the controllers
 * only when the guest takes it at once; else the kernel tells when it would.
 *
 * VCPU_IRQ is written under the lock and at once: what is only cached would
 * overwrite what the event thread has written meanwhile.
 */
#include "arch.h"

#include <selvage/log.h>

static void set_irq(struct vm_vcpu *vc, uint64_t value)
{
	uint64_t reg[VCPU_REGS];

	reg[VCPU_IRQ] = value;
	if (sel4_vcpu_write_set(vc->cpu.caps.vcpu, vcpu_bit(VCPU_IRQ), reg) != ABI_OK)
		log_error("vCPU %u: an interrupt was refused", vc->index);
	vc->window = value == ABI_VCPU_IRQ_WINDOW;
}

void interrupt_deliver(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	struct vm *vm = vc->vm;

	if (e->reason == VCPU_EXIT_IRQ_WINDOW)
		vc->window = false;
	/* The one that is on its way comes first; its end is an exit. */
	if (vcpu_irq_is_pending(e) || !pc_irq_due(vm))
		return;
	if (!vcpu_takes_irqs(e)) {
		if (!vc->window)
			set_irq(vc, ABI_VCPU_IRQ_WINDOW);
		return;
	}
	const uint8_t vector = pc_irq_take(vm);

	vm_trace(vm, VMM_TRACED_INTERRUPT, (uint32_t)vector << 8 | vc->index);
	set_irq(vc, ABI_VCPU_IRQ_PENDING | vector);
}

/* One that has been given to the kernel and not been taken stays. */
static bool is_pending(struct vm_vcpu *vc)
{
	uint64_t reg[VCPU_REGS];

	return sel4_vcpu_read_set(vc->cpu.caps.vcpu, vcpu_bit(VCPU_IRQ), reg) == ABI_OK &&
	       (reg[VCPU_IRQ] & ABI_VCPU_IRQ_PENDING);
}

/* From the event thread: the vCPU does not execute now. */
void vm_deliver_irqs(struct vm *vm, struct vm_vcpu *self)
{
	struct vm_vcpu *vc = &vm->vcpu[0];

	(void)self;
	if (!vc->started || !pc_irq_due(vm))
		return;
	if (vc->waiting)
		sel4_signal(vc->wake);
	else if (!vc->window && !is_pending(vc))
		set_irq(vc, ABI_VCPU_IRQ_WINDOW);
}
