#include <dev/reg.h>
#include <dev/sp805.h>

#define CTRL_INTEN (1u << 0)
#define CTRL_RESEN (1u << 1)
#define UNLOCK 0x1acce551u

static uint64_t now(const struct sp805 *w)
{
	return w->env.now_ns(w->env.opaque);
}

static void update(struct sp805 *w)
{
	bool level;

	if (countdown_passed(&w->count, now(w))) {
		if (w->ris && (w->control & CTRL_RESEN))
			w->env.reset(w->env.opaque);
		w->ris = true;
	}
	level = w->ris && (w->control & CTRL_INTEN);
	if (level == w->irq)
		return;
	w->irq = level;
	w->env.set_irq(w->env.opaque, 0, level);
}

static uint32_t value_of(const struct sp805 *w)
{
	return countdown_value(&w->count, now(w), w->load);
}

/* It counts while INTEN is set, and starts from WdogLoad when that comes. */
static void go(struct sp805 *w, uint32_t value)
{
	countdown_init(&w->count, w->tick_ns, value);
	if (w->control & CTRL_INTEN)
		countdown_start(&w->count, now(w), value, w->load + 1ull);
}

static uint32_t value_read(void *device)
{
	return value_of(device);
}

static void load_write(void *device, uint32_t value)
{
	struct sp805 *w = device;

	if (w->locked)
		return;
	w->load = value;
	go(w, value);
}

static void control_write(void *device, uint32_t value)
{
	struct sp805 *w = device;
	uint32_t was = w->control;

	if (w->locked)
		return;
	w->control = value;
	if ((was ^ value) & CTRL_INTEN)
		go(w, value & CTRL_INTEN ? w->load : value_of(w));
}

static void intclr_write(void *device, uint32_t value)
{
	struct sp805 *w = device;

	(void)value;
	if (w->locked)
		return;
	w->ris = false;
	go(w, w->load);
}

static uint32_t ris_read(void *device)
{
	return ((const struct sp805 *)device)->ris;
}

static uint32_t mis_read(void *device)
{
	const struct sp805 *w = device;

	return w->ris && (w->control & CTRL_INTEN);
}

static uint32_t lock_read(void *device)
{
	return ((const struct sp805 *)device)->locked;
}

static void lock_write(void *device, uint32_t value)
{
	((struct sp805 *)device)->locked = value != UNLOCK;
}

#define FIELD(name) offsetof(struct sp805, name)
#define NONE DEV_REG_NO_FIELD

/* DDI 0270B table 3-1: the test registers are left out. WdogLock's place in
 * this table is another one's: it is looked at first. */
static const struct dev_reg registers[DEV_REG_PLACES] = {
	DEV_REG("WdogLoad", 0x000, FIELD(load), UINT32_MAX, UINT32_MAX, NULL, load_write),
	DEV_REG("WdogValue", 0x004, NONE, 0, 0, value_read, NULL),
	DEV_REG("WdogControl", 0x008, FIELD(control), 0, 0x3, NULL, control_write),
	DEV_REG("WdogIntClr", 0x00c, NONE, 0, UINT32_MAX, NULL, intclr_write),
	DEV_REG("WdogRIS", 0x010, NONE, 0, 0, ris_read, NULL),
	DEV_REG("WdogMIS", 0x014, NONE, 0, 0, mis_read, NULL),
	DEV_REG_PRIMECELL_ID(0x05, 0x18, 0x14, 0x00),
};

static const struct dev_reg lock[DEV_REG_PLACES] = {
	DEV_REG("WdogLock", 0xc00, NONE, 0, UINT32_MAX, lock_read, lock_write),
};

enum mmio_outcome sp805_access(struct sp805 *w, struct mmio *m)
{
	enum mmio_outcome outcome;

	update(w);
	outcome = dev_reg_access(m->offset == 0xc00 ? lock : registers, w, m);
	update(w);
	return outcome;
}

void sp805_expired(struct sp805 *w)
{
	update(w);
}

uint64_t sp805_deadline(const struct sp805 *w)
{
	/* Without RESEN nothing follows from running out again. */
	if (w->ris && !(w->control & CTRL_RESEN))
		return COUNTDOWN_NEVER;
	return countdown_next(&w->count);
}

void sp805_init(struct sp805 *w, const struct timer_env *env, uint32_t hz)
{
	*w = (struct sp805){ .env = *env, .tick_ns = 1000000000u / hz };
	dev_reg_reset(registers, w);
	countdown_init(&w->count, w->tick_ns, UINT32_MAX);
}
