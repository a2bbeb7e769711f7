#include <dev/pl031.h>
#include <dev/reg.h>

static uint64_t now(const struct pl031 *r)
{
	return r->env.now_seconds(r->env.opaque);
}

static uint32_t counter(const struct pl031 *r)
{
	return (uint32_t)now(r) + r->offset;
}

/* Seconds from the last look to the next match: the counter wraps. */
static uint32_t until_match(const struct pl031 *r)
{
	return r->match - ((uint32_t)r->looked + r->offset);
}

bool pl031_irq_level(const struct pl031 *r)
{
	return (r->ris & r->imsc) != 0;
}

static void update_irq(struct pl031 *r)
{
	bool level = pl031_irq_level(r);

	if (level == r->irq)
		return;
	r->irq = level;
	r->env.set_irq(r->env.opaque, level);
}

/* Raises the interrupt if the counter has reached the match value since the
 * last look. */
static void look(struct pl031 *r)
{
	uint64_t t = now(r);
	uint32_t until = until_match(r);

	if (t < r->looked) /* the owner's clock was set back */
		r->looked = t;
	if (r->armed && until != 0 && until <= t - r->looked)
		r->ris = 1;
	r->looked = t;
}

/* After the counter or the match value was set: equality matches at once. */
static void rearm(struct pl031 *r)
{
	r->looked = now(r);
	if (!r->armed)
		return;
	if (until_match(r) == 0)
		r->ris = 1;
	if (r->env.set_alarm)
		r->env.set_alarm(r->env.opaque, until_match(r));
}

static uint32_t dr_read(void *device)
{
	return counter(device);
}

static void mr_write(void *device, uint32_t value)
{
	struct pl031 *r = device;

	r->match = value;
	r->armed = true;
	rearm(r);
}

static void lr_write(void *device, uint32_t value)
{
	struct pl031 *r = device;

	r->load = value;
	r->offset += value - counter(r);
	rearm(r);
}

/* The clock runs from reset on and cannot be stopped. */
static uint32_t cr_read(void *device)
{
	(void)device;
	return 1;
}

static void cr_write(void *device, uint32_t value)
{
	(void)device;
	(void)value;
}

static uint32_t mis_read(void *device)
{
	return pl031_irq_level(device);
}

static void icr_write(void *device, uint32_t value)
{
	struct pl031 *r = device;

	r->ris &= ~value;
}

#define FIELD(name) offsetof(struct pl031, name)
#define NONE DEV_REG_NO_FIELD

/* DDI 0224C table 3-1. */
static const struct dev_reg registers[DEV_REG_PLACES] = {
	DEV_REG("RTCDR", 0x000, NONE, 0, 0, dr_read, NULL),
	DEV_REG("RTCMR", 0x004, FIELD(match), 0, UINT32_MAX, NULL, mr_write),
	DEV_REG("RTCLR", 0x008, FIELD(load), 0, UINT32_MAX, NULL, lr_write),
	DEV_REG("RTCCR", 0x00c, NONE, 0, 0x1, cr_read, cr_write),
	DEV_REG("RTCIMSC", 0x010, FIELD(imsc), 0, 0x1, NULL, NULL),
	DEV_REG("RTCRIS", 0x014, FIELD(ris), 0, 0, NULL, NULL),
	DEV_REG("RTCMIS", 0x018, NONE, 0, 0, mis_read, NULL),
	DEV_REG("RTCICR", 0x01c, NONE, 0, 0x1, NULL, icr_write),
	DEV_REG_PRIMECELL_ID(0x31, 0x10, 0x04, 0x00),
};

const struct dev_reg *pl031_registers(void)
{
	return registers;
}

__attribute__((flatten)) enum mmio_outcome pl031_access(struct pl031 *r, struct mmio *m)
{
	enum mmio_outcome outcome;

	look(r);
	outcome = dev_reg_access(registers, r, m);
	update_irq(r);
	return outcome;
}

void pl031_alarm(struct pl031 *r)
{
	look(r);
	update_irq(r);
	/* Early: ask again for what is left. */
	if (r->armed && !r->ris && r->env.set_alarm)
		r->env.set_alarm(r->env.opaque, until_match(r));
}

void pl031_init(struct pl031 *r, const struct pl031_env *env)
{
	*r = (struct pl031){ .env = *env };
	dev_reg_reset(registers, r);
	r->looked = now(r);
}
