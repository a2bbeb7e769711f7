/*
 * The PIT's channel 0 (Intel 8254), by I/O ports: mode 0, its output goes up when
 * it has counted to zero, and stays up until it is set anew. A deadline that is
 * further away than it can count is come to in steps.
 */
#include "pc_timers.h"

#include <selvage/base.h>
#include <selvage/clock.h>
#include <selvage/procinfo.h>
#include <selvage/sel4.h>

#define PIT_HZ 1193182u
#define PIT_DATA0 0x40
#define PIT_COMMAND 0x43
#define CHANNEL0_ONCE 0x30 /* low byte, high byte; mode 0 */
#define MOST 0xffffu

static void out(uint16_t port, unsigned value)
{
	(void)sel4_io_port_out8(PROC_CAP_DEVICE_PORTS, port, value);
}

void pit_set(uint64_t deadline)
{
	uint64_t now = clock_now();
	uint64_t left = deadline > now ? clock_scale(deadline - now, clock_hz(), PIT_HZ) : 0;
	unsigned n = (unsigned)min_u64(left + 1, MOST); /* never early; 0 would be 65536 */

	out(PIT_COMMAND, CHANNEL0_ONCE);
	out(PIT_DATA0, n & 0xff);
	out(PIT_DATA0, n >> 8);
}

/* Without a new count it stands; QEMU leaves its output where it was. */
void pit_off(void) { out(PIT_COMMAND, CHANNEL0_ONCE); }
