/* What the bare guests share: the console, random numbers, power off. */
#pragma once

#include <stdint.h>

/* Board `virt` (vmm/board/virt.c). */
#define MICRO_GICD 0x08000000ull
#define MICRO_GICR 0x080a0000ull
#define MICRO_UART 0x09000000ull

/* Each image has one: never returns to anything but WFI. */
void micro_main(void);

/* Hidden: reached relative to the PC, because the image runs where it is put. */
#pragma GCC visibility push(hidden)
/* What x0 held at the first instruction; NULL if nothing was given. */
extern const void *micro_devicetree;
/* The PL011 that micro_print writes to; board `virt` has it at MICRO_UART. */
extern uint64_t micro_uart;
#pragma GCC visibility pop

/* Whether the devicetree's text has this word, as a compatible string or among
 * the boot arguments. */
int micro_told(const char *word);
void micro_print(const char *text);
void micro_print_number(uint64_t n);
/* The virtual counter, in microseconds. */
uint64_t micro_us(void);
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
