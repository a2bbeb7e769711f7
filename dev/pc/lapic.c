/* The local APIC's interrupts: SDM volume 3, 11.5, 11.6, 11.8. */
#include "lapic_internal.h"

#define FIRST_VECTOR 16u
#define ICR_LEVEL (1u << 15)
#define ICR_ASSERT (1u << 14)
#define ICR_LOGICAL (1u << 11)

static void set_bit(struct lapic_set *s, unsigned n, bool value)
{
	uint32_t bit = 1u << n % 32, *word = &s->word[n / 32];

	*word = value ? *word | bit : *word & ~bit;
	s->used = (uint8_t)(*word != 0 ? s->used | 1u << n / 32 : s->used & ~(1u << n / 32));
}

static bool get_bit(const struct lapic_set *s, unsigned n)
{
	return s->word[n / 32] >> n % 32 & 1;
}

/* The highest, or 0: there is no interrupt with this vector. */
static unsigned highest(const struct lapic_set *s)
{
	unsigned i;

	if (s->used == 0)
		return 0;
	i = 31 - (unsigned)__builtin_clz(s->used);
	return i * 32 + 31 - (unsigned)__builtin_clz(s->word[i]);
}

bool lapic_is_x2apic(const struct lapic *l)
{
	return (l->base & BASE_X2APIC) != 0;
}

bool lapic_enabled(const struct lapic *l)
{
	return (l->base & BASE_ENABLE) && (l->svr & SVR_ENABLE);
}

/* 11.8.3.1 */
unsigned lapic_priority(const struct lapic *l)
{
	unsigned served = highest(&l->isr);

	return l->tpr >> 4 >= served >> 4 ? l->tpr : served & 0xf0;
}

/* LINT0 as it passes the 8259s through; without an APIC it is the core's INTR. */
static bool extint_line(const struct lapic *l)
{
	if (!(l->base & BASE_ENABLE))
		return l->lint[0];
	for (unsigned pin = 0; pin < 2; pin++) {
		uint32_t lvt = l->lvt[LVT_LINT0 + pin];

		if (l->lint[pin] && !(lvt & LVT_MASKED) && (lvt >> 8 & 7) == APIC_EXTINT)
			return true;
	}
	return false;
}

enum lapic_request lapic_request(const struct lapic *l)
{
	unsigned wanted = highest(&l->irr);

	if (wanted != 0 && lapic_enabled(l) && wanted >> 4 > lapic_priority(l) >> 4)
		return LAPIC_VECTOR;
	return l->extint || extint_line(l) ? LAPIC_EXTINT : LAPIC_NOTHING;
}

uint8_t lapic_vector(const struct lapic *l)
{
	return lapic_request(l) == LAPIC_VECTOR ? (uint8_t)highest(&l->irr) : 0;
}

void lapic_update(struct lapic *l)
{
	bool level = lapic_request(l) != LAPIC_NOTHING;

	if (level == l->intr)
		return;
	l->intr = level;
	l->env.set_intr(l->env.opaque, level);
}

uint8_t lapic_acknowledge(struct lapic *l)
{
	enum lapic_request request = lapic_request(l);
	unsigned vector = l->svr & LVT_VECTOR;

	if (request == LAPIC_EXTINT) {
		l->extint = false;
		vector = l->env.acknowledge(l->env.opaque);
	} else if (request == LAPIC_VECTOR) {
		vector = highest(&l->irr);
		set_bit(&l->irr, vector, false);
		set_bit(&l->isr, vector, true);
	}
	lapic_update(l);
	return (uint8_t)vector;
}

/* --- Arrival -------------------------------------------------------------------------- */

static void accept(struct lapic *l, unsigned vector, bool level)
{
	set_bit(&l->irr, vector, true);
	set_bit(&l->tmr, vector, level);
}

void lapic_error(struct lapic *l, uint32_t error)
{
	uint32_t lvt = l->lvt[LVT_ERROR];

	l->errors |= error;
	/* An illegal vector here is no further error. */
	if (!(lvt & LVT_MASKED) && (lvt & LVT_VECTOR) >= FIRST_VECTOR && lapic_enabled(l))
		accept(l, lvt & LVT_VECTOR, false);
	lapic_update(l);
}

static void take_vector(struct lapic *l, unsigned vector, bool level)
{
	if (!lapic_enabled(l))
		return;
	if (vector < FIRST_VECTOR)
		lapic_error(l, ESR_RECEIVE_VECTOR);
	else
		accept(l, vector, level);
}

static void reset_registers(struct lapic *l);

void lapic_deliver(struct lapic *l, const struct apic_message *msg)
{
	if (!(l->base & BASE_ENABLE))
		return;
	switch (msg->mode) {
	case APIC_FIXED:
	case APIC_LOWEST: take_vector(l, msg->vector, msg->level); break;
	case APIC_EXTINT: l->extint = true; break;
	case APIC_NMI: l->env.signal(l->env.opaque, LAPIC_NMI, 0); break;
	case APIC_SMI: l->env.signal(l->env.opaque, LAPIC_SMI, 0); break;
	case APIC_STARTUP: l->env.signal(l->env.opaque, LAPIC_STARTUP, msg->vector); break;
	case APIC_INIT:
		if (msg->deassert)
			return;
		reset_registers(l);
		l->env.signal(l->env.opaque, LAPIC_INIT, 0);
		break;
	default: return; /* reserved */
	}
	lapic_update(l);
}

/* An event of the core's own: its LVT entry says what becomes of it. */
void lapic_local(struct lapic *l, unsigned lvt)
{
	uint32_t entry = l->lvt[lvt];
	struct apic_message msg = {
		.mode = lvt == LVT_TIMER ? APIC_FIXED : entry >> 8 & 7,
		.vector = (uint8_t)entry,
		.level = (lvt == LVT_LINT0 || lvt == LVT_LINT1) && (entry & LVT_LEVEL),
	};

	if (entry & LVT_MASKED)
		return;
	/* There is no start-up or lowest priority here; ExtINT is a level. */
	if (msg.mode == APIC_STARTUP || msg.mode == APIC_LOWEST || msg.mode == APIC_EXTINT)
		return;
	if (msg.mode != APIC_FIXED)
		msg.level = false;
	if (msg.level && (entry & LVT_REMOTE_IRR))
		return;
	if (msg.level && lapic_enabled(l) && msg.vector >= FIRST_VECTOR)
		l->lvt[lvt] |= LVT_REMOTE_IRR;
	lapic_deliver(l, &msg);
}

void lapic_set_lint(struct lapic *l, unsigned pin, bool level)
{
	bool rises;

	if (pin >= 2)
		return;
	rises = level && !l->lint[pin];
	l->lint[pin] = level;
	if (rises && (l->base & BASE_ENABLE))
		lapic_local(l, LVT_LINT0 + pin);
	else if (rises && pin == 1)
		l->env.signal(l->env.opaque, LAPIC_NMI, 0); /* the core's own pin */
	lapic_update(l);
}

/* A pin that is sensed by level, after its EOI. */
static void end_lint(struct lapic *l, unsigned pin, unsigned vector)
{
	uint32_t *lvt = &l->lvt[LVT_LINT0 + pin];

	if (!(*lvt & LVT_REMOTE_IRR) || (*lvt & LVT_VECTOR) != vector)
		return;
	*lvt &= ~LVT_REMOTE_IRR;
	if (l->lint[pin])
		lapic_local(l, LVT_LINT0 + pin);
}

void lapic_end(struct lapic *l)
{
	unsigned vector = highest(&l->isr);

	if (vector == 0)
		return;
	set_bit(&l->isr, vector, false);
	if (get_bit(&l->tmr, vector)) {
		end_lint(l, 0, vector);
		end_lint(l, 1, vector);
		if (!(l->svr & SVR_NO_BROADCAST))
			l->env.eoi(l->env.opaque, (uint8_t)vector);
	}
	lapic_update(l);
}

/* --- Between cores ---------------------------------------------------------------------- */

/* 11.6.2 */
static bool logical_match(const struct lapic *l, uint32_t to)
{
	uint32_t id = l->ldr >> 24;

	if (lapic_is_x2apic(l))
		return l->ldr >> 16 == to >> 16 && (l->ldr & to & 0xffff) != 0;
	if (to > 0xff)
		return false;
	if (l->dfr >> 28 == 0xf) /* flat */
		return (id & to) != 0;
	return (to >> 4 == 0xf || to >> 4 == id >> 4) && (id & to & 0xf) != 0;
}

bool lapic_matches(const struct lapic *l, const struct apic_message *msg)
{
	if (!(l->base & BASE_ENABLE))
		return false;
	if (msg->destination == APIC_BROADCAST)
		return true;
	return msg->logical ? logical_match(l, msg->destination) : msg->destination == l->id;
}

static uint32_t destination_of(const struct lapic *l, uint64_t icr)
{
	uint32_t to = (uint32_t)(icr >> 32);

	if (lapic_is_x2apic(l))
		return to;
	to >>= 24;
	return to == 0xff && !(icr & ICR_LOGICAL) ? APIC_BROADCAST : to;
}

void lapic_command(struct lapic *l, uint64_t icr)
{
	struct apic_message msg = {
		.destination = destination_of(l, icr),
		.logical = icr & ICR_LOGICAL,
		.mode = icr >> 8 & 7,
		.vector = (uint8_t)icr,
		/* Only INIT knows a level (11.6.1). */
		.deassert = (icr & ICR_LEVEL) && !(icr & ICR_ASSERT),
		.shorthand = icr >> 18 & 3,
	};
	bool vectored = msg.mode == APIC_FIXED || msg.mode == APIC_LOWEST;

	l->icr = icr;
	if (vectored && msg.vector < FIRST_VECTOR) {
		lapic_error(l, ESR_SEND_VECTOR);
		return;
	}
	/* Table 11-3: which modes a shorthand may carry. */
	if (msg.shorthand == APIC_TO_SELF && msg.mode != APIC_FIXED)
		return;
	if (msg.shorthand == APIC_TO_ALL && !vectored)
		return;
	if (msg.mode == APIC_EXTINT || (msg.mode == APIC_INIT && msg.deassert))
		return;
	if (msg.shorthand == APIC_TO_SELF)
		lapic_deliver(l, &msg);
	else
		l->env.send(l->env.opaque, &msg);
}

/* --- Reset -------------------------------------------------------------------------------- */

/* 11.4.7.1, 11.4.7.3: what INIT resets; not the ID and not the base. */
static void reset_registers(struct lapic *l)
{
	l->irr = l->isr = l->tmr = (struct lapic_set){ 0 };
	l->tpr = l->esr = l->errors = l->initial = l->divide = 0;
	l->icr = 0;
	l->ldr = lapic_is_x2apic(l) ? (l->id & ~15u) << 12 | 1u << (l->id & 15) : 0;
	l->dfr = UINT32_MAX;
	l->svr = 0xff;
	l->extint = false;
	for (unsigned i = 0; i < LAPIC_LVTS; i++)
		l->lvt[i] = LVT_MASKED;
	lapic_timer_stop(l);
}

void lapic_reset(struct lapic *l)
{
	l->base = LAPIC_FRAME | BASE_ENABLE | (l->bsp ? BASE_BSP : 0);
	reset_registers(l);
	lapic_update(l);
}

void lapic_virtual_wire(struct lapic *l)
{
	l->svr |= SVR_ENABLE;
	l->lvt[LVT_LINT0] = APIC_EXTINT << 8;
	l->lvt[LVT_LINT1] = APIC_NMI << 8;
	lapic_update(l);
}

void lapic_init(struct lapic *l, const struct lapic_env *env, uint32_t id, bool bsp,
		uint64_t tsc_hz)
{
	*l = (struct lapic){ .env = *env, .id = id, .bsp = bsp, .tsc_hz = tsc_hz };
	lapic_reset(l);
}
