/*
 * High precision event timers: IA-PC HPET specification 1.0a. A counter of 64
 * bits at 100 MHz and three comparators, all of 64 bits and periodic, with
 * legacy replacement; interrupts as messages (FSB) are not offered.
 *
 * Nothing ticks (timer_env.h); if several periods pass before hpet_expired(),
 * a comparator interrupts once.
 */
#pragma once

#include <dev/mmio.h>
#include <stdbool.h>
#include <stdint.h>

#define HPET_FRAME_BYTES 0x400u
#define HPET_HZ 100000000u
#define HPET_TIMERS 3u
/* The lower half of the capabilities, as ACPI's HPET table repeats it: Intel, legacy
 * replacement, a counter of 64 bits, three timers, revision 1 (2.3.4). */
#define HPET_ID (0x8086u << 16 | 1u << 15 | 1u << 13 | (HPET_TIMERS - 1) << 8 | 1u)

struct hpet_env {
	void *opaque;
	/* A clock that does not run backwards. */
	uint64_t (*now_ns)(void *opaque);
	/* What a comparator does to a pin of the I/O APIC (pc_irq.h: ISA line 0 is
	 * pin 2); called on a change only. */
	void (*set_irq)(void *opaque, unsigned timer, unsigned gsi, bool level);
	/* Legacy replacement is on: lines 0 and 8 are no longer PIT's and RTC's. */
	void (*set_legacy)(void *opaque, bool on);
};

/* Private to the model; here so that the owner can embed it. */
struct hpet {
	struct hpet_env env;
	uint32_t routes; /* the pins that comparators may have, a bit each */
	uint32_t config, status;
	uint64_t base;    /* the counter is base + the clock's counts, if it runs */
	uint64_t counter; /* while it does not run */
	uint64_t looked;  /* the counter when matches were last looked for */
	struct hpet_timer {
		uint32_t config;
		uint64_t comparator, period;
		bool line; /* holds this pin up: */
		uint8_t gsi;
	} timer[HPET_TIMERS];
};

/* Reset state; `env` is copied and not called. */
void hpet_init(struct hpet *h, const struct hpet_env *env, uint32_t routes);
void hpet_reset(struct hpet *h);
enum mmio_outcome hpet_access(struct hpet *h, struct mmio *m);
void hpet_expired(struct hpet *h);
/* In the clock of env.now_ns; UINT64_MAX: none. */
uint64_t hpet_deadline(const struct hpet *h);
