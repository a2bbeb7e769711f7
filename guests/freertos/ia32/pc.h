/* What of a PC the application uses. */
#pragma once

#include <stdint.h>

/* What the local APIC's timer counts in a second, against the PIT. */
unsigned long pc_measure_apic(void);
/* Once the scheduler runs. The port writes the timer's count while that is still one-shot, and
 * the mode later: held up for a tick between the two, it has a timer that has ended and never
 * starts again. */
void pc_start_tick(void);
/* The 8259s interrupt nobody. */
void pc_mask_8259(void);
/* 0 to 59, or 0 to 0x59 in BCD. */
unsigned rtc_second(void);
/* How often it was started; in the RTC's memory, which outlives a restart. */
unsigned restart_count(void);
void pc_restart(void);
void pc_off(void);
