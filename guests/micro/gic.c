/*
 * A guest that writes random values to random places of its interrupt
 * controller, at EL1 with interrupts masked, by all access sizes; then off.
 */
#include "micro.h"

#define ROUNDS 20000u

/* Whether the machine has a GICv3: ID_AA64PFR0_EL1.GIC. */
static int has_gicv3(void)
{
	uint64_t id;

	__asm__ volatile("mrs %0, id_aa64pfr0_el1"
			 : "=r"(id));
	return (id >> 24 & 15) != 0;
}

static void access_at(uint64_t address, uint64_t value, unsigned how)
{
	switch (how % 6) {
	case 0:
		*(volatile uint8_t *)address = (uint8_t)value;
		break;
	case 1:
		(void)*(volatile uint8_t *)address;
		break;
	case 2:
		(void)*(volatile uint32_t *)(address & ~3ull);
		break;
	case 3:
		*(volatile uint16_t *)(address & ~1ull) = (uint16_t)value;
		break;
	default:
		*(volatile uint32_t *)(address & ~3ull) = (uint32_t)value;
	}
}

void micro_main(void)
{
	__asm__ volatile("msr daifset, #15");
	micro_print("micro: gic\n");
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t r = micro_random();
		uint64_t base = MICRO_GICD;

		if (has_gicv3() && (r & 1) != 0)
			base = MICRO_GICR + (r >> 1 & 1) * 0x10000;
		access_at(base + (r >> 8 & 0xfff), micro_random(), (unsigned)(r >> 32));
	}
	micro_print("micro: gic done\n");
	micro_power_off();
}
