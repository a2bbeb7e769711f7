/*
 * Real-time clock and CMOS memory MC146818 (Motorola ADI-856R2) at its PC
 * ports: index (0x70, bit 7 masks NMI) and data (0x71). 128 bytes.
 *
 * The clock runs on the owner's; what the guest sets is an offset to it. The day
 * of the week follows from the date, and the century is byte 0x32. There is no
 * daylight saving and no square wave. Alarm, periodic and update interrupts as
 * in the data sheet; several periods without a look are one interrupt.
 */
#pragma once

#include <dev/mmio.h>
#include <dev/timer_env.h>
#include <stdbool.h>
#include <stdint.h>

#define RTC_PORTS 2u
#define RTC_BYTES 128u
#define RTC_MEMORY (RTC_BYTES - 14u) /* behind the clock's registers */

/* Private to the model; here so that the owner can embed it. */
struct rtc {
	struct timer_env env; /* line 0 is IRQ#; no reset */
	uint8_t index;
	bool nmi_masked;
	uint8_t cmos[RTC_BYTES]; /* the clock's bytes: while it stands */
	/* While it runs: it was second `base_s` since 1970 at base_ns. */
	uint64_t base_ns;
	uint64_t base_s;
	uint64_t seen_s;     /* updates since then that were noticed */
	uint64_t seen_ticks; /* counts of 32,768 Hz up to which periods were noticed */
	bool irq;
};

/* Reset state, showing `seconds` since 1970; `env` is copied, its clock called. */
void rtc_init(struct rtc *r, const struct timer_env *env, uint64_t seconds);
/* RESET# of the chip: interrupts off; time and memory stay. */
void rtc_reset(struct rtc *r);
enum mmio_outcome rtc_access(struct rtc *r, struct mmio *m);
/* For the owner: what firmware leaves in memory, from byte 0x0e on. */
void rtc_set_byte(struct rtc *r, unsigned index, uint8_t value);
/* All of that memory, for an owner that keeps it; the clock is not in it. */
void rtc_save(const struct rtc *r, uint8_t memory[RTC_MEMORY]);
void rtc_load(struct rtc *r, const uint8_t memory[RTC_MEMORY]);
bool rtc_nmi_masked(const struct rtc *r);
void rtc_expired(struct rtc *r);
/* In the clock of env.now_ns; UINT64_MAX: none. */
uint64_t rtc_deadline(const struct rtc *r);
