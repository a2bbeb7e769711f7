#include <dev/gicc.h>

#define CTLR_GRP0 (1u << 0)
#define CTLR_GRP1 (1u << 1)
#define CTLR_ACK (1u << 2)
#define CTLR_FIQ (1u << 3)
#define CTLR_CBPR (1u << 4)
#define CTLR_EOIMODE (1u << 9)
#define CTLR_WRITABLE 0x21fu
#define PRIORITY_MASK 0xf8u
#define PRIORITY_IDLE 0x100u
#define MIN_BPR 2u
#define SPURIOUS 1023u
#define SPURIOUS_GROUP 1022u
#define NONE GICC_LRS
#define IIDR 0x0102043bu /* as the vGIC: Arm, architecture version 2 */

static unsigned lr_irq(uint64_t lr)
{
	return lr & 0x3ffu;
}

static unsigned lr_priority(uint64_t lr)
{
	return lr >> VGIC_LR_PRIORITY_SHIFT & PRIORITY_MASK;
}

static unsigned lr_group(uint64_t lr)
{
	return (lr & VGIC_LR_GROUP1) != 0;
}

/* As IAR and EOIR have it: the SGI's sender beside its number. */
static uint32_t lr_id(uint64_t lr)
{
	uint32_t source = lr_irq(lr) < 16 ? lr >> VGIC_LR_SOURCE_SHIFT & 7u : 0;

	return lr_irq(lr) | source << 10;
}

/* What of a priority decides about preemption (IHI 0048B 3.3.3). */
static unsigned group_priority(const struct gicc *c, unsigned group, unsigned priority)
{
	unsigned bpr = group && !(c->ctlr & CTLR_CBPR) ? c->abpr - 1u : c->bpr;

	return priority & ~((2u << bpr) - 1u) & PRIORITY_MASK;
}

static unsigned running(const struct gicc *c)
{
	uint32_t active = c->active[0] | c->active[1];

	return active ? (unsigned)__builtin_ctz(active) * 8u : PRIORITY_IDLE;
}

/* The list register of the most urgent pending interrupt, or NONE. */
static unsigned most_urgent(const struct gicc *c)
{
	unsigned best = NONE, priority = PRIORITY_IDLE;

	for (unsigned i = 0; i < GICC_LRS; i++)
		if ((c->lr[i] & VGIC_LR_STATE) == VGIC_LR_STATE_PENDING &&
		    lr_priority(c->lr[i]) < priority) {
			best = i;
			priority = lr_priority(c->lr[i]);
		}
	return best;
}

/* The one among them that is signalled, or NONE. */
static unsigned signalled(const struct gicc *c)
{
	unsigned i = most_urgent(c), group, priority;

	if (i == NONE)
		return NONE;
	group = lr_group(c->lr[i]);
	priority = lr_priority(c->lr[i]);
	return (c->ctlr & (group ? CTLR_GRP1 : CTLR_GRP0)) && priority < c->pmr &&
			       group_priority(c, group, priority) < running(c)
		       ? i
		       : NONE;
}

static void update(struct gicc *c)
{
	unsigned i = signalled(c), lines = 0;

	if (i != NONE)
		lines = !lr_group(c->lr[i]) && (c->ctlr & CTLR_FIQ) ? GICC_FIQ : GICC_IRQ;
	if (lines == c->lines)
		return;
	c->lines = lines;
	c->env.set_lines(c->env.opaque, lines);
}

/* Whether a read of IAR or HPPIR (alias false) or their aliases for group 1
 * sees this list register; else what it reads. */
static uint32_t seen(const struct gicc *c, unsigned i, bool alias)
{
	if (i == NONE || (alias && !lr_group(c->lr[i])))
		return SPURIOUS;
	if (!alias && lr_group(c->lr[i]) && !(c->ctlr & CTLR_ACK))
		return SPURIOUS_GROUP;
	return lr_id(c->lr[i]);
}

static uint32_t acknowledge(struct gicc *c, bool alias)
{
	unsigned i = signalled(c), group;
	uint32_t id = seen(c, i, alias);

	if (id == SPURIOUS || id == SPURIOUS_GROUP)
		return id;
	group = lr_group(c->lr[i]);
	c->active[group] |= 1u << group_priority(c, group, lr_priority(c->lr[i])) / 8u;
	c->lr[i] = (c->lr[i] & ~VGIC_LR_STATE) | VGIC_LR_STATE_ACTIVE;
	return id;
}

static void deactivate(struct gicc *c, uint32_t id)
{
	for (unsigned i = 0; i < GICC_LRS; i++) {
		if (!(c->lr[i] & VGIC_LR_STATE_ACTIVE) || lr_id(c->lr[i]) != (id & 0x1fffu))
			continue;
		c->lr[i] &= ~VGIC_LR_STATE_ACTIVE;
		if ((c->lr[i] & VGIC_LR_EOI) && !(c->lr[i] & VGIC_LR_STATE)) {
			c->lr[i] &= ~VGIC_LR_EOI;
			c->ended |= 1u << i;
		}
		return;
	}
}

/* Ends the most urgent active priority, which must be of the group for the
 * alias, and with it (without EOImode) the interrupt. */
static void end(struct gicc *c, uint32_t id, bool alias)
{
	unsigned group = c->active[1] && (!c->active[0] || __builtin_ctz(c->active[1]) <
								   __builtin_ctz(c->active[0]));

	if ((id & 0x3ffu) >= SPURIOUS_GROUP || !(c->active[0] | c->active[1]) ||
	    (alias && !group))
		return;
	c->active[group] &= c->active[group] - 1u;
	if (!(c->ctlr & CTLR_EOIMODE))
		deactivate(c, id);
}

static enum mmio_outcome read(struct gicc *c, struct mmio *m)
{
	switch (m->offset) {
	case 0x00:
		return mmio_done(m, c->ctlr);
	case 0x04:
		return mmio_done(m, c->pmr);
	case 0x08:
		return mmio_done(m, c->bpr);
	case 0x0c:
	case 0x20: /* AIAR */
		return mmio_done(m, acknowledge(c, m->offset == 0x20));
	case 0x14:
		return mmio_done(m, running(c) == PRIORITY_IDLE ? 0xffu : running(c));
	case 0x18:
	case 0x28: /* AHPPIR */
		return mmio_done(m, seen(c, most_urgent(c), m->offset == 0x28));
	case 0x1c:
		return mmio_done(m, c->abpr);
	case 0xd0:
		return mmio_done(m, c->active[0] | c->active[1]);
	case 0xe0: /* NSAPR0 */
		return mmio_done(m, c->active[1]);
	case 0xfc:
		return mmio_done(m, IIDR);
	default:
		return mmio_ignore(m, "no such register");
	}
}

static uint32_t at_least(uint32_t value, uint32_t least)
{
	return value < least ? least : value;
}

static enum mmio_outcome write(struct gicc *c, uint32_t value, struct mmio *m)
{
	switch (m->offset) {
	case 0x00:
		c->ctlr = value & CTLR_WRITABLE;
		break;
	case 0x04:
		c->pmr = value & PRIORITY_MASK;
		break;
	case 0x08:
		c->bpr = at_least(value & 7u, MIN_BPR);
		break;
	case 0x10:
	case 0x24: /* AEOIR */
		end(c, value, m->offset == 0x24);
		break;
	case 0x1c:
		c->abpr = at_least(value & 7u, MIN_BPR + 1u);
		break;
	case 0xd0:
		c->active[0] = value & ~c->active[1];
		break;
	case 0xe0:
		c->active[1] = value;
		c->active[0] &= ~value;
		break;
	case 0x1000: /* DIR */
		if (c->ctlr & CTLR_EOIMODE)
			deactivate(c, value);
		break;
	default:
		return mmio_ignore(m, "no such register");
	}
	return MMIO_HANDLED;
}

enum mmio_outcome gicc_access(struct gicc *c, struct mmio *m)
{
	enum mmio_outcome outcome;

	if (m->size > 4 || m->offset % 4u != 0)
		return mmio_ignore(m, "access size");
	outcome = m->write ? write(c, (uint32_t)(m->value & mmio_mask(m)), m) : read(c, m);
	update(c);
	return outcome;
}

int gicc_ended(struct gicc *c)
{
	int i;

	if (!c->ended)
		return -1;
	i = __builtin_ctz(c->ended);
	c->ended &= c->ended - 1u;
	return i;
}

void gicc_write_lr(struct gicc *c, unsigned index, uint64_t value)
{
	if (index >= GICC_LRS)
		return;
	c->lr[index] = value;
	c->ended &= ~(1u << index);
	update(c);
}

static void reset_registers(struct gicc *c)
{
	c->ctlr = c->pmr = 0;
	c->bpr = MIN_BPR;
	c->abpr = MIN_BPR + 1u;
	c->active[0] = c->active[1] = 0;
}

void gicc_init(struct gicc *c, const struct gicc_env *env)
{
	*c = (struct gicc){ .env = *env };
	reset_registers(c);
}

void gicc_reset(struct gicc *c)
{
	reset_registers(c);
	update(c);
}
