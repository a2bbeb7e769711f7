/* The PCI devices of a PC, by I/O ports 0xCF8 and 0xCFC, which every PC has, and which
 * nobody else gets: who has them moves any device's registers. */
#pragma once

#include "cspace.h"

/* Interrupts from here on are messages, the numbers below pins of the IOAPIC. */
#define PCI_HOST_MESSAGES 64u

/* Once memory can be mapped. */
void pci_host_open(void);
/* The handler of one that board_find_device() has given; enum abi_error. */
int pci_host_irq(cap_t handler, unsigned irq);

/* In board.c: where an ISA interrupt comes to. */
unsigned board_pin(unsigned isa);
