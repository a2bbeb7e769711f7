#include <dev/a9mp.h>
#include <stddef.h>

/* Timer and watchdog control (DDI 0407I 4.2). */
#define TIMER_ENABLE (1u << 0)
#define TIMER_RELOAD (1u << 1)
#define TIMER_IRQ (1u << 2)
#define WATCHDOG_MODE (1u << 3)
#define TIMER_PRESCALER(control) ((control) >> 8 & 0xffu)
#define WATCHDOG_DISABLE_1 0x12345678u
#define WATCHDOG_DISABLE_2 0x87654321u

/* Global timer control (4.4.2): enable and prescaler are one for all CPUs. */
#define GLOBAL_ENABLE (1u << 0)
#define GLOBAL_COMPARE (1u << 1)
#define GLOBAL_IRQ (1u << 2)
#define GLOBAL_INCREMENT (1u << 3)
#define GLOBAL_SHARED 0xff01u
#define GLOBAL_BANKED 0x000eu

static uint64_t now(const struct a9mp *a)
{
	return a->env.now_ns(a->env.opaque);
}

/* --- Private timer and watchdog --------------------------------------------- */

static uint32_t value_of(const struct a9mp *a, const struct a9mp_timer *t)
{
	return countdown_value(&t->count, now(a), t->load);
}

static void go(struct a9mp *a, struct a9mp_timer *t, uint32_t value)
{
	countdown_init(&t->count, a->tick_ns * (TIMER_PRESCALER(t->control) + 1u), value);
	if ((t->control & TIMER_ENABLE) && (value || (t->control & TIMER_RELOAD)))
		countdown_start(&t->count, now(a), value,
				t->control & TIMER_RELOAD ? t->load + 1ull : 0);
}

static enum mmio_outcome timer_read(struct a9mp *a, struct a9mp_timer *t, unsigned offset,
				    struct mmio *m)
{
	switch (offset) {
	case 0x00:
		return mmio_done(m, t->load);
	case 0x04:
		return mmio_done(m, value_of(a, t));
	case 0x08:
		return mmio_done(m, t->control);
	case 0x0c:
		return mmio_done(m, t->event);
	default:
		return mmio_ignore(m, "no such register");
	}
}

static enum mmio_outcome timer_write(struct a9mp *a, struct a9mp_timer *t, unsigned offset,
				     uint32_t value, struct mmio *m)
{
	uint32_t counted = value_of(a, t), was = t->control;

	switch (offset) {
	case 0x00: /* and the counter with it */
		t->load = value;
		go(a, t, value);
		return MMIO_HANDLED;
	case 0x04:
		go(a, t, value);
		return MMIO_HANDLED;
	case 0x08:
		t->control = value;
		if ((was ^ value) & ~TIMER_IRQ)
			go(a, t, counted);
		return MMIO_HANDLED;
	case 0x0c:
		if (value & 1u)
			t->event = false;
		return MMIO_HANDLED;
	default:
		return mmio_ignore(m, "no such register");
	}
}

static enum mmio_outcome watchdog_access(struct a9mp *a, struct a9mp_cpu *c, unsigned offset,
					 uint32_t value, struct mmio *m)
{
	bool guarding = c->watchdog.control & WATCHDOG_MODE;

	if (offset == 0x10) { /* reset status */
		if (!m->write)
			return mmio_done(m, c->reset_status);
		c->reset_status &= !(value & 1u);
		return MMIO_HANDLED;
	}
	if (offset == 0x14) { /* two words in a row end watchdog mode */
		if (m->write && c->disable == WATCHDOG_DISABLE_1 && value == WATCHDOG_DISABLE_2)
			c->watchdog.control &= ~WATCHDOG_MODE;
		c->disable = m->write ? value : c->disable;
		return m->write ? MMIO_HANDLED : mmio_done(m, 0);
	}
	if (!m->write)
		return timer_read(a, &c->watchdog, offset, m);
	if (offset == 0x08)
		value |= c->watchdog.control & WATCHDOG_MODE;
	if (offset == 0x04 && guarding)
		return mmio_ignore(m, "counter written in watchdog mode");
	return timer_write(a, &c->watchdog, offset, value, m);
}

static void watchdog_passed(struct a9mp *a, struct a9mp_cpu *c)
{
	if (!(c->watchdog.control & WATCHDOG_MODE)) {
		c->watchdog.event = true;
		return;
	}
	if (!c->reset_status)
		a->env.reset(a->env.opaque);
	c->reset_status = true;
}

/* --- Global timer -------------------------------------------------------------- */

static uint64_t global_tick_ns(const struct a9mp *a)
{
	return a->tick_ns * (TIMER_PRESCALER(a->global_control) + 1u);
}

static uint64_t global_now(const struct a9mp *a)
{
	uint64_t at = now(a);

	if (!(a->global_control & GLOBAL_ENABLE) || at <= a->global_at_ns)
		return a->global_value;
	return a->global_value + (at - a->global_at_ns) / global_tick_ns(a);
}

static void global_set(struct a9mp *a, uint64_t value)
{
	a->global_value = value;
	a->global_at_ns = now(a);
}

static bool comparing(const struct a9mp *a, const struct a9mp_cpu *c)
{
	return (a->global_control & GLOBAL_ENABLE) && (c->global.control & GLOBAL_COMPARE);
}

/* The event is that the counter is not below the comparator (r2p0 on). */
static void compare(struct a9mp *a, struct a9mp_cpu *c)
{
	uint64_t value = global_now(a), past;

	if (!comparing(a, c) || value < c->global.compare)
		return;
	c->global.event = true;
	if (!(c->global.control & GLOBAL_INCREMENT) || c->global.increment == 0)
		return;
	past = (value - c->global.compare) / c->global.increment + 1;
	c->global.compare += past * c->global.increment;
}

static void set_half(uint64_t *word, unsigned high, uint32_t value)
{
	const unsigned shift = high ? 32 : 0;

	*word = (*word & ~(0xffffffffull << shift)) | (uint64_t)value << shift;
}

static enum mmio_outcome global_read(struct a9mp *a, struct a9mp_cpu *c, unsigned offset,
				     struct mmio *m)
{
	switch (offset) {
	case 0x00:
	case 0x04:
		return mmio_done(m, global_now(a) >> (offset * 8u) & 0xffffffffu);
	case 0x08:
		return mmio_done(m, a->global_control | c->global.control);
	case 0x0c:
		return mmio_done(m, c->global.event);
	case 0x10:
	case 0x14:
		return mmio_done(m, c->global.compare >> ((offset - 0x10) * 8u) & 0xffffffffu);
	case 0x18:
		return mmio_done(m, c->global.increment);
	default:
		return mmio_ignore(m, "no such register");
	}
}

static enum mmio_outcome global_write(struct a9mp *a, struct a9mp_cpu *c, unsigned offset,
				      uint32_t value, struct mmio *m)
{
	uint64_t counted = global_now(a);

	switch (offset) {
	case 0x00:
	case 0x04:
		set_half(&counted, offset, value);
		global_set(a, counted);
		return MMIO_HANDLED;
	case 0x08:
		global_set(a, counted);
		a->global_control = value & GLOBAL_SHARED;
		c->global.control = value & GLOBAL_BANKED;
		return MMIO_HANDLED;
	case 0x0c:
		if (value & 1u)
			c->global.event = false;
		return MMIO_HANDLED;
	case 0x10:
	case 0x14:
		set_half(&c->global.compare, offset - 0x10, value);
		return MMIO_HANDLED;
	case 0x18:
		c->global.increment = value;
		return MMIO_HANDLED;
	default:
		return mmio_ignore(m, "no such register");
	}
}

/* --- Snoop control unit (2.2) ---------------------------------------------------- */

static uint32_t *scu_field(struct a9mp *a, unsigned offset)
{
	switch (offset) {
	case 0x00:
		return &a->scu_control;
	case 0x08:
		return &a->scu_power;
	case 0x40:
	case 0x44:
		return &a->scu_filter[offset / 4u % 2u];
	case 0x50:
	case 0x54:
		return &a->scu_access[offset / 4u % 2u];
	default:
		return NULL;
	}
}

static enum mmio_outcome scu_access(struct a9mp *a, struct mmio *m)
{
	const unsigned word = (unsigned)m->offset & ~3u, shift = (unsigned)m->offset % 4u * 8u;
	const uint32_t mask = (uint32_t)mmio_mask(m) << shift;
	uint32_t *field = scu_field(a, word);

	if (word == 0x04 && !m->write) /* which CPUs are in SMP, how many there are */
		return mmio_done(m, (((1u << a->n_cpus) - 1u) << 4 | (a->n_cpus - 1u)) >> shift);
	if (word == 0x0c) /* caches that are not there are invalid */
		return m->write ? MMIO_HANDLED : mmio_done(m, 0);
	if (!field)
		return mmio_ignore(m, "no such register");
	if (!m->write)
		return mmio_done(m, *field >> shift);
	*field = (*field & ~mask) | ((uint32_t)m->value << shift & mask);
	return MMIO_HANDLED;
}

/* --- All of it ------------------------------------------------------------------- */

static void set_line(struct a9mp *a, unsigned cpu, enum a9mp_line line, bool level)
{
	if (a->cpu[cpu].irq[line] == level)
		return;
	a->cpu[cpu].irq[line] = level;
	a->env.set_irq(a->env.opaque, cpu * A9MP_LINES + line, level);
}

static void update(struct a9mp *a)
{
	for (unsigned i = 0; i < a->n_cpus; i++) {
		struct a9mp_cpu *c = &a->cpu[i];

		compare(a, c);
		c->timer.event |= countdown_passed(&c->timer.count, now(a));
		if (countdown_passed(&c->watchdog.count, now(a)))
			watchdog_passed(a, c);
		set_line(a, i, A9MP_GLOBAL, c->global.event && (c->global.control & GLOBAL_IRQ));
		set_line(a, i, A9MP_PRIVATE, c->timer.event && (c->timer.control & TIMER_IRQ));
		set_line(a, i, A9MP_WATCHDOG,
			 c->watchdog.event && (c->watchdog.control & TIMER_IRQ));
	}
}

static enum mmio_outcome dispatch(struct a9mp *a, struct a9mp_cpu *c, struct mmio *m)
{
	const uint32_t value = (uint32_t)(m->value & mmio_mask(m));
	const unsigned timer = (unsigned)m->offset - A9MP_PRIVATE_TIMER;
	const unsigned global = (unsigned)m->offset - A9MP_GLOBAL_TIMER;

	if (m->offset < A9MP_SCU_BYTES && m->size <= 4)
		return scu_access(a, m);
	if (m->size != 4)
		return mmio_ignore(m, "access size");
	if (global < A9MP_GLOBAL_TIMER_BYTES)
		return m->write ? global_write(a, c, global, value, m)
				: global_read(a, c, global, m);
	if (timer < A9MP_PRIVATE_TIMER_BYTES / 2u)
		return m->write ? timer_write(a, &c->timer, timer, value, m)
				: timer_read(a, &c->timer, timer, m);
	if (timer < A9MP_PRIVATE_TIMER_BYTES)
		return watchdog_access(a, c, timer - A9MP_PRIVATE_TIMER_BYTES / 2u, value, m);
	return mmio_ignore(m, "no such register");
}

enum mmio_outcome a9mp_access(struct a9mp *a, unsigned cpu, struct mmio *m)
{
	enum mmio_outcome outcome;

	if (cpu >= a->n_cpus)
		return mmio_ignore(m, "no such CPU");
	update(a);
	outcome = dispatch(a, &a->cpu[cpu], m);
	update(a);
	return outcome;
}

void a9mp_expired(struct a9mp *a)
{
	update(a);
}

static uint64_t global_deadline(const struct a9mp *a, const struct a9mp_cpu *c)
{
	uint64_t at, value = global_now(a);

	/* What is up already is seen; with the interrupt off nobody waits. */
	if (!comparing(a, c) || c->global.event || !(c->global.control & GLOBAL_IRQ))
		return COUNTDOWN_NEVER;
	if (c->global.compare <= value)
		return now(a);
	if (__builtin_mul_overflow(c->global.compare - a->global_value, global_tick_ns(a), &at) ||
	    __builtin_add_overflow(at, a->global_at_ns, &at))
		return COUNTDOWN_NEVER;
	return at;
}

static uint64_t timer_deadline(const struct a9mp_timer *t)
{
	if (t->event || !(t->control & (TIMER_IRQ | WATCHDOG_MODE)))
		return COUNTDOWN_NEVER;
	return countdown_next(&t->count);
}

uint64_t a9mp_deadline(const struct a9mp *a)
{
	uint64_t first = COUNTDOWN_NEVER;

	for (unsigned i = 0; i < a->n_cpus; i++) {
		const struct a9mp_cpu *c = &a->cpu[i];
		const uint64_t at[] = { global_deadline(a, c), timer_deadline(&c->timer),
					timer_deadline(&c->watchdog) };

		for (unsigned k = 0; k < A9MP_LINES; k++)
			first = at[k] < first ? at[k] : first;
	}
	return first;
}

static void reset_state(struct a9mp *a)
{
	a->scu_control = a->scu_power = a->global_control = 0;
	a->scu_filter[0] = a->scu_filter[1] = a->scu_access[0] = a->scu_access[1] = 0;
	a->global_value = a->global_at_ns = 0;
	for (unsigned i = 0; i < a->n_cpus; i++) {
		struct a9mp_cpu *c = &a->cpu[i];
		struct a9mp_cpu fresh = { .timer.load = 0 };

		for (unsigned k = 0; k < A9MP_LINES; k++)
			fresh.irq[k] = c->irq[k];
		countdown_init(&fresh.timer.count, a->tick_ns, 0);
		countdown_init(&fresh.watchdog.count, a->tick_ns, 0);
		*c = fresh;
	}
}

void a9mp_init(struct a9mp *a, const struct timer_env *env, unsigned n_cpus, uint32_t periph_hz)
{
	*a = (struct a9mp){ .env = *env, .n_cpus = n_cpus, .tick_ns = 1000000000u / periph_hz };
	reset_state(a);
}

void a9mp_reset(struct a9mp *a)
{
	reset_state(a);
	update(a);
}
