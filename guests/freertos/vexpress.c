/*
 * Board `vexpress-a9`: ticks come from the A9's global timer, the clock is an
 * SP804 of the motherboard, which another oscillator drives. The A9's timers
 * count at half the CPU's clock, whose rate no register tells: it is measured.
 */
#include <FreeRTOS.h>
#include <task.h>

#include "app.h"
#include "cpu.h"

#define GLOBAL_TIMER 0x1e000200
#define GT_LOW (GLOBAL_TIMER + 0x00)
#define GT_HIGH (GLOBAL_TIMER + 0x04)
#define GT_CONTROL (GLOBAL_TIMER + 0x08)
#define GT_STATUS (GLOBAL_TIMER + 0x0c)
#define GT_COMPARE_LOW (GLOBAL_TIMER + 0x10)
#define GT_COMPARE_HIGH (GLOBAL_TIMER + 0x14)
#define GT_ENABLE 1u
#define GT_ENABLE_COMPARE_IRQ 7u

#define PRIVATE_TIMER 0x1e000600
#define PT_LOAD (PRIVATE_TIMER + 0x00)
#define PT_CONTROL (PRIVATE_TIMER + 0x08)
#define PT_STATUS (PRIVATE_TIMER + 0x0c)
#define PT_ENABLE_RELOAD 3u

#define SP804 0x10011000
#define SP804_LOAD (SP804 + 0x00)
#define SP804_VALUE (SP804 + 0x04)
#define SP804_CONTROL (SP804 + 0x08)
#define SP804_FREE_RUNNING_32BIT 0x82u

#define SYSREGS 0x10000000
#define SYS_ID (SYSREGS + 0x000)
#define SYS_CFGDATA (SYSREGS + 0x0a0)
#define SYS_CFGCTRL (SYSREGS + 0x0a4)
#define SYS_CFGSTAT (SYSREGS + 0x0a8)
#define CFG_START 0x80000000u
#define CFG_WRITE 0x40000000u
#define CFG_OSC (1u << 20)
#define CFG_SHUTDOWN (8u << 20)

#define CLOCK_HZ 1000000u

const unsigned board_tick_irq = 27; /* PPI 11 */

static uint64_t interval, due;
static uint32_t per_us; /* of the global timer */

static uint32_t sp804_us(void)
{
	return ~mmio_read(SP804_VALUE);
}

static uint64_t global_timer(void)
{
	uint32_t low, high = mmio_read(GT_HIGH), again;

	for (;; high = again) {
		low = mmio_read(GT_LOW);
		again = mmio_read(GT_HIGH);
		if (again == high)
			return (uint64_t)high << 32 | low;
	}
}

/* Counts on from 32 bits; somebody asks more often than once in an hour. */
uint64_t board_clock(void)
{
	static uint64_t clock;
	uint32_t masked;
	uint64_t now;

	/* Called from tasks and from the tick's interrupt. */
	masked = cpu_irq_off();
	clock += (uint32_t)(sp804_us() - (uint32_t)clock);
	now = clock;
	cpu_irq_restore(masked);
	return now;
}

uint32_t board_clock_hz(void)
{
	return CLOCK_HZ;
}

/* Both clocks at one moment, whatever comes between the reads. */
struct sample {
	uint32_t us;
	uint64_t global;
};

static struct sample sample_both(void)
{
	struct sample s;

	do {
		s.us = sp804_us();
		s.global = global_timer();
	} while (sp804_us() - s.us > 50);
	return s;
}

/* The global timer's ticks in a millisecond of the SP804. */
static uint32_t ticks_per_ms(void)
{
	struct sample start = sample_both(), end;

	do
		end = sample_both();
	while (end.us - start.us < 20000);
	return (uint32_t)((end.global - start.global) * 1000u / (end.us - start.us));
}

static void set_due(void)
{
	/* Without the comparator while it is half written (DDI 0407I 4.4.2). */
	mmio_write(GT_CONTROL, GT_ENABLE);
	mmio_write(GT_STATUS, 1);
	mmio_write(GT_COMPARE_LOW, (uint32_t)due);
	mmio_write(GT_COMPARE_HIGH, (uint32_t)(due >> 32));
	mmio_write(GT_CONTROL, GT_ENABLE_COMPARE_IRQ);
}

void board_tick_start(unsigned rate)
{
	mmio_write(SP804_LOAD, 0xffffffffu);
	mmio_write(SP804_CONTROL, SP804_FREE_RUNNING_32BIT);
	mmio_write(GT_CONTROL, GT_ENABLE);
	/* Rounded to what crystals and dividers give: whole MHz. */
	per_us = (ticks_per_ms() + 500) / 1000;
	interval = per_us * (CLOCK_HZ / rate);
	due = global_timer() + interval;
	set_due();
}

uint32_t board_tick_late(void)
{
	return (uint32_t)(global_timer() - due) / per_us;
}

/* The next one follows from the last: a late tick delays none after it. */
void board_tick_clear(void)
{
	due += interval;
	set_due();
}

static uint32_t cfg_read(uint32_t what)
{
	mmio_write(SYS_CFGSTAT, 0);
	mmio_write(SYS_CFGCTRL, CFG_START | what);
	return mmio_read(SYS_CFGSTAT) == 1 ? mmio_read(SYS_CFGDATA) : 0;
}

/* How long the private timer takes for ten times 1 ms. */
static uint32_t private_timer_us(void)
{
	uint32_t start_us;

	mmio_write(PT_LOAD, per_us * 1000u - 1u);
	mmio_write(PT_CONTROL, PT_ENABLE_RELOAD);
	mmio_write(PT_STATUS, 1);
	start_us = sp804_us();
	for (unsigned i = 0; i < 10; i++) {
		while (!mmio_read(PT_STATUS))
			;
		mmio_write(PT_STATUS, 1);
	}
	mmio_write(PT_CONTROL, 0);
	return sp804_us() - start_us;
}

bool board_check(void)
{
	uint32_t id = mmio_read(SYS_ID), osc = cfg_read(CFG_OSC | 1u), us, per_ms, off;

	taskENTER_CRITICAL();
	us = private_timer_us();
	per_ms = ticks_per_ms();
	taskEXIT_CRITICAL();
	off = per_ms > per_us * 1000u ? per_ms - per_us * 1000u : per_us * 1000u - per_ms;
	app_print("freertos: board id %x, oscillator 1 %u Hz, global timer %u per ms, 10 ms of the "
		  "private timer are %u us\n",
		  id, osc, per_ms, us);
	return id >> 16 == 0x1190 && osc != 0 && off < per_us * 100u && us >= 9900;
}

void board_off(void)
{
	mmio_write(SYS_CFGSTAT, 0);
	mmio_write(SYS_CFGCTRL, CFG_START | CFG_WRITE | CFG_SHUTDOWN);
}
