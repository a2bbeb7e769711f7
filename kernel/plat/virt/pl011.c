#include <plat/uart.h>

#include <stdbool.h>

/* ARM DDI 0183, 3.3: registers. */
#define UARTDR 0x000
#define UARTFR 0x018
#define UARTFR_TXFF (1u << 5)

static uint64_t uart_base = PLAT_UART_BASE;

void plat_uart_set_base(uint64_t base) { uart_base = base; }

uint64_t plat_uart_base(void) { return uart_base; }

static volatile uint32_t *uart_reg(uint64_t offset)
{
	return (volatile uint32_t *)(uintptr_t)(uart_base + offset);
}

void plat_uart_putc(char c)
{
	/* Bounded: a panic must end even on a dead UART. */
	for (unsigned i = 0; i < 1000000; i++)
		if (!(*uart_reg(UARTFR) & UARTFR_TXFF))
			break;
	*uart_reg(UARTDR) = (uint8_t)c;
}
