/*
 * Interrupts of the board into the vCPU. A vector is taken from the controllers
 * only when the guest takes it at once; else the kernel tells when it would.
 *
 * VCPU_IRQ is written under the lock and at once: what is only cached would
 * overwrite what the event thread has written meanwhile.
 */
#include "arch.h"

#include <selvage/log.h>

/* False: the kernel refused. */
static bool write_irq(struct vm_vcpu *vc, uint64_t value)
{
	uint64_t reg[VCPU_REGS];

	reg[VCPU_IRQ] = value;
	return vmx_write_set(&vc->cpu.vmx, vcpu_bit(VCPU_IRQ), reg) == ABI_OK;
}

static uint64_t read_irq(struct vm_vcpu *vc)
{
	uint64_t reg[VCPU_REGS] = { 0 };

	(void)vmx_read_set(&vc->cpu.vmx, vcpu_bit(VCPU_IRQ), reg);
	return reg[VCPU_IRQ];
}

static void want_window(struct vm_vcpu *vc)
{
	vc->window = write_irq(vc, ABI_VCPU_IRQ_WINDOW);
}

/* Out of the controllers. */
static uint8_t take(struct vm_vcpu *vc)
{
	const uint8_t vector = pc_irq_take(vc->vm);

	vm_trace(vc->vm, VMM_TRACED_INTERRUPT, (uint32_t)vector << 8 | vc->index);
	return vector;
}

/* One that has been given to the kernel and not been taken stays. */
bool interrupt_is_pending(struct vm_vcpu *vc)
{
	return read_irq(vc) & ABI_VCPU_IRQ_PENDING;
}

/* With the next entry, unless that brings another exception: with the one after it. The
 * guest's own IRET is no exit, so an NMI may come within the handler of an NMI. */
static void deliver_nmi(struct vm_vcpu *vc)
{
	struct vcpu *v = &vc->cpu.cpu;
	const bool advance = v->advance;

	if (vcpu_get(v, VCPU_EVENT) & ABI_VCPU_EVENT_VALID)
		return;
	vcpu_inject_nmi(v);
	v->advance = advance;
	vc->vm->pc.nmi = false;
}

/* An exception comes first, and its handler may keep interrupts off. */
static bool injects(const struct vcpu *v) { return v->dirty & vcpu_bit(VCPU_EVENT); }

void interrupt_deliver(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	if (vc->vm->pc.nmi)
		deliver_nmi(vc);
	if (e->reason == VCPU_EXIT_IRQ_WINDOW)
		vc->window = false;
	/* The one that is on its way comes first; its end is an exit. */
	if (vc->holds_irqs || vcpu_irq_is_pending(e) || !pc_irq_due(vc->vm))
		return;
	if (!vcpu_takes_irqs(e) || injects(&vc->cpu.cpu)) {
		if (!vc->window)
			want_window(vc);
		return;
	}
	vc->window = false;
	if (!write_irq(vc, ABI_VCPU_IRQ_PENDING | take(vc)))
		log_error("vCPU %u: an interrupt was refused", vc->index);
}

void interrupt_hold(struct vm_vcpu *vc)
{
	if (vc->holds_irqs)
		return;
	vc->held_irq = read_irq(vc);
	vc->holds_irqs = write_irq(vc, 0);
}

void interrupt_release(struct vm_vcpu *vc)
{
	if (!vc->holds_irqs)
		return;
	vc->holds_irqs = false;
	if (vc->held_irq == 0 && pc_irq_due(vc->vm))
		want_window(vc);
	else
		(void)write_irq(vc, vc->held_irq);
}

/* From the event thread: the vCPU does not execute now, but may have exited, and its
 * handler not yet have the lock. The exit comes first then, and may be what holds the
 * vector up (a write of the task priority): the kernel refuses it. */
void vm_deliver_irqs(struct vm *vm, struct vm_vcpu *self)
{
	struct vm_vcpu *vc = &vm->vcpu[0];
	const uint8_t vector = pc_irq_vector(vm);

	(void)self;
	if (!vc->started || vc->holds_irqs || !(vm->pc.nmi || pc_irq_due(vm)))
		return;
	if (vc->waiting) {
		sel4_signal(vc->wake);
	} else if (vc->window) {
		return; /* an exit comes */
	} else if (vector != 0 &&
		   write_irq(vc, ABI_VCPU_IRQ_PENDING | ABI_VCPU_IRQ_NOW | vector)) {
		(void)take(vc);
	} else if (!interrupt_is_pending(vc)) {
		want_window(vc);
	}
}
