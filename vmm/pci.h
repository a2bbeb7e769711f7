/* The VM's PCI bus, of those that have one. */
#pragma once

#include <dev/virtio/pci.h>
#include <stdbool.h>
#include <stdint.h>

struct vm;

#define PCI_PINS 4u

/* Puts a function that is no virtio device on the bus. */
void pci_bus_plug(unsigned slot, struct pci_function *f);
/* The device in the slot. */
const struct virtio_pci *pci_bus_device(unsigned slot);
/* Handler of the window of I/O ports; `device`: the host bridge. */
enum mmio_outcome pci_bus_io(void *device, unsigned vcpu, struct mmio *m);

/* --- arch/<name>/pci_arch.c, in this order --- */
/* Before the interrupt controller is set up. */
void pci_arch_install(struct vm *vm);
/* The host bridge, and what takes its messages; configuration space and memory window are
 * the caller's. NULL: no room. */
struct pci_host *pci_arch_init(struct vm *vm);
/* A device is there. */
void pci_arch_plugged(const struct vm *vm, unsigned slot, struct virtio_pci *v);
/* A message of the function in `slot`. False: it is no interrupt. Under the lock. */
bool pci_arch_message(struct vm *vm, unsigned slot, uint64_t address, uint32_t data);
