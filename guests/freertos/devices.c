/* The PL011 and the GIC (version 2): the same on both boards. */
#include <FreeRTOS.h>

#include "app.h"

#define UART_DR (BOARD_UART + 0x00)
#define UART_FR (BOARD_UART + 0x18)
#define UART_CR (BOARD_UART + 0x30)
#define UART_IFLS (BOARD_UART + 0x34)
#define UART_IMSC (BOARD_UART + 0x38)
#define FR_RXFE 0x10u
#define FR_TXFF 0x20u
#define CR_ON 0x301u
#define IMSC_RX 0x50u

void uart_init(void)
{
	mmio_write(UART_IMSC, 0);
	mmio_write(UART_CR, CR_ON);
}

void uart_put(char c)
{
	while (mmio_read(UART_FR) & FR_TXFF)
		;
	mmio_write(UART_DR, (uint8_t)c);
}

int uart_get(void)
{
	if (mmio_read(UART_FR) & FR_RXFE)
		return -1;
	return (uint8_t)mmio_read(UART_DR);
}

void uart_irq(bool enable)
{
	mmio_write(UART_IMSC, enable ? IMSC_RX : 0);
}

#define GICD_CTLR (BOARD_GICD + 0x000)
#define GICD_ISENABLER (BOARD_GICD + 0x100)
#define GICD_IPRIORITYR (BOARD_GICD + 0x400)
#define GICD_ITARGETSR (BOARD_GICD + 0x800)
#define GICC_CTLR (BOARD_GICC + 0x00)
#define GICC_PMR (BOARD_GICC + 0x04)
#define GICC_BPR (BOARD_GICC + 0x08)

void gic_init(void)
{
	mmio_write(GICD_CTLR, 1);
	mmio_write(GICC_BPR, 0);
	mmio_write(GICC_PMR, 0xff);
	mmio_write(GICC_CTLR, 1);
}

void gic_enable(unsigned irq)
{
	*(volatile uint8_t *)(uintptr_t)(GICD_IPRIORITYR + irq) =
		(uint8_t)(portLOWEST_USABLE_INTERRUPT_PRIORITY << portPRIORITY_SHIFT);
	if (irq >= 32)
		*(volatile uint8_t *)(uintptr_t)(GICD_ITARGETSR + irq) = 1;
	mmio_write(GICD_ISENABLER + irq / 32 * 4, 1u << irq % 32);
}
