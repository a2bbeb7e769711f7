/* The UART that the server owns; its driver is in arch/<name>/. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Receive interrupts on. */
void uart_start(void);
/* One byte received; false: none waits. */
bool uart_get(uint8_t *byte);
/* False: the transmit FIFO is full. */
bool uart_put(uint8_t byte);
/* Whether an interrupt is wanted when the transmit FIFO has room again. */
void uart_want_room(bool wanted);
/* Takes back the interrupts that are pending. */
void uart_clear(void);
