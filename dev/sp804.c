#include <dev/reg.h>
#include <dev/sp804.h>

/* TimerXControl (DDI 0271D 3.3.3). */
#define CTRL_ONE_SHOT (1u << 0)
#define CTRL_32BIT (1u << 1)
#define CTRL_PRESCALE 0x0cu /* 0: 1, 1: 16, 2: 256; 3 is undefined */
#define CTRL_INT_ENABLE (1u << 5)
#define CTRL_PERIODIC (1u << 6)
#define CTRL_ENABLE (1u << 7)
#define CTRL_RESET CTRL_INT_ENABLE

static uint64_t now(const struct sp804 *s)
{
	return s->env.now_ns(s->env.opaque);
}

/* What a counter starts again from behind zero. */
static uint32_t reload_of(const struct sp804_timer *t)
{
	uint32_t all = t->control & CTRL_32BIT ? UINT32_MAX : UINT16_MAX;

	return t->control & CTRL_PERIODIC ? t->load & all : all;
}

static uint64_t tick_of(const struct sp804 *s, const struct sp804_timer *t)
{
	return s->tick_ns << (t->control & CTRL_PRESCALE);
}

static void update(struct sp804 *s)
{
	bool level = false;

	for (unsigned i = 0; i < SP804_TIMERS; i++) {
		struct sp804_timer *t = &s->timer[i];

		t->ris |= countdown_passed(&t->count, now(s));
		level |= t->ris && (t->control & CTRL_INT_ENABLE);
	}
	if (level == s->irq)
		return;
	s->irq = level;
	s->env.set_irq(s->env.opaque, 0, level);
}

/* Counts on from `value` as the control register says. */
static void go(struct sp804 *s, struct sp804_timer *t, uint32_t value)
{
	uint64_t reload = reload_of(t);
	bool wraps = !(t->control & CTRL_PERIODIC);

	if (!(t->control & CTRL_32BIT))
		value &= UINT16_MAX;
	countdown_init(&t->count, tick_of(s, t), value);
	if (!(t->control & CTRL_ENABLE))
		return;
	/* A period of `load` counts; a load of 0 interrupts at each. */
	countdown_start(&t->count, now(s), value,
			t->control & CTRL_ONE_SHOT ? 0 : reload + (wraps || reload == 0));
}

static uint32_t value_of(const struct sp804 *s, const struct sp804_timer *t)
{
	return countdown_value(&t->count, now(s), reload_of(t));
}

static enum mmio_outcome timer_read(struct sp804 *s, struct sp804_timer *t, unsigned offset,
				    struct mmio *m)
{
	switch (offset) {
	case 0x00: /* Load */
	case 0x18: /* BGLoad */
		return mmio_done(m, t->load);
	case 0x04:
		return mmio_done(m, value_of(s, t));
	case 0x08:
		return mmio_done(m, t->control);
	case 0x10:
		return mmio_done(m, t->ris);
	case 0x14:
		return mmio_done(m, t->ris && (t->control & CTRL_INT_ENABLE));
	default:
		return mmio_ignore(m, "no such register");
	}
}

static enum mmio_outcome timer_write(struct sp804 *s, struct sp804_timer *t, unsigned offset,
				     struct mmio *m)
{
	uint32_t value = (uint32_t)(m->value & mmio_mask(m)), counted, was = t->control;

	switch (offset) {
	case 0x00:
		t->load = value;
		go(s, t, value);
		return MMIO_HANDLED;
	case 0x08:
		counted = value_of(s, t);
		t->control = value & 0xefu;
		if ((value & CTRL_PRESCALE) == CTRL_PRESCALE)
			t->control &= ~CTRL_PRESCALE;
		if ((was ^ t->control) & ~CTRL_INT_ENABLE)
			go(s, t, counted);
		return MMIO_HANDLED;
	case 0x0c:
		t->ris = false;
		return MMIO_HANDLED;
	case 0x18: /* takes effect behind the next zero */
		if ((t->control & (CTRL_PERIODIC | CTRL_ONE_SHOT)) == CTRL_PERIODIC)
			countdown_set_period(&t->count, now(s), reload_of(t), value ? value : 1);
		t->load = value;
		return MMIO_HANDLED;
	default:
		return mmio_ignore(m, "no such register");
	}
}

/* DDI 0271D table 3-1: the test registers are left out. */
static const struct dev_reg identification[DEV_REG_PLACES] = {
	DEV_REG_PRIMECELL_ID(0x04, 0x18, 0x14, 0x00),
};

enum mmio_outcome sp804_access(struct sp804 *s, struct mmio *m)
{
	enum mmio_outcome outcome;
	struct sp804_timer *t;

	if (m->size > 4)
		return mmio_ignore(m, "access size");
	if (m->offset >= 0x40)
		return dev_reg_access(identification, s, m);
	update(s);
	t = &s->timer[m->offset / 0x20];
	outcome = m->write ? timer_write(s, t, m->offset % 0x20, m)
			   : timer_read(s, t, m->offset % 0x20, m);
	update(s);
	return outcome;
}

void sp804_expired(struct sp804 *s)
{
	update(s);
}

uint64_t sp804_deadline(const struct sp804 *s)
{
	uint64_t first = COUNTDOWN_NEVER;

	for (unsigned i = 0; i < SP804_TIMERS; i++) {
		const struct sp804_timer *t = &s->timer[i];
		uint64_t next = countdown_next(&t->count);

		/* While one waits to be cleared no other is seen. */
		if ((t->control & CTRL_INT_ENABLE) && !t->ris && next < first)
			first = next;
	}
	return first;
}

static void reset_state(struct sp804 *s)
{
	for (unsigned i = 0; i < SP804_TIMERS; i++) {
		s->timer[i] = (struct sp804_timer){ .control = CTRL_RESET };
		countdown_init(&s->timer[i].count, s->tick_ns, UINT32_MAX);
	}
}

void sp804_init(struct sp804 *s, const struct timer_env *env, uint32_t hz)
{
	*s = (struct sp804){ .env = *env, .tick_ns = 1000000000u / hz };
	reset_state(s);
}

void sp804_reset(struct sp804 *s)
{
	reset_state(s);
	update(s);
}
