/*
 * Board tables: which device sits where. What a guest's devicetree says and
 * what the MMIO bus does both come from here.
 */
#pragma once

#include <stdint.h>

#define BOARD_SPI(n) (32u + (n))
#define BOARD_PPI(n) (16u + (n))

struct board_range {
	uint64_t base, size;
};

/* A range that guests probe though nothing is there: reads as zero. */
struct board_probe {
	const char *name;
	struct board_range range;
};

struct board {
	const char *name;
	struct board_range gicd_v2, gicd_v3;
	struct board_range gicc; /* GICv2: the GICV pages, mapped by init */
	struct board_range gicr; /* GICv3: first redistributor; one a vCPU */
	struct board_range uart; /* PL011 */
	struct board_range rtc;  /* PL031 */
	struct board_range kick; /* doorbell and kick: kick.c */
	uint32_t uart_irq, rtc_irq;
	uint32_t kick_irq; /* below 64: it can be direct */
	uint32_t uart_clock_hz;
	uint32_t arm_machine; /* what 32-bit Linux gets in r1 */
	/* Timer PPIs as the generic-timer binding orders them. */
	uint32_t timer_irq[4];
	uint32_t n_probes;
	const struct board_probe *probes;
};

extern const struct board board_virt;
/* enum sysdesc_board; NULL if there is none. */
const struct board *board_find(uint32_t number);
