#include "loader.h"

#include <plat/uart.h>

void print(const char *s)
{
	for (; *s; s++) {
		if (*s == '\n')
			plat_uart_putc('\r');
		plat_uart_putc(*s);
	}
}

void print_hex(uint64_t v)
{
	print("0x");
	for (int shift = 60; shift >= 0; shift -= 4)
		plat_uart_putc("0123456789abcdef"[(v >> shift) & 15]);
}

void die(const char *what, uint64_t value)
{
	print("selvage loader: ");
	print(what);
	print(" (");
	print_hex(value);
	print(")\n");
	for (;;)
		__asm__ volatile("wfi");
}
