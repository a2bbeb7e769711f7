/* Arm PL011 (Arm DDI 0183). */
#include "uart.h"

#include <selvage/procinfo.h>

/* DDI 0183, table 3-1; offsets in bytes. */
enum uart_reg {
	UARTDR = 0x00,
	UARTFR = 0x18,
	UARTLCR_H = 0x2c,
	UARTCR = 0x30,
	UARTIFLS = 0x34,
	UARTIMSC = 0x38,
	UARTICR = 0x44,
};

#define FR_RXFE (1u << 4)
#define FR_TXFF (1u << 5)
#define LCR_H_FEN (1u << 4) /* FIFOs on */
#define LCR_H_WLEN_8 (3u << 5)
#define CR_UARTEN (1u << 0)
#define CR_TXE (1u << 8)
#define CR_RXE (1u << 9)
#define IFLS_TX_1_8 0u /* interrupt when 1/8 full or less */
#define IFLS_RX_1_8 (0u << 3)
#define INT_RX (1u << 4)
#define INT_TX (1u << 5)
#define INT_RX_TIMEOUT (1u << 6)
#define INT_ALL 0x7ffu

static volatile uint32_t *const registers = (void *)(uintptr_t)PROC_DEVICE_BASE;

static uint32_t read_reg(enum uart_reg reg)
{
	return registers[reg / 4];
}

static void write_reg(enum uart_reg reg, uint32_t value)
{
	registers[reg / 4] = value;
}

/* The speed stays as the firmware set it. */
void uart_start(void)
{
	write_reg(UARTIMSC, 0);
	write_reg(UARTICR, INT_ALL);
	write_reg(UARTLCR_H, LCR_H_WLEN_8 | LCR_H_FEN);
	write_reg(UARTIFLS, IFLS_TX_1_8 | IFLS_RX_1_8);
	write_reg(UARTCR, CR_UARTEN | CR_TXE | CR_RXE);
	write_reg(UARTIMSC, INT_RX | INT_RX_TIMEOUT);
}

bool uart_get(uint8_t *byte)
{
	if (read_reg(UARTFR) & FR_RXFE)
		return false;
	*byte = (uint8_t)read_reg(UARTDR);
	return true;
}

bool uart_put(uint8_t byte)
{
	if (read_reg(UARTFR) & FR_TXFF)
		return false;
	write_reg(UARTDR, byte);
	return true;
}

void uart_want_room(bool wanted)
{
	write_reg(UARTIMSC, INT_RX | INT_RX_TIMEOUT | (wanted ? INT_TX : 0));
}

void uart_clear(void)
{
	write_reg(UARTICR, INT_ALL);
}
