/* What the files of the application share. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* %u %d %x (32 bits) and %s; one line at a time, from any task. */
void app_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void app_say(const char *text); /* at once, wherever it is called from */

/* gic.c: interrupts at priority 30 of 31, which lets the kernel mask them. */
void gic_init(void);
void gic_enable(unsigned irq);

/* uart.c */
void uart_init(void);
void uart_put(char c);
int uart_get(void); /* -1: nothing there */
void uart_irq(bool enable);

/* fpu.c: sums in floating point what it also sums in integers; the sum is in
 * registers all the while. False: they differ. */
bool fpu_work(unsigned seed);

/* measure.c: what a hypervisor gives of the CPU, and when. */
void measure_burn(unsigned windows);

/* Ticks so far, and the worst delay since the last call, in microseconds. */
uint32_t app_late_us(void);
