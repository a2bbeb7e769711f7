/* COM1, polled: text of debug builds and panics. */
#include <arch/cpu.h>
#include <plat/uart.h>

#define COM1 0x3f8
#define DATA 0
#define LINE_CONTROL 3
#define LINE_STATUS 5
#define LINE_8N1 3
#define STATUS_EMPTY 0x20

/* At the rate that the firmware has left. */
void plat_uart_putc(char c)
{
	/* Bounded: a panic must end even without a UART. */
	for (unsigned i = 0; i < 1000000; i++)
		if (in8(COM1 + LINE_STATUS) & STATUS_EMPTY)
			break;
	out8(COM1 + LINE_CONTROL, LINE_8N1);
	out8(COM1 + DATA, (uint8_t)c);
}
