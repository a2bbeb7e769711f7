/*
 * Arm PrimeCell UART PL011 (Arm DDI 0183G), revision 3: 32-entry FIFOs.
 *
 * State, registers and one interrupt line. Characters that the guest sends
 * go to env.transmit; characters for the guest come in by pl011_receive().
 * There is no notion of baud rate: a character takes no time, and the receive
 * timeout runs out at once. The enable bits of UARTCR do not gate data, so
 * that early consoles print before anyone has set up the UART.
 *
 * One caller at a time; callbacks come from within the call that causes them
 * and must not call back into the device.
 */
#pragma once

#include <dev/mmio.h>
#include <dev/reg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PL011_FRAME_BYTES 0x1000u
#define PL011_DR 0x000u /* data register: the one that empties the FIFO */
#define PL011_FIFO_DEPTH 32u

struct pl011_env {
	void *opaque;
	/* Takes one character; false: no room now. It then waits in the FIFO
	 * until pl011_transmit_ready(). */
	bool (*transmit)(void *opaque, uint8_t byte);
	/* The interrupt line (UARTINTR); called on a change only. */
	void (*set_irq)(void *opaque, bool level);
};

struct pl011_fifo {
	uint8_t data[PL011_FIFO_DEPTH];
	uint8_t head; /* oldest entry */
	uint8_t count;
};

/* Private to the model; here so that the owner can embed it. */
struct pl011 {
	struct pl011_env env;
	uint32_t rsr, ilpr, ibrd, fbrd, lcr_h, cr, ifls, imsc, dmacr;
	uint32_t ris; /* latched raw interrupt status */
	bool overrun; /* UARTDR.OE: a character was lost */
	bool irq;     /* level that env.set_irq last heard */
	struct pl011_fifo rx, tx;
};

/* Brings the device to its reset state and takes `env` (copied). Does not
 * call env. */
void pl011_init(struct pl011 *u, const struct pl011_env *env);
/* One access. Never MMIO_FAULT: unknown offsets are RAZ/WI. */
enum mmio_outcome pl011_access(struct pl011 *u, struct mmio *m);

/* How many characters pl011_receive() would take now. */
size_t pl011_receive_room(const struct pl011 *u);
/* A character arrives. False: the FIFO was full; the guest sees an overrun. */
bool pl011_receive(struct pl011 *u, uint8_t byte);
/* env.transmit has room again: sends what waits. */
void pl011_transmit_ready(struct pl011 *u);
/* Level of the interrupt line: a pure function of the state. */
bool pl011_irq_level(const struct pl011 *u);
/* The register table, for tests and documents. */
const struct dev_reg *pl011_registers(void);
