/*
 * Sets up its watchdog (SP805), sees to it for a while, takes its interrupt away once,
 * and then hangs: says in between what it found. The monitor ends it, not this program.
 */
#include "micro.h"

#define WATCHDOG 0x090c0000ull
#define LOAD 0x000u
#define VALUE 0x004u
#define CONTROL 0x008u
#define INTCLR 0x00cu
#define RIS 0x010u
#define LOCK 0xc00u
#define UNLOCK 0x1acce551u
#define SECOND 1000000u /* it counts microseconds */

static uint32_t rd(unsigned offset) { return micro_read32(WATCHDOG + offset); }
static void wr(unsigned offset, uint32_t value) { micro_write32(WATCHDOG + offset, value); }

static void spin_for(uint64_t us)
{
	const uint64_t end = micro_us() + us;

	while (micro_us() < end)
		;
}

static void say(const char *what, int right)
{
	micro_print("watchdog: ");
	micro_print(what);
	micro_print(right ? "\n" : ": FAILED\n");
}

void micro_main(void)
{
	uint64_t before;

	say("is an SP805", (rd(0xfe0) & 0xff) == 0x05 && (rd(0xfe4) & 0xff) == 0x18);
	wr(LOCK, 0);
	wr(LOAD, 5);
	say("is locked", rd(LOCK) == 1 && rd(LOAD) != 5);
	wr(LOCK, UNLOCK);
	wr(LOAD, SECOND);
	wr(CONTROL, 3);
	for (unsigned i = 0; i < 4; i++) {
		spin_for(SECOND * 2 / 5);
		wr(INTCLR, 1); /* begins anew */
	}
	say("is kept from running out", rd(RIS) == 0 && rd(VALUE) > SECOND / 2);
	spin_for(SECOND * 3 / 2);
	say("has run out once", rd(RIS) == 1);
	wr(INTCLR, 1);
	say("has another chance", rd(RIS) == 0);
	before = micro_us();
	say("the guest hangs", micro_us() - before < SECOND / 2);
	for (;;)
		__asm__ volatile("wfi");
}
