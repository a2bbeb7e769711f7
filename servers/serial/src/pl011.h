/* The UART that the server owns: Arm PL011 (Arm DDI 0183). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* `base`: its registers. Receive interrupts on. */
void pl011_start(volatile void *base);
/* One byte received; false: none waits. */
bool pl011_get(uint8_t *byte);
/* False: the transmit FIFO is full. */
bool pl011_put(uint8_t byte);
/* Whether an interrupt is wanted when the transmit FIFO has room again. */
void pl011_want_room(bool wanted);
/* Takes back the interrupts that are pending. */
void pl011_clear(void);
