/*
 * The kick device, for benchmarks and tests: a 32-bit store at its first page
 * signals a notification that nobody waits for; one at its second page makes
 * the event thread raise an edge-triggered interrupt. Both are doorbells where
 * the kernel has them, and then the interrupt is direct. A VM with it reads all
 * ones where nothing is, so that a test can look everywhere.
 */
#include "arch/aarch64/arch.h"

#define PAGE 0x1000u

static enum mmio_outcome kick_access(void *device, unsigned vcpu, struct mmio *m)
{
	(void)device, (void)vcpu;
	if (m->write && m->offset % PAGE == 0)
		sel4_signal(m->offset == 0 ? VMM_CAP_DOORBELL : VMM_CAP_KICK);
	return mmio_done(m, 0);
}

static enum mmio_outcome nothing(void *device, unsigned vcpu, struct mmio *m)
{
	(void)device, (void)vcpu;
	return mmio_done(m, UINT64_MAX);
}

static const char *init(struct vm *vm)
{
	static const struct bus_region elsewhere = {
		.name = "nothing",
		.size = UINT64_MAX,
		.handler = nothing,
	};
	const uint64_t base = vm->board->kick.base;

	vm->bus.elsewhere = &elsewhere;
	for (unsigned i = 0; (vm->features & ABI_EXTF_DOORBELL) && i < vm->info->n_vcpus; i++) {
		uint64_t vcpu = vm->vcpu[i].cpu.caps.vcpu;

		(void)sel4_ext_vcpu_set_doorbell(vcpu, 0, base, 4, 0, VMM_CAP_DOORBELL);
		(void)sel4_ext_vcpu_set_doorbell(vcpu, 1, base + PAGE, 4, 0, VMM_CAP_KICK);
	}
	return vm_add(vm, "kick", vm->board->kick, kick_access, vm)
		       ? NULL
		       : "no room for the kick device";
}

/* The guest has kicked: its interrupt is on its way, or a signal for it owed. */
static uint64_t event(struct vm *vm, uint64_t badges)
{
	if (!(badges & VMM_NTFN_KICK))
		return 0;
	if (direct_has(vm, vm->board->kick_irq))
		return VMM_CAP_KICK_IRQ;
	mutex_lock(&vm->lock);
	vm->handler = NULL;
	vgic_pulse(&vm->gic, 0, vm->board->kick_irq);
	vm_deliver_irqs(vm, NULL);
	mutex_unlock(&vm->lock);
	return 0;
}

static void install(struct vm *vm)
{
	vm->n_doorbells = 2;
	direct_add(vm, vm->board->kick_irq, VMM_CAP_KICK_IRQ);
}

const struct vm_part part_kick = {
	.bit = VMM_PART_KICK,
	.install = install,
	.init = init,
	.event = event,
};
