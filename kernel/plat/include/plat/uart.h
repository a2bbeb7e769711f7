/* The UART for boot messages and panics: PL011, polled, never configured. */
#pragma once

#include <stdint.h>

/* Where QEMU's virt board has it; used until the devicetree is read. */
#define PLAT_UART_BASE 0x09000000ull

void plat_uart_set_base(uint64_t base);
uint64_t plat_uart_base(void);
void plat_uart_putc(char c);
