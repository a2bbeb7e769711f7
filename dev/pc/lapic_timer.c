/* The local APIC's timer: SDM volume 3, 11.5.4. */
#include "lapic_internal.h"

#include <dev/pc/ticks.h>

static uint64_t now(const struct lapic *l)
{
	return l->env.now_ns(l->env.opaque);
}

static uint32_t mode(const struct lapic *l)
{
	return l->lvt[LVT_TIMER] & LVT_TIMER_MODE;
}

/* Figure 11-10: 0b0000 is 2, 0b1010 is 128, 0b1011 is 1. At 1 GHz a count takes
 * as many nanoseconds. */
static unsigned divider(const struct lapic *l)
{
	return 1u << (((l->divide & 3) + (l->divide >> 1 & 4) + 1) & 7);
}

static uint64_t period(const struct lapic *l)
{
	return mode(l) == LVT_TIMER_PERIODIC ? l->initial : 0;
}

void lapic_timer_stop(struct lapic *l)
{
	l->tsc_deadline = 0;
	countdown_init(&l->count, divider(l), 0);
}

void lapic_expired(struct lapic *l)
{
	bool due = countdown_passed(&l->count, now(l));

	if (l->tsc_deadline != 0 && l->env.tsc(l->env.opaque) >= l->tsc_deadline) {
		l->tsc_deadline = 0;
		due = true;
	}
	if (due)
		lapic_local(l, LVT_TIMER);
}

uint64_t lapic_deadline(const struct lapic *l)
{
	uint64_t tsc, wait;

	if (l->lvt[LVT_TIMER] & LVT_MASKED)
		return TICKS_NEVER; /* it is noticed when somebody looks */
	if (l->tsc_deadline == 0)
		return countdown_next(&l->count);
	tsc = l->env.tsc(l->env.opaque);
	wait = tsc < l->tsc_deadline ? ticks_to_ns(l->tsc_deadline - tsc, l->tsc_hz) : 0;
	return wait > TICKS_NEVER - now(l) ? TICKS_NEVER : now(l) + wait;
}

uint32_t lapic_timer_current(struct lapic *l)
{
	lapic_expired(l);
	return countdown_value(&l->count, now(l), l->initial);
}

static void go(struct lapic *l, uint32_t value)
{
	countdown_init(&l->count, divider(l), 0);
	if (value != 0)
		countdown_start(&l->count, now(l), value, period(l));
}

void lapic_timer_set_initial(struct lapic *l, uint32_t value)
{
	lapic_expired(l);
	if (mode(l) == LVT_TIMER_DEADLINE)
		return;
	l->initial = value;
	go(l, value);
}

void lapic_timer_set_divide(struct lapic *l, uint32_t value)
{
	uint32_t current = lapic_timer_current(l);

	l->divide = value & 0xb;
	go(l, current);
}

void lapic_timer_set_lvt(struct lapic *l, uint32_t value)
{
	uint32_t was = mode(l), current = lapic_timer_current(l);

	l->lvt[LVT_TIMER] = value;
	if (mode(l) == was)
		return;
	/* Changing to or from TSC-deadline mode disarms the timer. */
	if (was == LVT_TIMER_DEADLINE || mode(l) == LVT_TIMER_DEADLINE) {
		l->initial = 0;
		lapic_timer_stop(l);
	} else {
		go(l, current);
	}
}

uint64_t lapic_timer_deadline_msr(struct lapic *l)
{
	lapic_expired(l);
	return l->tsc_deadline;
}

void lapic_timer_set_deadline(struct lapic *l, uint64_t value)
{
	if (mode(l) != LVT_TIMER_DEADLINE)
		return;
	l->tsc_deadline = value;
	lapic_expired(l);
}
