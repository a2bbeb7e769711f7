#include <dev/pc/hpet.h>

#include <dev/pc/ticks.h>

/* 2.3.4 */
#define PERIOD_FS (1000000000000000ull / HPET_HZ)
#define CAPABILITIES (PERIOD_FS << 32 | HPET_ID)
#define CONFIG_ENABLE (1u << 0)
#define CONFIG_LEGACY (1u << 1)
/* 2.3.8 */
#define TIMER_LEVEL (1u << 1)
#define TIMER_ENABLE (1u << 2)
#define TIMER_PERIODIC (1u << 3)
#define TIMER_CAN_PERIODIC (1u << 4)
#define TIMER_IS_64 (1u << 5)
#define TIMER_SET (1u << 6)
#define TIMER_32 (1u << 8)
#define TIMER_ROUTE 9u
#define TIMER_WRITABLE \
	(TIMER_LEVEL | TIMER_ENABLE | TIMER_PERIODIC | TIMER_SET | TIMER_32 | 31u << TIMER_ROUTE)
#define LEGACY_TIMERS 2u
static const uint8_t legacy_gsi[LEGACY_TIMERS] = { 2, 8 };

static uint64_t now(const struct hpet *h)
{
	return ticks_from_ns(h->env.now_ns(h->env.opaque), HPET_HZ);
}

static uint64_t counter(const struct hpet *h)
{
	return h->config & CONFIG_ENABLE ? h->base + now(h) : h->counter;
}

/* A comparator of 32 bits compares with the counter's lower half. */
static uint64_t width(const struct hpet_timer *t)
{
	return t->config & TIMER_32 ? UINT32_MAX : UINT64_MAX;
}

/* Counts from `from` to the next match: from a match, a whole turn. */
static uint64_t distance(const struct hpet_timer *t, uint64_t from)
{
	uint64_t left = (t->comparator - from) & width(t);

	return left != 0 ? left : width(t) == UINT64_MAX ? UINT64_MAX
							 : width(t) + 1;
}

/* --- Lines ---------------------------------------------------------------------------- */

static unsigned gsi_of(const struct hpet *h, unsigned i)
{
	if ((h->config & CONFIG_LEGACY) && i < LEGACY_TIMERS)
		return legacy_gsi[i];
	return h->timer[i].config >> TIMER_ROUTE & 31;
}

static bool interrupts(const struct hpet *h, unsigned i)
{
	/* 2.2.3: the enable of all timers is that of their interrupts too. */
	return (h->config & CONFIG_ENABLE) && (h->timer[i].config & TIMER_ENABLE);
}

static void set_line(struct hpet *h, unsigned i, bool level)
{
	struct hpet_timer *t = &h->timer[i];

	if (level == t->line)
		return;
	if (level)
		t->gsi = (uint8_t)gsi_of(h, i);
	t->line = level;
	h->env.set_irq(h->env.opaque, i, t->gsi, level);
}

/* Lines that are held by level, after any change. */
static void update(struct hpet *h)
{
	for (unsigned i = 0; i < HPET_TIMERS; i++) {
		bool level = interrupts(h, i) && (h->status >> i & 1) &&
			     (h->timer[i].config & TIMER_LEVEL);

		if (h->timer[i].line && h->timer[i].gsi != gsi_of(h, i))
			set_line(h, i, false);
		set_line(h, i, level);
	}
}

static void match(struct hpet *h, unsigned i)
{
	if (h->timer[i].config & TIMER_LEVEL) {
		h->status |= 1u << i;
	} else if (interrupts(h, i)) {
		set_line(h, i, true);
		set_line(h, i, false);
	}
}

/* What has matched since the last look. */
static void look(struct hpet *h)
{
	uint64_t at = counter(h), passed = at - h->looked;

	if (passed > UINT64_MAX / 2) /* another core has read the clock before */
		return;
	for (unsigned i = 0; i < HPET_TIMERS; i++) {
		struct hpet_timer *t = &h->timer[i];
		uint64_t left = distance(t, h->looked);

		if (left > passed)
			continue;
		if ((t->config & TIMER_PERIODIC) && t->period != 0)
			t->comparator = (t->comparator +
					 (1 + (passed - left) / t->period) * t->period) &
					width(t);
		match(h, i);
	}
	h->looked = at;
	update(h);
}

void hpet_expired(struct hpet *h)
{
	look(h);
}

uint64_t hpet_deadline(const struct hpet *h)
{
	uint64_t first = UINT64_MAX, due;

	for (unsigned i = 0; i < HPET_TIMERS; i++) {
		uint64_t left = distance(&h->timer[i], h->looked);

		/* A status that stands already says nothing new. */
		if (interrupts(h, i) && left < first &&
		    !((h->timer[i].config & TIMER_LEVEL) && (h->status >> i & 1)))
			first = left;
	}
	if (first == UINT64_MAX || __builtin_add_overflow(h->looked - h->base, first, &due))
		return UINT64_MAX;
	return ticks_to_ns(due, HPET_HZ);
}

/* --- Registers -------------------------------------------------------------------------- */

static uint64_t timer_read(const struct hpet *h, unsigned i, unsigned reg)
{
	const struct hpet_timer *t = &h->timer[i];

	if (reg == 0)
		return (uint64_t)h->routes << 32 | t->config | TIMER_CAN_PERIODIC | TIMER_IS_64;
	return reg == 8 ? t->comparator : 0;
}

static void timer_config(struct hpet *h, struct hpet_timer *t, uint32_t value)
{
	t->config = value & TIMER_WRITABLE;
	/* A route that there is not leaves none (2.3.8, Tn_INT_ROUTE_CNF). */
	if (!(h->routes >> (value >> TIMER_ROUTE & 31) & 1))
		t->config &= ~(31u << TIMER_ROUTE);
	if (t->config & TIMER_32) {
		t->comparator = (uint32_t)t->comparator;
		t->period = (uint32_t)t->period;
	}
}

static void timer_write(struct hpet *h, unsigned i, unsigned reg, unsigned at, const struct mmio *m)
{
	struct hpet_timer *t = &h->timer[i];
	uint64_t value;

	if (reg == 0 && at == 0) {
		timer_config(h, t, (uint32_t)m->value);
	} else if (reg == 8) {
		/* Periodic: the period, and with TIMER_SET the next match too (2.3.9.2). */
		if (!(t->config & TIMER_PERIODIC) || (t->config & TIMER_SET))
			t->comparator = mmio_merge(t->comparator, at, m->size, m->value) & width(t);
		value = mmio_merge(t->period, at, m->size, m->value) & width(t);
		if (t->config & TIMER_PERIODIC)
			t->period = value;
		/* Both halves of a value of 64 bits belong to one setting. */
		if (m->size == 8 || at == 4 || (t->config & TIMER_32))
			t->config &= ~TIMER_SET;
	}
}

static uint64_t read(struct hpet *h, unsigned reg)
{
	if (reg >= 0x100)
		return reg - 0x100 < HPET_TIMERS * 0x20
			       ? timer_read(h, (reg - 0x100) / 0x20, reg % 0x20)
			       : 0;
	switch (reg) {
	case 0x00: return CAPABILITIES;
	case 0x10: return h->config;
	case 0x20: return h->status;
	case 0xf0: return counter(h);
	default: return 0;
	}
}

static void set_config(struct hpet *h, uint32_t value)
{
	uint32_t was = h->config;

	h->counter = counter(h);
	h->config = value & (CONFIG_ENABLE | CONFIG_LEGACY);
	h->base = h->counter - now(h);
	h->looked = h->counter;
	if ((was ^ h->config) & CONFIG_LEGACY)
		h->env.set_legacy(h->env.opaque, h->config & CONFIG_LEGACY);
}

static void write(struct hpet *h, unsigned reg, unsigned at, const struct mmio *m)
{
	uint64_t value;

	if (reg >= 0x100) {
		if (reg - 0x100 < HPET_TIMERS * 0x20)
			timer_write(h, (reg - 0x100) / 0x20, reg % 0x20, at, m);
	} else if (reg == 0x10 && at == 0) {
		set_config(h, (uint32_t)m->value);
	} else if (reg == 0x20 && at == 0) {
		h->status &= ~(uint32_t)m->value;
	} else if (reg == 0xf0 && !(h->config & CONFIG_ENABLE)) {
		value = mmio_merge(h->counter, at, m->size, m->value);
		h->counter = h->looked = value;
	}
}

enum mmio_outcome hpet_access(struct hpet *h, struct mmio *m)
{
	unsigned at = m->offset & 4, reg = (unsigned)m->offset & ~7u;

	if (m->size < 4 || m->offset >= HPET_FRAME_BYTES)
		return mmio_ignore(m, "access size");
	look(h);
	if (!m->write)
		return mmio_done(m, read(h, reg) >> at * 8);
	write(h, reg, at, m);
	update(h);
	return MMIO_HANDLED;
}

void hpet_reset(struct hpet *h)
{
	for (unsigned i = 0; i < HPET_TIMERS; i++)
		set_line(h, i, false);
	if (h->config & CONFIG_LEGACY)
		h->env.set_legacy(h->env.opaque, false);
	h->config = h->status = 0;
	h->counter = h->looked = h->base = 0;
	for (unsigned i = 0; i < HPET_TIMERS; i++)
		h->timer[i] = (struct hpet_timer){ .comparator = UINT64_MAX };
}

void hpet_init(struct hpet *h, const struct hpet_env *env, uint32_t routes)
{
	*h = (struct hpet){ .env = *env, .routes = routes };
	hpet_reset(h);
}
