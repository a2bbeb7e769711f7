/*
 * Refills. A sporadic server: what is used at a time comes back one period
 * later. Invariants: amounts add up to the budget; times ascend; entries do
 * not overlap; the head holds at least the minimum budget.
 * Round robin (period 0) has one entry that only counts down.
 */
#include <kernel/sched.h>

static unsigned index_after(const struct sched_context *sc, unsigned i)
{
	return i + 1u == sc->refill_max ? 0 : i + 1u;
}

static struct refill *entry(struct sched_context *sc, unsigned n)
{
	unsigned i = sc->head + n;

	return &sc->refill[i >= sc->refill_max ? i - sc->refill_max : i];
}

static struct refill pop(struct sched_context *sc)
{
	struct refill r = *refill_head(sc);

	sc->head = (uint16_t)index_after(sc, sc->head);
	sc->count--;
	return r;
}

/* Adds at the end; joins the last entry if they touch or there is no room. */
static void append(struct sched_context *sc, struct refill r)
{
	struct refill *last = sc->count ? entry(sc, sc->count - 1u) : NULL;

	if (last && last->time + last->amount >= r.time) {
		last->amount += r.amount;
	} else if (sc->count == sc->refill_max) {
		last->time = r.time - last->amount;
		last->amount += r.amount;
	} else {
		*entry(sc, sc->count) = r;
		sc->count++;
	}
}

static void set_parameters(struct sched_context *sc, unsigned max, ticks_t budget, ticks_t period)
{
	sc->refill_max = (uint16_t)max;
	sc->budget = budget;
	sc->period = period;
	sc->head = 0;
	sc->count = 1;
}

void refill_reset(struct sched_context *sc, unsigned max, ticks_t budget,
		  ticks_t period, ticks_t now)
{
	set_parameters(sc, max, budget, period);
	sc->refill[0] = (struct refill){ now, budget };
}

void refill_update(struct sched_context *sc, unsigned max, ticks_t budget,
		   ticks_t period, ticks_t now)
{
	struct refill head = *refill_head(sc);

	if (refill_ready(sc, now))
		head.time = now;
	set_parameters(sc, max, budget, period);
	if (head.amount >= budget || period == 0) {
		head.amount = budget;
	} else {
		sc->refill[1] = (struct refill){ head.time + period, budget - head.amount };
		sc->count = 2;
	}
	sc->refill[0] = head;
}

bool refill_ready(const struct sched_context *sc, ticks_t now)
{
	return sc_is_round_robin(sc) || sc->refill[sc->head].time <= now + sched_wcet();
}

bool refill_sufficient(const struct sched_context *sc, ticks_t used)
{
	return sc->refill[sc->head].amount >= used + sched_min_budget();
}

/* Time lost beyond the whole budget (the machine stood still) moves
 * everything by whole periods. */
static ticks_t charge_rounds(struct sched_context *sc, ticks_t used)
{
	ticks_t rounds = used / sc->budget, limit = (1ull << 62) / sc->period;

	for (unsigned i = 0; rounds && i < sc->count; i++)
		entry(sc, i)->time += (rounds < limit ? rounds : limit) * sc->period;
	return used % sc->budget;
}

/* The head, if it is too small to be used, waits for the next entry. */
static void join_small_heads(struct sched_context *sc)
{
	while (sc->count > 1 && refill_head(sc)->amount < sched_min_budget()) {
		ticks_t amount = pop(sc).amount;

		refill_head(sc)->time -= amount;
		refill_head(sc)->amount += amount;
	}
}

static void charge_sporadic(struct sched_context *sc, ticks_t used)
{
	/* Bounded by the entries: `used` is less than the budget. */
	used = charge_rounds(sc, used);
	while (used >= refill_head(sc)->amount) {
		struct refill r = pop(sc);

		used -= r.amount;
		r.time += sc->period;
		append(sc, r);
	}
	if (used > 0) {
		struct refill *head = refill_head(sc);
		struct refill r = { head->time + sc->period, used };

		head->amount -= used;
		head->time += used;
		append(sc, r);
	}
	join_small_heads(sc);
}

void refill_charge(struct sched_context *sc, ticks_t used)
{
	struct refill *head = refill_head(sc);

	if (!sc_is_round_robin(sc))
		charge_sporadic(sc, used);
	else if (head->amount >= used + sched_min_budget())
		head->amount -= used;
	else
		head->amount = sc->budget;
}

void refill_unblock(struct sched_context *sc, ticks_t now)
{
	if (sc_is_round_robin(sc) || !refill_ready(sc, now))
		return;
	refill_head(sc)->time = now;
	while (sc->count > 1 && entry(sc, 1)->time <= now + refill_head(sc)->amount) {
		ticks_t amount = pop(sc).amount;

		refill_head(sc)->time = now;
		refill_head(sc)->amount += amount;
	}
}
