/*
 * Board tables: which device sits where. What a guest's devicetree says and
 * what the MMIO bus does both come from here.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define BOARD_SPI(n) (32u + (n))
#define BOARD_PPI(n) (16u + (n))
#define BOARD_TIMER_VIRTUAL 2u /* of timer_irq */
#define BOARD_VIRTIO_SLOTS 32u
#define BOARD_MSIS 64u
#define BOARD_LPIS 128u
#define BOARD_PCI_OWN_LINES 16u
#define BOARD_PCI_LINES 7u
#define BOARD_VIRTIO_BYTES 0x200u /* of a slot */
#define BOARD_WATCHDOG_HZ 1000000u

struct board_range {
	uint64_t base, size;
};

/* A device that is there by its PrimeCell identification only: bytes 0 to 3 of
 * `id`, the first one lowest. All else of it reads as zero. */
struct board_stub {
	const char *name;
	struct board_range range;
	uint32_t id;
};

struct board {
	uint32_t number; /* enum sysdesc_board */
	const char *name;
	struct board_range gicd_v2, gicd_v3;
	struct board_range gicc;     /* GICv2: the GICV pages, mapped by init */
	struct board_range gicr;     /* GICv3: first redistributor; one a vCPU */
	struct board_range uart;     /* PL011 */
	struct board_range rtc;      /* PL031 */
	struct board_range watchdog; /* SP805 */
	struct board_range kick;     /* doorbell and kick: kick.c */
	/* Virtio over MMIO: BOARD_VIRTIO_SLOTS frames behind each other, with as
	 * many interrupts. Empty: none. */
	struct board_range virtio;
	/* PCI: configuration space of one bus, memory at the same address on the
	 * bus, I/O ports; and the frame that takes messages. Empty: none. */
	struct board_range pci_ecam, pci_memory, pci_io, msi;
	struct board_range its; /* the same for LPIs of a GICv3 */
	/* Where functions have BARs that stay where they are (serve.c). */
	struct board_range pci_fixed;
	uint32_t uart_irq, rtc_irq, watchdog_irq;
	uint32_t virtio_irq;
	uint32_t pci_irq; /* INTA#; the three others follow */
	uint32_t msi_irq; /* the first of BOARD_MSIS */
	/* INTA# of device BOARD_PCI_OWN_LINES, edge-triggered and its own; as many
	 * more follow. Below 64: they can be direct. */
	uint32_t pci_line_irq;
	uint32_t kick_irq; /* below 64: it can be direct */
	uint32_t uart_clock_hz;
	uint32_t arm_machine; /* what 32-bit Linux gets in r1 */
	/* Timer PPIs as the generic-timer binding orders them; 0: there is none. */
	uint32_t timer_irq[4];
	uint32_t n_stubs;
	const struct board_stub *stubs;
	bool devicetree; /* the guest gets one */
	bool lenient;    /* what is nowhere reads as zero, registers too */
	uint32_t midr;   /* 0: the machine's */
	uint64_t cbar;   /* where the processor's own devices are; 0: none */
};

extern const struct board board_virt;
