#include <dev/pc/i8259.h>

#include <dev/pc/isa.h>

#define ICW1 (1u << 4)
#define ICW1_IC4 (1u << 0)
#define ICW1_SINGLE (1u << 1)
#define ICW4_AUTO_EOI (1u << 1)
#define ICW4_NESTED (1u << 4)
#define OCW3 (1u << 3)
#define OCW3_POLL (1u << 2)
#define POLL_INTERRUPT (1u << 7)
#define NONE 8u

/* ELCR: timer, keyboard, cascade; RTC and coprocessor are edges (82371, 2.5.3). */
static const uint8_t level_writable[I8259_CHIPS] = { 0xf8, 0xde };

static uint8_t irr(const struct i8259_chip *c)
{
	return (uint8_t)((c->latched & ~c->level) | (c->lines & c->level));
}

/* The IR of highest priority among `bits`, as its distance from the highest. */
static unsigned rank(const struct i8259_chip *c, unsigned bits)
{
	unsigned turned = (bits | bits << 8) >> ((c->lowest + 1u) & 7) & 0xff;

	return turned != 0 ? (unsigned)__builtin_ctz(turned) : NONE;
}

static unsigned ir_of(const struct i8259_chip *c, unsigned r)
{
	return (c->lowest + 1u + r) & 7;
}

/* The IR that asks to be served and may be, or NONE. */
static unsigned candidate(const struct i8259 *p, const struct i8259_chip *c)
{
	unsigned wanted = rank(c, irr(c) & ~c->imr & 0xffu);
	unsigned served = c->isr;

	if (wanted == NONE || c->init_step != 0)
		return NONE;
	if (c->special_mask)
		served &= ~(unsigned)c->imr;
	/* The second chip may interrupt itself through the first. */
	if (c->nested && c == &p->chip[0])
		served &= ~(1u << I8259_CASCADE);
	return wanted < rank(c, served) ? ir_of(c, wanted) : NONE;
}

static void set_input(struct i8259_chip *c, unsigned ir, bool level)
{
	uint8_t bit = (uint8_t)(1u << ir);

	if (level && !(c->lines & bit))
		c->latched |= bit;
	c->lines = (uint8_t)(level ? c->lines | bit : c->lines & ~bit);
}

static void update(struct i8259 *p)
{
	bool second = candidate(p, &p->chip[1]) != NONE;
	bool level;

	/* What the second chip no longer asks for, the first need not serve. */
	set_input(&p->chip[0], I8259_CASCADE, second);
	if (!second)
		p->chip[0].latched &= (uint8_t) ~(1u << I8259_CASCADE);
	level = candidate(p, &p->chip[0]) != NONE;
	if (level == p->intr)
		return;
	p->intr = level;
	p->env.set_intr(p->env.opaque, level);
}

/* Acknowledged: in service, unless its end is automatic. */
static void serve(struct i8259_chip *c, unsigned ir)
{
	c->latched &= (uint8_t) ~(1u << ir);
	if (!c->auto_eoi)
		c->isr |= (uint8_t)(1u << ir);
	else if (c->rotate_on_auto_eoi)
		c->lowest = (uint8_t)ir;
}

static uint8_t acknowledge(struct i8259 *p, struct i8259_chip *c)
{
	unsigned ir = candidate(p, c);

	if (ir == NONE)
		return c->base | 7;
	serve(c, ir);
	/* The line between the chips falls with each acknowledge. */
	if (c == &p->chip[1])
		p->chip[0].lines &= (uint8_t) ~(1u << I8259_CASCADE);
	else if (ir == I8259_CASCADE && !c->single)
		return acknowledge(p, &p->chip[1]);
	return (uint8_t)(c->base | ir);
}

uint8_t i8259_acknowledge(struct i8259 *p)
{
	uint8_t vector = acknowledge(p, &p->chip[0]);

	update(p);
	return vector;
}

void i8259_set_line(struct i8259 *p, unsigned line, bool level)
{
	if (line >= I8259_LINES || line == I8259_CASCADE)
		return;
	set_input(&p->chip[line / 8], line % 8, level);
	update(p);
}

/* --- Commands ------------------------------------------------------------------------- */

static void initialise(struct i8259_chip *c, uint8_t icw1)
{
	*c = (struct i8259_chip){
		.lines = c->lines,
		.level = c->level,
		.base = c->base,
		.lowest = 7,
		.init_step = 2,
		.needs_icw4 = icw1 & ICW1_IC4,
		.single = icw1 & ICW1_SINGLE,
	};
}

static void write_icw(struct i8259_chip *c, uint8_t value)
{
	switch (c->init_step) {
	case 2:
		c->base = value & 0xf8;
		c->init_step = c->single ? 4 : 3;
		break;
	case 3: /* who is whose slave: the wires say it */
		c->init_step = 4;
		break;
	default:
		c->auto_eoi = value & ICW4_AUTO_EOI;
		c->nested = value & ICW4_NESTED;
		c->init_step = 0;
		return;
	}
	if (c->init_step == 4 && !c->needs_icw4)
		c->init_step = 0;
}

static void end_of_interrupt(struct i8259_chip *c, unsigned ir, bool rotate)
{
	if (ir == NONE)
		return;
	c->isr &= (uint8_t) ~(1u << ir);
	if (rotate)
		c->lowest = (uint8_t)ir;
}

/* What a non-specific end means: in special mask mode no masked one. */
static unsigned in_service(const struct i8259_chip *c)
{
	unsigned r = rank(c, c->special_mask ? c->isr & ~(unsigned)c->imr : c->isr);

	return r == NONE ? NONE : ir_of(c, r);
}

static void write_ocw2(struct i8259_chip *c, uint8_t value)
{
	unsigned ir = value & 7;

	switch (value >> 5) {
	case 0: c->rotate_on_auto_eoi = false; break;
	case 4: c->rotate_on_auto_eoi = true; break;
	case 1:
	case 5: end_of_interrupt(c, in_service(c), value & 0x80); break;
	case 3:
	case 7: end_of_interrupt(c, ir, value & 0x80); break;
	case 6: c->lowest = (uint8_t)ir; break;
	default: break; /* 2: no operation */
	}
}

static void write_ocw3(struct i8259_chip *c, uint8_t value)
{
	if (value & 0x40)
		c->special_mask = value & 0x20;
	if (value & OCW3_POLL)
		c->poll = true;
	else if (value & 2)
		c->read_isr = value & 1;
}

static uint8_t poll(struct i8259 *p, struct i8259_chip *c)
{
	unsigned ir = candidate(p, c);

	c->poll = false;
	if (ir == NONE)
		return 0;
	serve(c, ir);
	return (uint8_t)(POLL_INTERRUPT | ir);
}

/* --- Ports ---------------------------------------------------------------------------- */

/* Ports 0 and 1 are the first chip's, 2 and 3 the second's. */
static uint8_t read(void *device, unsigned port)
{
	struct i8259 *p = device;
	struct i8259_chip *c = &p->chip[port / 2 % I8259_CHIPS];
	uint8_t value;

	if (c->poll) {
		value = poll(p, c);
		update(p);
		return value;
	}
	if (port & 1)
		return c->imr;
	return c->read_isr ? c->isr : irr(c);
}

static void write(void *device, unsigned port, uint8_t value)
{
	struct i8259 *p = device;
	struct i8259_chip *c = &p->chip[port / 2 % I8259_CHIPS];

	if (port & 1) {
		if (c->init_step != 0)
			write_icw(c, value);
		else
			c->imr = value;
	} else if (value & ICW1) {
		initialise(c, value);
	} else if (value & OCW3) {
		write_ocw3(c, value);
	} else {
		write_ocw2(c, value);
	}
	update(p);
}

enum mmio_outcome i8259_access(struct i8259 *p, unsigned chip, struct mmio *m)
{
	static const struct isa_class class = { read, write };

	if (m->offset + m->size > 2)
		return mmio_ignore(m, "access size");
	m->offset += chip % I8259_CHIPS * 2;
	return isa_access(&class, p, m);
}

static uint8_t elcr_read(void *device, unsigned port)
{
	return ((struct i8259 *)device)->chip[port % I8259_CHIPS].level;
}

static void elcr_write(void *device, unsigned port, uint8_t value)
{
	struct i8259 *p = device;

	p->chip[port % I8259_CHIPS].level = value & level_writable[port % I8259_CHIPS];
	update(p);
}

enum mmio_outcome i8259_elcr_access(struct i8259 *p, struct mmio *m)
{
	static const struct isa_class class = { elcr_read, elcr_write };

	if (m->offset + m->size > I8259_CHIPS)
		return mmio_ignore(m, "access size");
	return isa_access(&class, p, m);
}

void i8259_reset(struct i8259 *p)
{
	for (unsigned i = 0; i < I8259_CHIPS; i++)
		p->chip[i] = (struct i8259_chip){
			.lines = p->chip[i].lines, .imr = 0xff, .lowest = 7
		};
	update(p);
}

void i8259_init(struct i8259 *p, const struct i8259_env *env)
{
	*p = (struct i8259){ .env = *env };
	i8259_reset(p);
}
