/* What init needs to know of the machine, read from its devicetree. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define MACHINE_IRQS 1020 /* that a GIC can have */

struct machine {
	uint64_t payload_paddr, payload_bytes; /* /chosen selvage,payload */
	uint64_t uart_paddr;                   /* first arm,pl011 */
	uint32_t uart_irq;                     /* GIC interrupt number */
	uint32_t gic_version;                  /* 2 or 3 */
	uint64_t gicv_paddr;                   /* GICv2: virtual CPU interface */
	uint64_t rtc_paddr;                    /* first arm,pl031; 0: none */
	/* Not in the tree, init reads it there: seconds since 1970 (0: not
	 * known) when the counter (CNTPCT_EL0) stood at epoch_counter. */
	uint64_t epoch_s, epoch_counter;
	/* /chosen rng-seed, from which every VM start gets its own; 0: none */
	uint32_t has_seed;
	uint8_t seed[32];
};

/* Returns NULL, or a static text of what is missing or malformed. */
const char *machine_read(struct machine *machine, const void *fdt, size_t size);
