/*
 * Driver of Intel's 8254x network controllers (Intel 317453, "PCI/PCI-X Family of Gigabit
 * Ethernet Controllers Software Developer's Manual"), as QEMU and Bochs emulate them.
 */
#pragma once

#include "nic.h"

#include <selvage/vmmio.h>

struct e1000 {
	struct nic nic;
	struct vmmio_regs regs;
	uint8_t *memory;
	uint64_t at;      /* the same for the device */
	unsigned rx_next; /* descriptor that is looked at next */
	unsigned rx_told; /* up to which the device was told of free ones */
	unsigned tx_next; /* the next that is free */
	unsigned tx_done; /* the first that may not be sent */
	unsigned tx_told;
};

/* As virtio_nic_start; `regs` reach the registers of BAR 0. */
const char *e1000_start(struct e1000 *e, const struct vmmio_regs *regs, void *memory, uint64_t at);
