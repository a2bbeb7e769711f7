/* What all parts with virtio devices share. */
#pragma once

#include "vm.h"

#include <dev/virtio/mem.h>
#include <dev/virtio/mmio.h>

/* All of the guest's RAM. */
struct virtio_mem vm_virtio_mem(struct vm *vm);

/*
 * The guest's ways to a device: its slot of the board (MMIO), the PCI bus, or both to one set
 * of queues (SYSDESC_VM_FIXED). With both, interrupts go by the way that the driver has begun
 * with: which has taken the status from 0. That is PCI unless it was the slot.
 */
struct virtio_ways {
	struct virtio_mmio mmio;
	struct virtio_transport slot, pci; /* if there are both */
};

/* `irq`: of the slot. False: there is no PCI bus. */
bool virtio_ways_add(struct virtio_ways *w, struct vm *vm, unsigned slot, struct virtio *device,
		     const struct virtio_mmio_env *irq);
/* Whether the VM has devices in slots, which then are the caller's to put on the bus. */
bool virtio_in_slots(const struct vm *vm);
struct board_range virtio_slot(const struct vm *vm, unsigned slot);
/* An access of the slot. */
enum mmio_outcome virtio_ways_access(struct virtio_ways *w, struct mmio *m);
/* The device is being reset (VIRTIO_SEEN_RESET). */
void virtio_ways_reset(struct virtio_ways *w);
