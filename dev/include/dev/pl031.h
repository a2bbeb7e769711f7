/*
 * Arm PrimeCell real-time clock PL031 (Arm DDI 0224C): seconds, one alarm.
 *
 * Time comes from env.now_seconds; the guest's setting of the clock is an
 * offset to it and changes nobody else's clock. When the guest sets an alarm
 * the device asks for a call of pl031_alarm() at that moment.
 */
#pragma once

#include <dev/mmio.h>
#include <dev/reg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PL031_FRAME_BYTES 0x1000u

struct pl031_env {
	void *opaque;
	/* Wall clock in seconds since 1970; must not run backwards. */
	uint64_t (*now_seconds)(void *opaque);
	/* Wants pl031_alarm() in `seconds` seconds from now (0: never; an
	 * earlier request is replaced). May be NULL: then the alarm is noticed
	 * at the guest's next access. */
	void (*set_alarm)(void *opaque, uint64_t seconds);
	/* The interrupt line (RTCINTR); called on a change only. */
	void (*set_irq)(void *opaque, bool level);
};

/* Private to the model; here so that the owner can embed it. */
struct pl031 {
	struct pl031_env env;
	uint64_t looked; /* env.now_seconds when the alarm was last checked */
	uint32_t offset; /* RTCDR = now + offset, modulo 2^32 */
	uint32_t match;  /* RTCMR */
	uint32_t load;   /* RTCLR */
	bool armed;      /* the guest has written RTCMR */
	uint32_t ris;    /* RTCRIS */
	uint32_t imsc;   /* RTCIMSC */
	bool irq;
};

/* Reset state; the clock shows env.now_seconds. `env` is copied; its
 * now_seconds is called. */
void pl031_init(struct pl031 *r, const struct pl031_env *env);
/* One access. Never MMIO_FAULT: unknown offsets are RAZ/WI. */
enum mmio_outcome pl031_access(struct pl031 *r, struct mmio *m);
/* The moment asked for by env.set_alarm has come (early or late is fine: the
 * device looks at the clock). */
void pl031_alarm(struct pl031 *r);
/* Level of the interrupt line. */
bool pl031_irq_level(const struct pl031 *r);
/* The register table, for tests and documents. */
const struct dev_reg *pl031_registers(void);
