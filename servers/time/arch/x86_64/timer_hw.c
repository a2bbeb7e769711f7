/*
 * The PIT's channel 0 (Intel 8254), by I/O ports: mode 0, its output goes up when
 * it has counted to zero, and stays up until it is set anew. A deadline that is
 * further away than it can count is come to in steps.
 */
#include "timer_hw.h"

#include <selvage/base.h>
#include <selvage/clock.h>
#include <selvage/procinfo.h>
#include <selvage/sel4.h>

#define PIT_HZ 1193182u
#define PIT_DATA0 0x40
#define PIT_COMMAND 0x43
#define CHANNEL0_ONCE 0x30 /* low byte, high byte; mode 0 */
#define MOST 0xffffu

bool timer_hw_open(void) { return true; }

static void out(uint16_t port, unsigned value)
{
	(void)sel4_io_port_out8(PROC_CAP_DEVICE_PORTS, port, value);
}

void timer_hw_set(uint64_t deadline)
{
	uint64_t now = clock_now();
	uint64_t left = deadline > now ? clock_scale(deadline - now, clock_hz(), PIT_HZ) : 0;
	unsigned n = (unsigned)min_u64(left + 1, MOST); /* never early; 0 would be 65536 */

	out(PIT_COMMAND, CHANNEL0_ONCE);
	out(PIT_DATA0, n & 0xff);
	out(PIT_DATA0, n >> 8);
}

/* Without a new count it stands; QEMU leaves its output where it was. */
void timer_hw_off(void) { out(PIT_COMMAND, CHANNEL0_ONCE); }

/* It is the edge that interrupts: one that comes while the pin is masked is lost, so
 * the acknowledgement, which opens it, is before the new count. */
void timer_hw_taken(void) { sel4_irq_handler_ack(PROC_CAP_DEVICE_IRQ); }
void timer_hw_moved(void) {}
