/* What the bare guests share: the console, random numbers, power off. */
#pragma once

#include <stdint.h>

/* Board `virt` (vmm/board/virt.c). */
#define MICRO_GICD 0x08000000ull
#define MICRO_GICR 0x080a0000ull
#define MICRO_UART 0x09000000ull

/* Each image has one: never returns to anything but WFI. */
void micro_main(void);

void micro_print(const char *text);
/* xorshift64*; the same numbers in every run. */
uint64_t micro_random(void);
void micro_power_off(void);

static inline void micro_write32(uint64_t address, uint32_t value)
{
	*(volatile uint32_t *)address = value;
}
static inline uint32_t micro_read32(uint64_t address)
{
	return *(volatile uint32_t *)address;
}
