/* 16550 (National PC16550D) by I/O ports: COM1. */
#include "uart.h"

#include <selvage/procinfo.h>
#include <selvage/sel4.h>

#define COM1 0x3f8u

enum uart_reg {
	RBR_THR = 0,
	IER = 1,
	IIR_FCR = 2,
	LCR = 3,
	MCR = 4,
	LSR = 5,
};

#define IER_RX (1u << 0)
#define IER_TX (1u << 1)
#define FCR_ENABLE (1u << 0)
#define FCR_CLEAR (3u << 1)
#define LCR_8N1 3u
#define MCR_DTR_RTS 3u
#define MCR_OUT2 (1u << 3) /* lets the interrupt out, on a PC */
#define LSR_DATA (1u << 0)
#define LSR_EMPTY (1u << 5) /* of the transmit FIFO */
#define FIFO_BYTES 16u

/* How many bytes the transmit FIFO takes without being asked. */
static unsigned room;

static uint8_t read_reg(enum uart_reg reg)
{
	uint64_t value = 0;

	(void)sel4_io_port_in8(PROC_CAP_DEVICE_PORTS, COM1 + reg, &value);
	return (uint8_t)value;
}

static void write_reg(enum uart_reg reg, uint8_t value)
{
	(void)sel4_io_port_out8(PROC_CAP_DEVICE_PORTS, COM1 + reg, value);
}

/* The speed stays as the firmware set it. */
void uart_start(void)
{
	write_reg(IER, 0);
	write_reg(LCR, LCR_8N1);
	write_reg(IIR_FCR, FCR_ENABLE | FCR_CLEAR);
	write_reg(MCR, MCR_DTR_RTS | MCR_OUT2);
	write_reg(IER, IER_RX);
}

bool uart_get(uint8_t *byte)
{
	if (!(read_reg(LSR) & LSR_DATA))
		return false;
	*byte = read_reg(RBR_THR);
	return true;
}

bool uart_put(uint8_t byte)
{
	if (room == 0 && read_reg(LSR) & LSR_EMPTY)
		room = FIFO_BYTES;
	if (room == 0)
		return false;
	room--;
	write_reg(RBR_THR, byte);
	return true;
}

void uart_want_room(bool wanted)
{
	write_reg(IER, wanted ? IER_RX | IER_TX : IER_RX);
}

/* Reading it takes back the transmitter's. */
void uart_clear(void) { (void)read_reg(IIR_FCR); }
