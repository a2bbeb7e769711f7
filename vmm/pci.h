/* The VM's PCI bus, of those that have one. */
#pragma once

#include <dev/pci.h>
#include <stdint.h>

struct vm;

/* The interrupt by which the driver of the device in `slot` hears of a queue
 * (or of VIRTIO_CONFIG_CHANGED) now; 0: none of its own. Under the lock. */
uint32_t pci_queue_interrupt(const struct vm *vm, unsigned slot, int queue);
/* Puts a function that is no virtio device on the bus. */
void pci_bus_plug(unsigned slot, struct pci_function *f);
