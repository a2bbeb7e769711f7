/* The two timers of a PC that interrupt by the pin of ISA interrupt 0, one at a time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* As timer_hw.h has them. */
void pit_set(uint64_t deadline);
void pit_off(void);

/* False: its registers, which are at `at`, are none that it could be used by. */
bool hpet_open(uint64_t at);
void hpet_set(uint64_t deadline);
void hpet_off(void);
