#include "virtio.h"

#include <selvage/base.h>

static bool on_pci(const struct vm *vm) { return vm->info->vm.flags & SYSDESC_VM_PCI; }

bool virtio_in_slots(const struct vm *vm)
{
	return !on_pci(vm) || (vm->info->vm.flags & SYSDESC_VM_FIXED);
}

struct board_range virtio_slot(const struct vm *vm, unsigned slot)
{
	return (struct board_range){ vm->board->virtio.base + slot * BOARD_VIRTIO_BYTES,
				     BOARD_VIRTIO_BYTES };
}

/* Drivers that know the board look into each slot: one without a device has its id 0 (virtio 1.2,
 * 4.2.2). */
static enum mmio_outcome empty_slot(void *device, unsigned vcpu, struct mmio *m)
{
	static const uint32_t id[] = { 0x74726976, 2, 0, 0 };
	const uint64_t reg = m->offset % BOARD_VIRTIO_BYTES / 4;

	(void)device, (void)vcpu;
	if (m->write)
		return mmio_ignore(m, "no device is in this slot");
	return mmio_done(m, m->size == 4 && reg < ARRAY_SIZE(id) ? id[reg] : 0);
}

static void answer_for_empty_slots(struct vm *vm)
{
	static struct bus_region slots = { .name = "empty slot", .handler = empty_slot };

	slots.base = vm->board->virtio.base;
	slots.size = vm->board->virtio.size;
	if (vm->bus.elsewhere == NULL)
		vm->bus.elsewhere = &slots;
}

/* Where the bus has the device too, what the guest is told of is that. */
bool virtio_ways_add(struct virtio_ways *w, struct vm *vm, unsigned slot, struct virtio *device,
		     const struct virtio_mmio_env *irq)
{
	answer_for_empty_slots(vm);
	w->pci = (struct virtio_transport){ 0 };
	if (on_pci(vm) &&
	    (vm->hooks.plug_pci == NULL || !vm->hooks.plug_pci(vm, slot, device)))
		return false;
	if (!virtio_in_slots(vm))
		return true;
	if (on_pci(vm))
		w->pci = device->transport;
	else
		vm->virtio_slots |= 1u << slot;
	virtio_mmio_init(&w->mmio, device, irq);
	w->slot = device->transport;
	virtio_ways_reset(w);
	return true;
}

/* A reset may take its time. */
static bool has_begun(const struct virtio *device)
{
	return (device->status & ~VIRTIO_STATUS_NEEDS_RESET) != 0;
}

enum mmio_outcome virtio_ways_access(struct virtio_ways *w, struct mmio *m)
{
	struct virtio *device = w->mmio.device;
	const bool before = has_begun(device);
	const enum mmio_outcome outcome = virtio_mmio_access(&w->mmio, m);

	if (!before && has_begun(device))
		device->transport = w->slot;
	return outcome;
}

void virtio_ways_reset(struct virtio_ways *w)
{
	if (w->pci.interrupt == NULL)
		return;
	w->slot.reset(w->slot.opaque);
	w->pci.reset(w->pci.opaque);
	w->mmio.device->transport = w->pci;
}
