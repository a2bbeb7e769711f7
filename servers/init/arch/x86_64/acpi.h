/*
 * What init takes from the ACPI tables (ACPI 6.5, 5.2): which pin of the IOAPIC an ISA
 * interrupt comes to, where the HPET is, and how the machine is switched off. Pure: no
 * system call.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ACPI_RSDP_BYTES 36
#define ACPI_ISA_IRQS 16

struct acpi_reader {
	/* Copies n bytes of physical memory; false: they cannot be had. */
	bool (*read)(void *ctx, uint64_t at, void *to, size_t n);
	void *ctx;
};

struct acpi_facts {
	uint32_t pin[ACPI_ISA_IRQS];
	bool low[ACPI_ISA_IRQS]; /* active low */
	uint64_t hpet;           /* its registers; 0: none */
	bool can_off;            /* the rest is valid */
	uint16_t control[2];     /* ports of PM1a_CNT and PM1b_CNT; 0: none */
	uint8_t sleep_type[2];   /* what goes there for S5 */
};

/* NULL, or what is missing; without a way off it is none the less NULL. */
const char *acpi_read(const struct acpi_reader *r, const uint8_t rsdp[ACPI_RSDP_BYTES],
		      struct acpi_facts *out);
