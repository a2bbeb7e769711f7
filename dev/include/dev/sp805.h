/*
 * Arm watchdog module SP805 (Arm DDI 0270B). Line 0 is WDOGINT; when it runs
 * out again with that still up, env.reset is called.
 */
#pragma once

#include <dev/countdown.h>
#include <dev/mmio.h>
#include <dev/timer_env.h>
#include <stdint.h>

#define SP805_FRAME_BYTES 0x1000u

/* Private to the model; here so that the owner can embed it. */
struct sp805 {
	struct timer_env env;
	struct countdown count;
	uint64_t tick_ns; /* of WDOGCLK */
	uint32_t load, control;
	bool ris, locked, irq;
};

/* Reset state; `env` is copied. Does not call it. */
void sp805_init(struct sp805 *w, const struct timer_env *env, uint32_t hz);
/* One access. Never MMIO_FAULT. */
enum mmio_outcome sp805_access(struct sp805 *w, struct mmio *m);
void sp805_expired(struct sp805 *w);
/* In the clock of env.now_ns; COUNTDOWN_NEVER: none. */
uint64_t sp805_deadline(const struct sp805 *w);
