/*
 * Arm dual-timer module SP804 (Arm DDI 0271D): two down-counters of 16 or 32
 * bits. Its two interrupts are or-ed into line 0 (TIMINTC).
 */
#pragma once

#include <dev/countdown.h>
#include <dev/mmio.h>
#include <dev/timer_env.h>
#include <stdint.h>

#define SP804_FRAME_BYTES 0x1000u
#define SP804_TIMERS 2u

/* Private to the model; here so that the owner can embed it. */
struct sp804 {
	struct timer_env env;
	uint64_t tick_ns; /* of TIMCLK */
	struct sp804_timer {
		struct countdown count;
		uint32_t load, control;
		bool ris;
	} timer[SP804_TIMERS];
	bool irq;
};

/* Reset state; `env` is copied. Does not call it. */
void sp804_init(struct sp804 *s, const struct timer_env *env, uint32_t hz);
/* Reset; lowers the line if it was up. */
void sp804_reset(struct sp804 *s);
/* One access. Never MMIO_FAULT. */
enum mmio_outcome sp804_access(struct sp804 *s, struct mmio *m);
void sp804_expired(struct sp804 *s);
/* In the clock of env.now_ns; COUNTDOWN_NEVER: none. */
uint64_t sp804_deadline(const struct sp804 *s);
