#include <dev/pc/pit.h>

#include <dev/pc/isa.h>
#include <dev/pc/ticks.h>
#include <selvage/base.h>

#define SPEAKER 2u /* the channel with a gate */
#define GATE (1u << 0)
#define PORT61_WRITABLE 0x0fu
#define PORT61_REFRESH (1u << 4)
#define PORT61_OUT (1u << 5)
#define REFRESH_NS 15085u /* memory refresh, seen as a bit that toggles */

static uint64_t now(const struct pit *p)
{
	return ticks_from_ns(p->env.now_ns(p->env.opaque), PIT_HZ);
}

/* Modes 2 and 3 start over by themselves, 1 and 5 by the gate's edge. */
static bool periodic(const struct pit_channel *c) { return c->mode == 2 || c->mode == 3; }
static bool triggered(const struct pit_channel *c) { return c->mode == 1 || c->mode == 5; }
/* In modes 4 and 5 the output falls at zero for a count. */
static bool strobe(const struct pit_channel *c) { return c->mode >= 4; }

/* Counts since it was loaded. */
static uint64_t elapsed(const struct pit_channel *c, uint64_t t)
{
	if (!c->running)
		return c->at;
	return t > c->at ? t - c->at : 0; /* another core may have read the clock before */
}

/* A count that waited for the period's end is in effect by now. */
static void settle(struct pit_channel *c, uint64_t t)
{
	if (c->next_count == 0 || !c->running || t < c->next_at)
		return;
	c->at = c->next_at;
	c->count = c->next_count;
	c->next_count = 0;
	c->seen = UINT64_MAX; /* the edge at next_at, unless it was noticed: see edges() */
}

static bool output(const struct pit_channel *c, uint64_t t)
{
	uint64_t d = elapsed(c, t);

	if (!c->loaded)
		return c->mode != 0;
	switch (c->mode) {
	case 0: return d >= c->count;
	case 1: return !c->running || d >= c->count;
	case 2: return !c->running || d % c->count != c->count - 1;
	case 3: return !c->running || d % c->count < (c->count + 1) / 2;
	default: return !c->running || d != c->count;
	}
}

/* Rising edges of the output since it was loaded. */
static uint64_t edges(const struct pit_channel *c, uint64_t t)
{
	uint64_t d = elapsed(c, t);

	if (!c->loaded || (triggered(c) && !c->running))
		return 0;
	return periodic(c) ? d / c->count : d >= c->count + (strobe(c) ? 1u : 0u);
}

static void set_irq(struct pit *p, bool level)
{
	if (level == p->irq)
		return;
	p->irq = level;
	p->env.set_irq(p->env.opaque, 0, level);
}

/* When the next edge is to be noticed: at its time, but late ones a quarter of a period
 * after the last. */
static uint64_t next_edge(const struct pit_channel *c)
{
	uint64_t at = c->at + c->count * (c->seen + 1) + (strobe(c) ? 1u : 0u);

	return at > c->seen_at ? at : c->seen_at + max_u64(c->count / 4, 1);
}

/* Whether there is an edge now. */
static bool notice(struct pit_channel *c, uint64_t t)
{
	const uint64_t risen = edges(c, t), behind = risen - c->seen;

	if ((int64_t)behind <= 0 || t < next_edge(c))
		return false;
	c->seen = risen - (min_u64(behind, PIT_LATE) - 1);
	c->seen_at = t;
	return true;
}

static void update(struct pit *p)
{
	struct pit_channel *c = &p->channel[0];
	uint64_t t = now(p);

	settle(c, t);
	if (notice(c, t)) {
		set_irq(p, false);
		set_irq(p, true);
	}
	set_irq(p, output(c, t));
}

void pit_expired(struct pit *p)
{
	update(p);
}

uint64_t pit_deadline(const struct pit *p)
{
	const struct pit_channel *c = &p->channel[0];

	if (!c->loaded || !c->running || (!periodic(c) && c->seen != 0))
		return TICKS_NEVER;
	return ticks_to_ns(next_edge(c), PIT_HZ);
}

/* --- Counting ------------------------------------------------------------------------- */

static uint32_t full(const struct pit_channel *c) { return c->bcd ? 10000 : 0x10000; }

static uint16_t to_bcd(uint32_t n)
{
	return (uint16_t)(n / 1000 % 10 << 12 | n / 100 % 10 << 8 | n / 10 % 10 << 4 | n % 10);
}

static uint32_t from_bcd(uint32_t n)
{
	return (n >> 12) * 1000 + (n >> 8 & 15) * 100 + (n >> 4 & 15) * 10 + (n & 15);
}

/* What the counting element holds. */
static uint16_t value_of(const struct pit_channel *c, uint64_t t)
{
	uint64_t d = elapsed(c, t), half = (c->count + 1) / 2, left;

	if (!c->loaded)
		return 0;
	if (c->mode == 3) { /* by two, each half from the (even) top */
		d %= c->count;
		left = (c->count & ~1ull) - 2 * (d < half ? d : d - half);
	} else if (c->mode == 2) {
		left = c->count - d % c->count;
	} else {
		left = c->count + full(c) - d % full(c);
	}
	left %= full(c);
	return c->bcd ? to_bcd((uint32_t)left) : (uint16_t)left;
}

static void start(struct pit_channel *c, uint64_t t)
{
	c->next_count = 0;
	c->seen = 0;
	c->running = true;
	c->at = t;
}

static void load(struct pit_channel *c, uint64_t t, uint32_t raw)
{
	uint32_t count = c->bcd ? from_bcd(raw) % 10000 : raw;

	if (count == 0)
		count = full(c);
	/* In modes 2 and 3 one is no count: their shortest period is two. */
	if (periodic(c) && count == 1)
		count = 2;
	if (c->loaded && periodic(c) && c->running) {
		c->next_count = count;
		c->next_at = t + c->count - elapsed(c, t) % c->count;
		return;
	}
	c->loaded = true;
	if (triggered(c) && c->running) {
		c->next_count = count; /* from the next trigger on */
		c->next_at = UINT64_MAX;
		return;
	}
	c->count = count;
	if (triggered(c))
		return;
	start(c, t);
	if (!c->gate) {
		c->running = false;
		c->at = 0;
	}
}

static void set_gate(struct pit_channel *c, uint64_t t, bool gate)
{
	if (gate == c->gate)
		return;
	settle(c, t);
	c->gate = gate;
	if (!c->loaded)
		return;
	if (gate && (triggered(c) || periodic(c))) {
		c->count = c->next_count != 0 ? c->next_count : c->count;
		start(c, t);
	} else if (!triggered(c)) {
		/* Stops, and goes on where it was. */
		c->at = gate ? t - c->at : elapsed(c, t);
		c->running = gate;
	}
}

/* --- Ports ---------------------------------------------------------------------------- */

static void latch_count(struct pit_channel *c, uint64_t t)
{
	if (c->latched != 0)
		return;
	c->latch = value_of(c, t);
	c->latched = c->access == 3 ? 2 : 1;
}

static void latch_status(struct pit_channel *c, uint64_t t)
{
	bool null = !c->loaded || c->next_count != 0;

	if (c->status_latched)
		return;
	c->status_latched = true;
	c->status = (uint8_t)((unsigned)output(c, t) << 7 | (unsigned)null << 6 |
			      (unsigned)c->access << 4 | (unsigned)c->mode << 1 |
			      (unsigned)c->bcd);
}

static void write_control(struct pit *p, uint64_t t, uint8_t value)
{
	unsigned n = value >> 6, access = value >> 4 & 3;
	struct pit_channel *c;

	if (n == PIT_CHANNELS) { /* read back */
		for (unsigned i = 0; i < PIT_CHANNELS; i++) {
			if (!(value >> (i + 1) & 1))
				continue;
			if (!(value & 0x20))
				latch_count(&p->channel[i], t);
			if (!(value & 0x10))
				latch_status(&p->channel[i], t);
		}
		return;
	}
	c = &p->channel[n];
	if (access == 0) {
		latch_count(c, t);
		return;
	}
	*c = (struct pit_channel){
		.mode = value >> 1 & ((value & 4) ? 3 : 7), /* 6 is 2, 7 is 3 */
		.access = (uint8_t)access,
		.bcd = value & 1,
		.gate = c->gate,
	};
}

static void write_count(struct pit_channel *c, uint64_t t, uint8_t value)
{
	switch (c->access) {
	case 1: load(c, t, value); return;
	case 2: load(c, t, (uint32_t)value << 8); return;
	default: break;
	}
	c->second_write = !c->second_write;
	if (!c->second_write) {
		load(c, t, (uint32_t)value << 8 | c->low);
		return;
	}
	c->low = value;
	if (c->mode == 0) { /* the first byte stops it, output low */
		c->running = c->loaded = false;
		c->at = c->seen = 0;
	}
}

static uint8_t read_count(struct pit_channel *c, uint64_t t)
{
	bool high;
	uint16_t value;

	if (c->status_latched) {
		c->status_latched = false;
		return c->status;
	}
	high = c->access == 2 || (c->access == 3 && c->second_read);
	if (c->access == 3)
		c->second_read = !c->second_read;
	value = c->latched != 0 ? c->latch : value_of(c, t);
	if (c->latched != 0)
		c->latched--;
	return (uint8_t)(high ? value >> 8 : value);
}

static uint8_t read(void *device, unsigned port)
{
	struct pit *p = device;
	uint64_t t = now(p);

	if (port >= PIT_CHANNELS)
		return 0xff; /* the control register is write-only */
	settle(&p->channel[port], t);
	return read_count(&p->channel[port], t);
}

static void write(void *device, unsigned port, uint8_t value)
{
	struct pit *p = device;
	uint64_t t = now(p);

	update(p);
	for (unsigned i = 1; i < PIT_CHANNELS; i++)
		settle(&p->channel[i], t);
	if (port >= PIT_CHANNELS)
		write_control(p, t, value);
	else
		write_count(&p->channel[port], t, value);
	update(p);
}

enum mmio_outcome pit_access(struct pit *p, struct mmio *m)
{
	static const struct isa_class class = { read, write };

	if (m->offset + m->size > 4)
		return mmio_ignore(m, "access size");
	return isa_access(&class, p, m);
}

enum mmio_outcome pit_port61_access(struct pit *p, struct mmio *m)
{
	struct pit_channel *c = &p->channel[SPEAKER];
	uint64_t t = now(p);
	unsigned value = p->port61;

	if (m->offset != 0 || m->size != 1)
		return mmio_ignore(m, "access size");
	settle(c, t);
	if (m->write) {
		p->port61 = m->value & PORT61_WRITABLE;
		set_gate(c, t, p->port61 & GATE);
		return MMIO_HANDLED;
	}
	if (p->env.now_ns(p->env.opaque) / REFRESH_NS & 1)
		value |= PORT61_REFRESH;
	return mmio_done(m, value | (output(c, t) ? PORT61_OUT : 0));
}

static void reset_state(struct pit *p)
{
	for (unsigned i = 0; i < PIT_CHANNELS; i++)
		p->channel[i] = (struct pit_channel){ .access = 3, .gate = i != SPEAKER };
	p->port61 = 0;
}

void pit_reset(struct pit *p)
{
	reset_state(p);
	set_irq(p, false);
}

void pit_init(struct pit *p, const struct timer_env *env)
{
	*p = (struct pit){ .env = *env };
	reset_state(p);
}
