/* A hostile guest at the HPET. */
#include <dev/pc/hpet.h>

#include "pc_fuzz.h"

static struct hpet d;
static bool legacy;

static void set_line(void *opaque, unsigned timer, unsigned gsi, bool level)
{
	(void)opaque;
	if (gsi != 0 && !(0xff0104u >> gsi & 1))
		abort();
	hear(timer, level);
}

static void set_legacy(void *opaque, bool on)
{
	(void)opaque;
	if (legacy == on)
		abort();
	legacy = on;
}

void device_start(void)
{
	legacy = false;
	hpet_init(&d, &(struct hpet_env){ NULL, now_ns, set_line, set_legacy }, 0xff0104);
}

enum mmio_outcome device_access(unsigned which, struct mmio *m)
{
	static const uint16_t base[] = { 0x0, 0x10, 0x20, 0xf0, 0x100, 0x120, 0x140, 0x160 };

	m->offset = base[which] + (m->offset & 0x1f);
	m->offset &= ~(m->size - 1ull);
	return hpet_access(&d, m);
}

void device_act(const uint8_t *b)
{
	uint64_t due = hpet_deadline(&d);

	if (b[1] == 0xff)
		hpet_reset(&d);
	hpet_expired(&d);
	keep(due, hpet_deadline(&d));
}

void device_check(void)
{
	for (unsigned i = 0; i < HPET_TIMERS; i++)
		if (line[i] != d.timer[i].line)
			abort();
}
