/* What init needs to know of the machine, from the boot information: of AArch64 from
 * its devicetree, of a PC from the kernel's own chunks. */
#pragma once

#include <abi/bootinfo.h>
#include <stdint.h>

#define MACHINE_IRQS 1020 /* that a GIC can have */

struct machine {
	uint64_t payload_paddr, payload_bytes; /* where the payload is */
	uint64_t uart_at;                      /* first arm,pl011; of a PC: its first port */
	uint32_t uart_irq;                     /* GIC interrupt number, pin of the IOAPIC */
	uint32_t gic_version;                  /* 2 or 3 */
	uint64_t gicv_paddr;                   /* GICv2: virtual CPU interface */
	uint64_t rtc_paddr;                    /* first arm,pl031; 0: none */
	/* Not in the tree, init reads it there: seconds since 1970 (0: not
	 * known) when the counter (CNTPCT_EL0) stood at epoch_counter. */
	uint64_t epoch_s, epoch_counter;
	/* /chosen rng-seed, or the processor's; every VM start gets its own from it. 0: none */
	uint32_t has_seed;
	uint8_t seed[32];
};

/* Returns NULL, or a static text of what is missing or malformed. */
const char *machine_read(struct machine *machine, const struct abi_bootinfo *bi);
/* In whose numbers a trace tells of guests' exits: "esr", "svm" or "vmx". */
const char *machine_exit_codes(void);
