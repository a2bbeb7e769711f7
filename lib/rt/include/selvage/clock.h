/* The machine's counter (CNTPCT_EL0) and its units. */
#pragma once

#include <selvage/clock_scale.h>
#include <selvage/rt_arch.h>
#include <stdint.h>

/* Ticks since the machine started, and ticks a second. */
static inline uint64_t clock_now(void) { return clock_arch_now(); }
/* For what is only counted: it may move by a few instructions. */
static inline uint64_t clock_about(void) { return clock_arch_about(); }
static inline uint64_t clock_hz(void) { return clock_arch_hz(); }

static inline uint64_t clock_ticks_to_us(uint64_t ticks)
{
	return clock_scale(ticks, clock_hz(), CLOCK_US_PER_S);
}
static inline uint64_t clock_ticks_to_ns(uint64_t ticks)
{
	return clock_scale(ticks, clock_hz(), CLOCK_NS_PER_S);
}
static inline uint64_t clock_us_to_ticks(uint64_t us)
{
	return clock_scale(us, CLOCK_US_PER_S, clock_hz());
}
static inline uint64_t clock_ns_to_ticks(uint64_t ns)
{
	return clock_scale(ns, CLOCK_NS_PER_S, clock_hz());
}
