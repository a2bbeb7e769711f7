/*
 * UART 16550A (National PC16550D): FIFOs of 16, all interrupts, loopback.
 *
 * A character takes no time, whatever the divisor; the receive timeout runs out
 * at once. The other side's modem lines are always asserted. OUT2 does not gate
 * the interrupt (as in QEMU).
 */
#pragma once

#include <dev/mmio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UART16550_PORTS 8u
#define UART16550_FIFO 16u

struct uart16550_env {
	void *opaque;
	/* Takes one character; false: no room now. It then waits until
	 * uart16550_transmit_ready(). */
	bool (*transmit)(void *opaque, uint8_t byte);
	/* INTR; called on a change only. */
	void (*set_irq)(void *opaque, bool level);
};

struct uart16550_fifo {
	uint8_t data[UART16550_FIFO];
	uint8_t head, count;
};

/* Private to the model; here so that the owner can embed it. */
struct uart16550 {
	struct uart16550_env env;
	uint8_t ier, fcr, lcr, mcr, scr, dll, dlm;
	uint8_t modem; /* MSR: its upper half as last seen, its changes */
	bool overrun;
	bool thre; /* the transmitter's interrupt waits to be heard */
	struct uart16550_fifo rx, tx;
	bool irq;
};

/* Reset state; `env` is copied and not called. */
void uart16550_init(struct uart16550 *u, const struct uart16550_env *env);
/* Lowers the line if it was up; what was not sent is lost. */
void uart16550_reset(struct uart16550 *u);
enum mmio_outcome uart16550_access(struct uart16550 *u, struct mmio *m);
/* How many characters uart16550_receive() would take now. */
size_t uart16550_receive_room(const struct uart16550 *u);
/* A character arrives. False: there was no room; the guest sees an overrun. */
bool uart16550_receive(struct uart16550 *u, uint8_t byte);
/* env.transmit has room again: sends what waits. */
void uart16550_transmit_ready(struct uart16550 *u);
bool uart16550_irq(const struct uart16550 *u);
