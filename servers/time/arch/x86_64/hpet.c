/*
 * The HPET's timer 0 (IA-PC HPET 1.0a, 2.3), one shot, in the PIT's place: "legacy replacement"
 * needs no choice among the pins. Its lower 32 bits are used, which every HPET has; a
 * deadline that is further away than half of them is come to in steps.
 */
#include "pc_timers.h"

#include <selvage/base.h>
#include <selvage/clock.h>
#include <selvage/log.h>

/* Words of the registers. */
enum hpet_reg {
	CAPABILITIES = 0x0 / 4,
	PERIOD = 0x4 / 4, /* femtoseconds */
	CONFIG = 0x10 / 4,
	COUNTER = 0xf0 / 4,
	TIMER0_CONFIG = 0x100 / 4,
	TIMER0_COMPARATOR = 0x108 / 4,
};
#define CAN_REPLACE (1u << 15)
#define PERIOD_MAX 0x05f5e100u /* 100 ns: no HPET may be slower */
#define ENABLE 1u
#define REPLACE 2u
#define TIMER_ON (1u << 2) /* else edge, one shot */
#define TIMER_32 (1u << 8)
#define FS_PER_S 1000000000000000ull

#define MOST 0x7fffffffu
#define LEAST 16u /* ticks that a comparator may take to be in force */
#define TRIES 16u

static volatile uint32_t *regs;
static uint64_t hz;

bool hpet_open(uint64_t at)
{
	regs = (volatile uint32_t *)(uintptr_t)at;
	if (!(regs[CAPABILITIES] & CAN_REPLACE) || regs[PERIOD] == 0 || regs[PERIOD] > PERIOD_MAX)
		return false;
	hz = FS_PER_S / regs[PERIOD];
	hpet_off();
	regs[CONFIG] = ENABLE | REPLACE;
	log_info("HPET at %llu Hz", (unsigned long long)hz);
	return true;
}

/* It interrupts when both are equal: one that the counter has passed by now is set anew. */
void hpet_set(uint64_t deadline)
{
	uint64_t now = clock_now();
	uint64_t left = deadline > now ? clock_scale(deadline - now, clock_hz(), hz) : 0;
	uint32_t n = (uint32_t)max_u64(min_u64(left + 1, MOST), LEAST);

	for (unsigned i = 0; i < TRIES; i++) {
		uint32_t at = regs[COUNTER] + n;

		regs[TIMER0_COMPARATOR] = at;
		regs[TIMER0_CONFIG] = TIMER_ON | TIMER_32;
		if ((int32_t)(at - regs[COUNTER]) > 0)
			return;
		n *= 2;
	}
}

void hpet_off(void) { regs[TIMER0_CONFIG] = TIMER_32; }
