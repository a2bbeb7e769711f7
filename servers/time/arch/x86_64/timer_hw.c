/* A PC's timer: the HPET's, or where there is none, the PIT's. */
#include "timer_hw.h"

#include "pc_timers.h"

#include <selvage/procinfo.h>
#include <selvage/sel4.h>
#include <selvage/servers.h>

static bool has_hpet;

bool timer_hw_open(void)
{
	const struct time_info *info = (const void *)procinfo_get()->detail;

	pit_off();
	has_hpet = info->hpet != 0 && hpet_open(PROC_DEVICE_BASE + info->hpet - 1);
	return true;
}

void timer_hw_set(uint64_t deadline)
{
	if (has_hpet)
		hpet_set(deadline);
	else
		pit_set(deadline);
}

void timer_hw_off(void)
{
	if (has_hpet)
		hpet_off();
	else
		pit_off();
}

/* It is the edge that interrupts: one that comes while the pin is masked is lost, so
 * the acknowledgement, which opens it, is before the new count. */
void timer_hw_taken(void) { sel4_irq_handler_ack(PROC_CAP_DEVICE_IRQ); }
void timer_hw_moved(void) {}
