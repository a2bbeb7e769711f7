/*
 * Devices of the machine that the guest has: init has mapped their registers for it,
 * and the handlers of their interrupts are ours. An interrupt of the device becomes the
 * guest's of the same number. It is level-triggered: the kernel keeps it masked from its
 * arrival until the guest has ended the virtual one; if the device still asks for
 * attention then, it comes again. So a device takes no more of our time than its guest
 * gives to its interrupts.
 */
#include "arch/aarch64/arch.h"

#include <selvage/log.h>

/* The guest is done with it; whether the device is, the next interrupt tells. */
static void eoi(struct vm *vm, unsigned vcpu, unsigned irq)
{
	const struct sysdesc_vm *d = &vm->info->vm;

	for (unsigned i = 0; i < d->n_passthrough; i++) {
		if (d->passthrough[i].irq != irq)
			continue;
		vgic_set_level(&vm->gic, vcpu, irq, false);
		(void)sel4_irq_handler_ack(VMM_CAP_PASSTHROUGH(i));
	}
}

static void install(struct vm *vm) { vm->hooks.eoi = eoi; }

/* The devicetree says where they are, as of emulated ones. */
static const char *init(struct vm *vm)
{
	const struct sysdesc_vm *d = &vm->info->vm;
	const struct board *b = vm->board;

	for (unsigned i = 0; i < d->n_passthrough; i++) {
		const struct sysdesc_passthrough *p = &d->passthrough[i];

		if (p->irq >= vm->n_irqs)
			return "a device whose interrupt its controller lacks";
		if (p->paddr == b->rtc.base && p->irq == b->rtc_irq)
			vm->passed |= (uint32_t)SYSDESC_DEV_RTC;
		else if (p->paddr - b->virtio.base < b->virtio.size)
			vm->virtio_slots |= 1u << (p->paddr - b->virtio.base) / BOARD_VIRTIO_BYTES;
		else
			return "a device that the board has nowhere";
		/* One that asked before there was somebody to tell asks again. */
		(void)sel4_irq_handler_ack(VMM_CAP_PASSTHROUGH(i));
	}
	return NULL;
}

static uint64_t event(struct vm *vm, uint64_t badges)
{
	const struct sysdesc_vm *d = &vm->info->vm;
	bool any = false;

	for (unsigned i = 0; i < d->n_passthrough; i++)
		any = any || (badges & VMM_NTFN_PASSTHROUGH(i));
	if (!any)
		return 0;
	mutex_lock(&vm->lock);
	vm->handler = NULL;
	for (unsigned i = 0; i < d->n_passthrough; i++)
		if (badges & VMM_NTFN_PASSTHROUGH(i))
			vgic_set_level(&vm->gic, 0, d->passthrough[i].irq, true);
	vm_deliver_irqs(vm, NULL);
	mutex_unlock(&vm->lock);
	return 0;
}

const struct vm_part part_passthrough = {
	.bit = VMM_PART_PASSTHROUGH,
	.install = install,
	.init = init,
	.event = event,
};
