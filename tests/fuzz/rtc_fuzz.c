/* A hostile guest at the real-time clock. */
#include <dev/pc/rtc.h>

#include "pc_fuzz.h"

static struct rtc d;

void device_start(void)
{
	rtc_init(&d, &(struct timer_env){ NULL, now_ns, set_irq, NULL }, 1700000000);
}

enum mmio_outcome device_access(unsigned which, struct mmio *m)
{
	struct mmio index = { .size = 1, .write = true, .value = m->offset & 0x3f };

	if (which & 1)
		index.value &= 0xf;
	rtc_access(&d, &index);
	m->offset = 1;
	return rtc_access(&d, m);
}

void device_act(const uint8_t *b)
{
	uint64_t due = rtc_deadline(&d);

	if (b[1] == 0xff)
		rtc_reset(&d);
	rtc_expired(&d);
	keep(due, rtc_deadline(&d));
}

void device_check(void)
{
	if (line[0] != ((d.cmos[0xb] & d.cmos[0xc] & 0x70) != 0))
		abort();
}
