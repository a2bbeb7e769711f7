/*
 * PCI's configuration mechanism 1 (PCI 3.0, 3.2.2.3.2), ports 0xcf8 to 0xcff,
 * in front of a host bridge; and the reset control register 0xcf9 that Intel's
 * chip sets have among them.
 */
#pragma once

#include <dev/mmio.h>
#include <dev/pci.h>
#include <stdint.h>

#define PCI_PORTS 8u
/* 0xcf9: what turns its bit 2 on resets. */
#define PCI_PORTS_RESET 1u

struct pci_ports {
	struct pci_host *host;
	void *opaque;
	void (*reset)(void *opaque);
	uint32_t address; /* CONFIG_ADDRESS */
	uint8_t control;  /* RST_CNT */
};

void pci_ports_init(struct pci_ports *p, struct pci_host *host, void (*reset)(void *opaque),
		    void *opaque);
/* Never MMIO_FAULT; what is no register reads as all ones. */
enum mmio_outcome pci_ports_access(struct pci_ports *p, struct mmio *m);
