#include <dev/pc/acpi_pm.h>

#include <dev/pc/isa.h>
#include <dev/pc/ticks.h>

/* PM1 status and enable, 4.8.3.1. */
#define TIMER (1u << 0)
#define BUTTON (1u << 8)
#define EVENTS (TIMER | BUTTON)
/* Of the events that never come, the enable bits read back as written: global lock, sleep
 * button, RTC alarm. */
#define ENABLE_WRITABLE (EVENTS | 1u << 5 | 1u << 9 | 1u << 10)
/* PM1 control, 4.8.3.2. */
#define SCI_ENABLE (1u << 0)
#define SLEEP_TYPE 10u
#define SLEEP_ENABLE (1u << 13)
#define CONTROL_WRITABLE (7u << SLEEP_TYPE | 1u << 1)
#define TIMER_TOP 23u /* its status is set whenever this bit changes */

static uint64_t timer(const struct acpi_pm *a)
{
	return ticks_from_ns(a->env.timer.now_ns(a->env.timer.opaque), ACPI_PM_HZ);
}

static void update(struct acpi_pm *a)
{
	uint64_t t = timer(a);
	bool level;

	if (t >> TIMER_TOP > a->seen >> TIMER_TOP) {
		a->status |= TIMER;
		a->seen = t;
	}
	level = (a->status & a->enable & EVENTS) != 0;
	if (level == a->irq)
		return;
	a->irq = level;
	a->env.timer.set_irq(a->env.timer.opaque, 0, level);
}

void acpi_pm_expired(struct acpi_pm *a)
{
	update(a);
}

uint64_t acpi_pm_deadline(const struct acpi_pm *a)
{
	if (!(a->enable & TIMER) || (a->status & TIMER))
		return TICKS_NEVER;
	return ticks_to_ns(((a->seen >> TIMER_TOP) + 1) << TIMER_TOP, ACPI_PM_HZ);
}

void acpi_pm_press_button(struct acpi_pm *a)
{
	a->status |= BUTTON;
	update(a);
}

static uint8_t read(void *device, unsigned port)
{
	struct acpi_pm *a = device;
	uint64_t registers[2] = {
		a->status | (uint64_t)a->enable << 16 | (uint64_t)(a->control | SCI_ENABLE) << 32,
		timer(a) & 0xffffff,
	};

	return (uint8_t)(registers[port / 8 % 2] >> port % 8 * 8);
}

static void set_byte(uint16_t *reg, unsigned at, uint8_t value, uint16_t writable)
{
	uint16_t mask = (uint16_t)(0xffu << at * 8) & writable;

	*reg = (uint16_t)((*reg & ~mask) | (value << at * 8 & mask));
}

static void write(void *device, unsigned port, uint8_t value)
{
	struct acpi_pm *a = device;
	unsigned at = port & 1;

	switch (port & ~1u) {
	case 0: a->status &= (uint16_t) ~((unsigned)value << at * 8); break;
	case 2: set_byte(&a->enable, at, value, ENABLE_WRITABLE); break;
	case ACPI_PM_CONTROL:
		set_byte(&a->control, at, value, CONTROL_WRITABLE);
		if (at == 1 && (value & SLEEP_ENABLE >> 8) &&
		    a->control >> SLEEP_TYPE == ACPI_PM_S5)
			a->env.power_off(a->env.timer.opaque);
		break;
	default: break;
	}
}

enum mmio_outcome acpi_pm_access(struct acpi_pm *a, struct mmio *m)
{
	static const struct isa_class class = { read, write };
	enum mmio_outcome outcome;
	uint64_t t;

	if (m->offset + m->size > ACPI_PM_PORTS)
		return mmio_ignore(m, "access size");
	update(a);
	if (!m->write && m->offset == ACPI_PM_TIMER) { /* all its bytes of one moment */
		t = timer(a) & 0xffffff;
		return mmio_done(m, t);
	}
	outcome = isa_access(&class, a, m);
	update(a);
	return outcome;
}

void acpi_pm_reset(struct acpi_pm *a)
{
	a->status = a->enable = a->control = 0;
	a->seen = timer(a);
	update(a);
}

void acpi_pm_init(struct acpi_pm *a, const struct acpi_pm_env *env)
{
	*a = (struct acpi_pm){ .env = *env };
	acpi_pm_reset(a);
}
