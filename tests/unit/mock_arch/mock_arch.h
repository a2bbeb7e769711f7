/* What a test sees of the mocked architecture. */
#pragma once

#include <kernel/arch.h>

/* Zeroed memory below 2 GiB: capabilities hold 44 bits of an address. */
void *mock_memory(size_t bytes);

/* The clock, in ticks; one microsecond has 10. */
extern ticks_t mock_time;
extern ticks_t mock_deadline;
/* Interrupts are "pending" once every so many questions; 0: never. */
extern unsigned mock_preempt_every;
/* Kernel text goes nowhere. */
extern bool mock_silent;
/* Or here; and what happens at a panic, instead of abort(). */
extern void (*mock_console)(char c);
extern void (*mock_halt)(void);
