/* The hardware timer of the time server: one absolute deadline. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* False, with a line in the log: this machine or its kernel gives none. */
bool timer_hw_open(void);

/* Interrupts once the counter has reached `deadline`, at once if it has. */
void timer_hw_set(uint64_t deadline);
void timer_hw_off(void);
/* Of the interrupt: it has come; and the timer was moved since. One of the two
 * acknowledges it. */
void timer_hw_taken(void);
void timer_hw_moved(void);
