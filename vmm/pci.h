/* The VM's PCI bus, of those that have one. */
#pragma once

#include <stdint.h>

struct vm;

/* The interrupt by which the driver of the device in `slot` hears of a queue
 * (or of VIRTIO_CONFIG_CHANGED) now; 0: none of its own. Under the lock. */
uint32_t pci_queue_interrupt(const struct vm *vm, unsigned slot, int queue);
