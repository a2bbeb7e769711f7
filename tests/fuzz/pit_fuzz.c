/* A hostile guest at the interval timer. */
#include <dev/pc/pit.h>

#include "pc_fuzz.h"

static struct pit d;

void device_start(void)
{
	pit_init(&d, &(struct timer_env){ NULL, now_ns, set_irq, NULL });
}

enum mmio_outcome device_access(unsigned which, struct mmio *m)
{
	m->offset = which == 0 ? 0 : m->offset & 3;
	return which == 0 ? pit_port61_access(&d, m) : pit_access(&d, m);
}

void device_act(const uint8_t *b)
{
	uint64_t due = pit_deadline(&d);

	(void)b;
	pit_expired(&d);
	keep(due, pit_deadline(&d));
}

void device_check(void)
{
	if (line[0] != d.irq)
		abort();
}
