/*
 * The private region of a Cortex-A9 MPCore (Arm DDI 0407I) but for its
 * interrupt controller: snoop control unit, global timer, and for each CPU a
 * private timer and a watchdog. Times in the region count PERIPHCLK.
 */
#pragma once

#include <dev/countdown.h>
#include <dev/mmio.h>
#include <dev/timer_env.h>
#include <stdint.h>

#define A9MP_CPUS 4u
#define A9MP_SCU_BYTES 0x100u
#define A9MP_GLOBAL_TIMER 0x200u
#define A9MP_GLOBAL_TIMER_BYTES 0x20u
#define A9MP_PRIVATE_TIMER 0x600u
#define A9MP_PRIVATE_TIMER_BYTES 0x40u /* with the watchdog */

/* env's lines: of CPU n, 3n + these. */
enum a9mp_line { A9MP_GLOBAL,
		 A9MP_PRIVATE,
		 A9MP_WATCHDOG,
		 A9MP_LINES };

/* Private to the model; here so that the owner can embed it. */
struct a9mp {
	struct timer_env env;
	unsigned n_cpus;
	uint64_t tick_ns; /* of PERIPHCLK */
	uint32_t scu_control, scu_power, scu_filter[2], scu_access[2];
	/* Global timer: its value at a moment, and the CPUs' comparators. */
	uint64_t global_value, global_at_ns;
	uint32_t global_control; /* bits that the CPUs share */
	struct a9mp_cpu {
		struct {
			uint64_t compare;
			uint32_t control, increment;
			bool event;
		} global;
		struct a9mp_timer {
			struct countdown count;
			uint32_t load, control;
			bool event;
		} timer, watchdog;
		uint32_t disable; /* last write to the watchdog's disable register */
		bool reset_status;
		bool irq[A9MP_LINES];
	} cpu[A9MP_CPUS];
};

/* Reset state; `env` is copied. n_cpus is at most A9MP_CPUS. */
void a9mp_init(struct a9mp *a, const struct timer_env *env, unsigned n_cpus, uint32_t periph_hz);
/* Reset; lowers the lines that were up. */
void a9mp_reset(struct a9mp *a);
/* One access of CPU `cpu`; the offset is from PERIPHBASE. Never MMIO_FAULT. */
enum mmio_outcome a9mp_access(struct a9mp *a, unsigned cpu, struct mmio *m);
void a9mp_expired(struct a9mp *a);
/* In the clock of env.now_ns; COUNTDOWN_NEVER: none. */
uint64_t a9mp_deadline(const struct a9mp *a);
