/*
 * The ACPI tables that a PC guest gets, generated from what its board has.
 *
 * Not "hardware-reduced": with that Linux uses neither 8259 nor PIT. So there
 * is a block of PM1 and PM timer registers (ACPI 6.4, 4.8.3), laid out as in a
 * PIIX4 (dev/pc/acpi_pm.h): PM1_STS and PM1_EN, at 4 PM1_CNT, at 8 the timer of 24
 * bits; the power button is there. ACPI mode is on from the start: there is no
 * SMI command port.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ACPI_CPUS_MAX 64u
#define ACPI_VIRTIO_MAX 32u
/* Where guests search for the root pointer, and room for the tables there. */
#define ACPI_GPA 0xe0000u
#define ACPI_BYTES 0x8000u

struct acpi_uart {
	uint16_t port; /* 0: it is not there */
	uint8_t irq;
};

struct acpi_virtio {
	uint32_t gpa, size, gsi;
};

struct acpi_config {
	unsigned n_cpus; /* local APIC identities 0 to n_cpus - 1 */
	uint32_t lapic_gpa;
	uint32_t ioapic_gpa; /* 0: none */
	uint8_t ioapic_id;
	bool pit_on_pin_2;    /* of the IOAPIC, as on all PCs */
	uint16_t pm_port;     /* of PM1 and PM timer */
	uint8_t sci_irq;      /* level, active high */
	uint8_t s5_type;      /* what SLP_TYP means "off" */
	uint16_t reset_port;  /* 0: none */
	uint8_t reset_value;  /* and what is written there */
	bool pit, rtc, i8042; /* at their usual ports */
	struct acpi_uart uart[4];
	uint32_t hpet_gpa; /* 0: none */
	uint32_t hpet_id;  /* the low half of its capabilities */
	bool pci;          /* configuration by ports 0xcf8 to 0xcff */
	uint32_t ecam_gpa; /* 0: by ports alone */
	uint8_t last_bus;
	uint32_t pci_gsi[4];                  /* pin A of device 0 and the three that follow */
	uint32_t pci_mmio_gpa, pci_mmio_size; /* 0 bytes: none */
	uint64_t pci_mmio64_gpa, pci_mmio64_size;
	unsigned n_virtio;
	struct acpi_virtio virtio[ACPI_VIRTIO_MAX];
};

/* Writes root pointer and tables, which will stand at `gpa`, a multiple of 64
 * below 4 GiB; the root pointer is the first of it. Its length, or 0: it does
 * not fit, or there are more processors or devices than said above. */
size_t acpi_generate(const struct acpi_config *c, uint32_t gpa, void *buffer, size_t size);
