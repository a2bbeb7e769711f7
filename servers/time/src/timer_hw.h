/* The hardware timer of the time server: one absolute deadline. */
#pragma once

#include <stdint.h>

/* Interrupts once the counter has reached `deadline`, at once if it has. */
void timer_hw_set(uint64_t deadline);
void timer_hw_off(void);
