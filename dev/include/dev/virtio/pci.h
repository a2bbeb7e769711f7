/*
 * Virtio over PCI (virtio 1.2, 4.1): a device as a PCI function, modern and,
 * if its class has a legacy interface, transitional.
 *
 * BAR 0 has the legacy registers (I/O), BAR 1 the MSI-X table, BAR 4 the
 * structures of the modern interface. Vectors: one for each queue that a device
 * may have, and one for the configuration.
 */
#pragma once

#include <dev/pci.h>
#include <dev/virtio/device.h>

#define VIRTIO_PCI_NO_VECTOR 0xffffu

/* Private to the model; here so that the owner can embed it. */
struct virtio_pci {
	struct pci_function f;
	struct virtio *device;
	uint32_t device_sel, driver_sel;
	uint16_t queue_sel;
	uint16_t config_vector;
	uint16_t queue_vector[VIRTIO_MAX_QUEUES];
	uint8_t isr;
	uint32_t window;     /* capability with a window on BAR 4 (4.1.4.9) */
	uint32_t notify;     /* capability that says where kicks go */
	bool by_port;        /* to the legacy interface's port first, by modern drivers too */
	const char *ignored; /* why the access that is being made is */
};

/* Takes the device, which has been initialised, and `env` (copied). Then
 * pci_plug of `f`. */
void virtio_pci_init(struct virtio_pci *t, struct virtio *device, const struct pci_env *env);
/* The message by which the driver hears of a queue (or of
 * VIRTIO_CONFIG_CHANGED) now, for an owner that has somebody else send it.
 * False: none, since it uses INTA#, has given no vector or has masked it. */
bool virtio_pci_message(const struct virtio_pci *t, int queue, uint64_t *address, uint32_t *data);
/* Where an access of a port costs less than one of memory: all kicks of a transitional device go
 * to one port, 16 bits with the queue's number; memory does as well. Before pci_plug. */
void virtio_pci_kick_by_port(struct virtio_pci *t);
/* Where that port is now. False: nowhere. */
bool virtio_pci_kick_port(const struct virtio_pci *t, uint32_t *port);
