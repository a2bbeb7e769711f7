/* The devices of board vexpress-a9 against their manuals: SP804 (DDI 0271D), SP805 (DDI 0270B),
 * the A9's private region (DDI 0407I), system registers (DUI 0447J), PL310 (DDI 0246H). Reset
 * values are those that QEMU's vexpress-a9 shows its monitor. */
#include <dev/a9mp.h>
#include <dev/pl310.h>
#include <dev/sp804.h>
#include <dev/sp805.h>
#include <dev/vexpress.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define US 1000ull
#define MS 1000000ull

static struct world {
	uint64_t now;
	bool line[16];
	unsigned changes, resets, offs, starts;
	uint32_t entry;
	struct sp804 sp804;
	struct sp805 sp805;
	struct a9mp a9;
	struct vexpress vx;
	struct pl310 l2;
} w;

static uint64_t now_ns(void *opaque)
{
	return ((struct world *)opaque)->now;
}

static void set_irq(void *opaque, unsigned line, bool level)
{
	struct world *o = opaque;

	assert_true(line < 16);
	assert_int_not_equal(o->line[line], level);
	o->line[line] = level;
	o->changes++;
}

static void reset(void *opaque)
{
	((struct world *)opaque)->resets++;
}

static void off(void *opaque)
{
	((struct world *)opaque)->offs++;
}

static void start(void *opaque, uint32_t entry)
{
	((struct world *)opaque)->starts++;
	((struct world *)opaque)->entry = entry;
}

static int fresh(void **state)
{
	const struct timer_env env = { &w, now_ns, set_irq, reset };

	(void)state;
	memset(&w, 0, sizeof(w));
	w.now = 5000 * MS;
	sp804_init(&w.sp804, &env, 1000000);
	sp805_init(&w.sp805, &env, 24000000 / 24);
	a9mp_init(&w.a9, &env, 2, 100000000);
	vexpress_init(&w.vx, &(struct vexpress_env){ &w, now_ns, off, reset, start });
	pl310_reset(&w.l2);
	return 0;
}

/* --- Accesses: each device by a name ------------------------------------------- */

static enum mmio_outcome sp804_do(struct mmio *m)
{
	return sp804_access(&w.sp804, m);
}

static enum mmio_outcome sp805_do(struct mmio *m)
{
	return sp805_access(&w.sp805, m);
}

static enum mmio_outcome a9_do(struct mmio *m)
{
	return a9mp_access(&w.a9, 0, m);
}

static enum mmio_outcome a9_cpu1(struct mmio *m)
{
	return a9mp_access(&w.a9, 1, m);
}

static enum mmio_outcome vx_do(struct mmio *m)
{
	return vexpress_access(&w.vx, m);
}

static enum mmio_outcome l2_do(struct mmio *m)
{
	return pl310_access(&w.l2, m);
}

typedef enum mmio_outcome (*device)(struct mmio *m);

static uint32_t rd(device d, uint32_t offset)
{
	struct mmio m = { .offset = offset, .size = 4 };

	assert_int_not_equal(d(&m), MMIO_FAULT);
	return (uint32_t)m.value;
}

static void wr(device d, uint32_t offset, uint32_t value)
{
	/* What is above the access's size means nothing. */
	struct mmio m = { .offset = offset, .size = 4, .write = true, .value = value | 7ull << 32 };

	assert_int_equal(d(&m), MMIO_HANDLED);
}

/* Time goes on to the moment that the device asked for. */
static void sleep_until(uint64_t at)
{
	assert_true(at != COUNTDOWN_NEVER && at >= w.now);
	w.now = at;
}

/* --- SP804 ------------------------------------------------------------------------ */

static void sp804_at_reset(void **state)
{
	(void)state;
	assert_int_equal(rd(sp804_do, 0x00), 0);
	assert_int_equal(rd(sp804_do, 0x08), 0x20);
	assert_int_equal(rd(sp804_do, 0x28), 0x20);
	assert_int_equal(rd(sp804_do, 0xfe0), 0x04);
	assert_int_equal(rd(sp804_do, 0xfe4), 0x18);
	assert_int_equal(rd(sp804_do, 0xfe8), 0x14);
	assert_int_equal(rd(sp804_do, 0xff0), 0x0d);
	assert_true(sp804_deadline(&w.sp804) == COUNTDOWN_NEVER);
}

static void sp804_periodic(void **state)
{
	(void)state;
	wr(sp804_do, 0x00, 1000);
	wr(sp804_do, 0x08, 0xe2);
	for (unsigned i = 1; i <= 5; i++) {
		sleep_until(sp804_deadline(&w.sp804));
		assert_true(w.now == 5000 * MS + i * MS);
		sp804_expired(&w.sp804);
		assert_true(w.line[0]);
		assert_int_equal(rd(sp804_do, 0x10), 1);
		assert_int_equal(rd(sp804_do, 0x14), 1);
		wr(sp804_do, 0x0c, 0);
		assert_false(w.line[0]);
	}
	w.now += 250 * US;
	assert_int_equal(rd(sp804_do, 0x04), 750);
	/* Whoever comes late sees one interrupt, and the next in time. */
	w.now += 10 * MS;
	sp804_expired(&w.sp804);
	assert_true(w.line[0]);
	wr(sp804_do, 0x0c, 0);
	assert_false(w.line[0]);
	assert_true(sp804_deadline(&w.sp804) == 5016 * MS);
	/* BGLoad changes the periods after this one. */
	wr(sp804_do, 0x18, 500);
	sleep_until(sp804_deadline(&w.sp804));
	sp804_expired(&w.sp804);
	wr(sp804_do, 0x0c, 0);
	assert_int_equal(rd(sp804_do, 0x00), 500);
}

static void sp804_free_running(void **state)
{
	(void)state;
	wr(sp804_do, 0x08, 0x82); /* 32 bits, from 0xffffffff on */
	w.now += 123 * US;
	assert_int_equal(rd(sp804_do, 0x04), UINT32_MAX - 123);
	w.now += (1ull << 32) * US;
	assert_int_equal(rd(sp804_do, 0x04), UINT32_MAX - 123);
	wr(sp804_do, 0x08, 0x02); /* stopped: it holds */
	w.now += MS;
	assert_int_equal(rd(sp804_do, 0x04), UINT32_MAX - 123);
	wr(sp804_do, 0x20, 0x12345);
	wr(sp804_do, 0x28, 0x80); /* the other one, 16 bits */
	w.now += 0x2345 * US + 1 * US;
	assert_int_equal(rd(sp804_do, 0x24), 0xffff);
}

static void sp804_one_shot(void **state)
{
	(void)state;
	wr(sp804_do, 0x20, 16);
	wr(sp804_do, 0x28, 0xa7); /* enabled, prescaler 16, 32 bits, one shot */
	w.now += 255 * US;
	sp804_expired(&w.sp804);
	assert_false(w.line[0]);
	assert_int_equal(rd(sp804_do, 0x24), 1);
	w.now += US;
	sp804_expired(&w.sp804);
	assert_true(w.line[0]);
	wr(sp804_do, 0x2c, 1);
	w.now += 100 * MS;
	sp804_expired(&w.sp804);
	assert_false(w.line[0]);
	assert_int_equal(rd(sp804_do, 0x24), 0);
	wr(sp804_do, 0x28, 0x87);
	wr(sp804_do, 0x28, 0xa7); /* its interrupt off and on: nothing new */
	assert_false(w.line[0]);
	assert_true(sp804_deadline(&w.sp804) == COUNTDOWN_NEVER);
}

static void sp804_two_make_one_line(void **state)
{
	(void)state;
	wr(sp804_do, 0x00, 10);
	wr(sp804_do, 0x08, 0xe2);
	wr(sp804_do, 0x20, 20);
	wr(sp804_do, 0x28, 0xe2);
	w.now += 20 * US;
	sp804_expired(&w.sp804);
	wr(sp804_do, 0x0c, 0);
	assert_true(w.line[0]);
	wr(sp804_do, 0x2c, 0);
	assert_false(w.line[0]);
	w.now += MS;
	sp804_expired(&w.sp804);
	wr(sp804_do, 0x08, 0xc2); /* interrupt disabled: raw only */
	assert_int_equal(rd(sp804_do, 0x10), 1);
	assert_int_equal(rd(sp804_do, 0x14), 0);
	sp804_reset(&w.sp804);
	assert_false(w.line[0]);
	assert_int_equal(rd(sp804_do, 0x08), 0x20);
}

/* --- SP805 ------------------------------------------------------------------------ */

static void sp805_bites_at_the_second_time(void **state)
{
	(void)state;
	assert_int_equal(rd(sp805_do, 0x00), UINT32_MAX);
	wr(sp805_do, 0x00, 999);
	wr(sp805_do, 0x08, 3);
	sleep_until(sp805_deadline(&w.sp805));
	assert_true(w.now <= 5001 * MS);
	sp805_expired(&w.sp805);
	assert_true(w.line[0]);
	wr(sp805_do, 0x0c, 1); /* fed: it starts again */
	assert_false(w.line[0]);
	assert_int_equal(rd(sp805_do, 0x04), 999);
	sleep_until(sp805_deadline(&w.sp805));
	sp805_expired(&w.sp805);
	assert_int_equal(w.resets, 0);
	sleep_until(sp805_deadline(&w.sp805));
	sp805_expired(&w.sp805);
	assert_int_equal(w.resets, 1);
}

static void sp805_locks(void **state)
{
	(void)state;
	wr(sp805_do, 0xc00, 1);
	assert_int_equal(rd(sp805_do, 0xc00), 1);
	wr(sp805_do, 0x00, 5);
	wr(sp805_do, 0x08, 3);
	assert_int_equal(rd(sp805_do, 0x00), UINT32_MAX);
	assert_int_equal(rd(sp805_do, 0x08), 0);
	wr(sp805_do, 0xc00, 0x1acce551);
	assert_int_equal(rd(sp805_do, 0xc00), 0);
	wr(sp805_do, 0x00, 5);
	wr(sp805_do, 0x08, 1); /* no reset from this one */
	w.now += MS;
	sp805_expired(&w.sp805);
	w.now += MS;
	sp805_expired(&w.sp805);
	assert_true(w.line[0]);
	assert_int_equal(w.resets, 0);
	assert_true(sp805_deadline(&w.sp805) == COUNTDOWN_NEVER);
	assert_int_equal(rd(sp805_do, 0xfe0), 0x05);
}

/* --- The A9's private region ---------------------------------------------------- */

static void scu(void **state)
{
	struct mmio byte = { .offset = 0x09, .size = 1, .write = true, .value = 3 };

	(void)state;
	assert_int_equal(rd(a9_do, 0x04), 0x31); /* two CPUs, both in SMP */
	wr(a9_do, 0x00, 1);
	assert_int_equal(rd(a9_do, 0x00), 1);
	assert_int_equal(a9_do(&byte), MMIO_HANDLED);
	assert_int_equal(rd(a9_do, 0x08), 0x300);
	wr(a9_do, 0x0c, 0xffff);
	wr(a9_do, 0x40, 0x80000000);
	wr(a9_do, 0x44, 0x90000000);
	assert_int_equal(rd(a9_do, 0x40), 0x80000000);
	assert_int_equal(rd(a9_do, 0x44), 0x90000000);
}

static void private_timer(void **state)
{
	(void)state;
	wr(a9_do, 0x600, 99999);
	wr(a9_do, 0x608, 7);
	for (unsigned i = 1; i <= 3; i++) {
		sleep_until(a9mp_deadline(&w.a9));
		a9mp_expired(&w.a9);
		assert_true(w.line[A9MP_PRIVATE]);
		assert_int_equal(rd(a9_do, 0x60c), 1);
		/* Period: load + 1 (4.1). */
		assert_true(w.now == 5000 * MS + i * MS - 10);
		wr(a9_do, 0x60c, 1);
		assert_false(w.line[A9MP_PRIVATE]);
	}
	assert_int_equal(rd(a9_cpu1, 0x600), 0); /* each CPU has its own */
	wr(a9_do, 0x608, 0x901 & ~2u);           /* prescaler 9: ten times slower, once */
	wr(a9_do, 0x604, 100);
	w.now += 99 * 100;
	assert_int_equal(rd(a9_do, 0x604), 1);
	w.now += 100;
	assert_int_equal(rd(a9_do, 0x60c), 1);
	assert_false(w.line[A9MP_PRIVATE]); /* its interrupt is off */
	wr(a9_do, 0x60c, 1);
	w.now += MS;
	assert_int_equal(rd(a9_do, 0x60c), 0);
	assert_int_equal(rd(a9_do, 0x604), 0);
}

static void watchdog(void **state)
{
	(void)state;
	wr(a9_do, 0x620, 9);
	wr(a9_do, 0x628, 5); /* as a timer first */
	w.now += 90;
	a9mp_expired(&w.a9);
	assert_true(w.line[A9MP_WATCHDOG]);
	wr(a9_do, 0x62c, 1);
	wr(a9_do, 0x628, 9); /* then as a watchdog, which no write of control ends */
	wr(a9_do, 0x628, 1);
	assert_int_equal(rd(a9_do, 0x628) & 8u, 8);
	wr(a9_do, 0x634, 0x12345678);
	wr(a9_do, 0x634, 0x87654321);
	assert_int_equal(rd(a9_do, 0x628) & 8u, 0);
	wr(a9_do, 0x620, 9);
	wr(a9_do, 0x628, 9);
	sleep_until(a9mp_deadline(&w.a9));
	a9mp_expired(&w.a9);
	assert_int_equal(w.resets, 1);
	assert_int_equal(rd(a9_do, 0x630), 1);
}

static void global_timer(void **state)
{
	(void)state;
	wr(a9_do, 0x200, 0xfffffff0); /* low half about to run over */
	wr(a9_do, 0x204, 1);
	wr(a9_do, 0x208, 1);
	w.now += 160;
	assert_int_equal(rd(a9_cpu1, 0x200), 0);
	assert_int_equal(rd(a9_cpu1, 0x204), 2);
	wr(a9_do, 0x210, 100);
	wr(a9_do, 0x214, 2);
	wr(a9_do, 0x218, 50);
	wr(a9_do, 0x208, 0xf); /* compare, interrupt, auto-increment */
	sleep_until(a9mp_deadline(&w.a9));
	assert_int_equal(rd(a9_do, 0x200), 100);
	assert_true(w.line[A9MP_GLOBAL]);
	assert_int_equal(rd(a9_do, 0x210), 150);
	assert_true(a9mp_deadline(&w.a9) == COUNTDOWN_NEVER); /* until it is cleared */
	wr(a9_do, 0x20c, 1);
	assert_false(w.line[A9MP_GLOBAL]);
	w.now += 2000; /* late: behind the counter again, on its grid */
	a9mp_expired(&w.a9);
	assert_int_equal(rd(a9_do, 0x210), 350);
	assert_int_equal(rd(a9_cpu1, 0x208), 1); /* the other CPU compares nothing */
	/* A comparator in the past is an event at once. */
	wr(a9_cpu1, 0x210, 1);
	wr(a9_cpu1, 0x208, 7);
	assert_true(w.line[A9MP_LINES + A9MP_GLOBAL]);
	a9mp_reset(&w.a9);
	assert_false(w.line[A9MP_LINES + A9MP_GLOBAL] || w.line[A9MP_GLOBAL]);
	assert_int_equal(rd(a9_do, 0x208), 0);
}

/* --- System registers and PL310 --------------------------------------------------- */

static uint32_t configure(uint32_t ctrl, uint32_t data)
{
	wr(vx_do, 0xa8, 0);
	wr(vx_do, 0xa0, data);
	wr(vx_do, 0xa4, 1u << 31 | ctrl);
	assert_int_equal(rd(vx_do, 0xa4) >> 31, 0);
	return rd(vx_do, 0xa8);
}

static void system_registers(void **state)
{
	(void)state;
	assert_int_equal(rd(vx_do, 0x00), 0x1190f500);
	assert_int_equal(rd(vx_do, 0x84), 0x0c000191);
	assert_int_equal(rd(vx_do, 0x88), 0xff000000);
	assert_int_equal(rd(vx_do, 0x44), 1);
	wr(vx_do, 0x30, 0);
	assert_int_equal(w.starts, 0);
	wr(vx_do, 0x30, 0xf0);
	assert_int_equal(w.starts, 1);
	assert_int_equal(w.entry, 0xf0);
	wr(vx_do, 0x34, 0x30);
	assert_int_equal(rd(vx_do, 0x30), 0xc0);
	wr(vx_do, 0x38, 0x1234);
	vexpress_reset(&w.vx);
	assert_int_equal(rd(vx_do, 0x30), 0);
	assert_int_equal(rd(vx_do, 0x38), 0x1234); /* keeps over a reset */
	wr(vx_do, 0x20, 0xa05f);
	assert_int_equal(rd(vx_do, 0x20), 0xa05f);
	assert_int_equal(rd(vx_do, 0x24), 500);
	assert_int_equal(rd(vx_do, 0x5c), 120000000);
}

static void configuration(void **state)
{
	(void)state;
	assert_int_equal(configure(1u << 20 | 1, 0), 1);
	assert_int_equal(rd(vx_do, 0xa0), 23750000);
	assert_int_equal(configure(1u << 30 | 1u << 20 | 1, 40000000), 1);
	assert_int_equal(configure(1u << 20 | 1, 0), 1);
	assert_int_equal(rd(vx_do, 0xa0), 40000000);
	assert_int_equal(configure(1u << 20 | 1u << 16, 0), 1);
	assert_int_equal(rd(vx_do, 0xa0), 45000000);
	assert_int_equal(configure(2u << 20 | 1u << 16 | 4, 0), 1);
	assert_int_equal(rd(vx_do, 0xa0), 900000);
	/* What the board has not got: complete, with an error. */
	assert_int_equal(configure(1u << 20 | 6, 0), 3);
	assert_int_equal(configure(2u << 20 | 1, 0), 3);
	assert_int_equal(configure(4u << 20, 0), 3);
	assert_int_equal(configure(1u << 20 | 2u << 16, 0), 3);
	assert_int_equal(configure(1u << 26 | 1u << 20, 0), 3);
	assert_int_equal(configure(1u << 30 | 7u << 20 | 1u << 16, 0), 3);
	assert_int_equal(w.offs + w.resets, 0);
	assert_int_equal(configure(1u << 30 | 8u << 20, 0), 1);
	assert_int_equal(w.offs, 1);
	assert_int_equal(configure(1u << 30 | 9u << 20, 0), 1);
	assert_int_equal(w.resets, 1);
}

static void cache_controller(void **state)
{
	(void)state;
	assert_int_equal(rd(l2_do, 0x000), 0x410000c8);
	assert_int_equal(rd(l2_do, 0x004), 0x1c100100);
	assert_int_equal(rd(l2_do, 0x104), 0x02020000);
	wr(l2_do, 0x100, 0xffffffff);
	assert_int_equal(rd(l2_do, 0x100), 1);
	wr(l2_do, 0x7fc, 0xffff); /* clean and invalidate by way: done */
	assert_int_equal(rd(l2_do, 0x7fc), 0);
	assert_int_equal(rd(l2_do, 0x730), 0);
	wr(l2_do, 0xc04, 0x80000000);
	assert_int_equal(rd(l2_do, 0xc04), 0x80000000);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, fresh)
	const struct CMUnitTest tests[] = {
		T(sp804_at_reset),
		T(sp804_periodic),
		T(sp804_free_running),
		T(sp804_one_shot),
		T(sp804_two_make_one_line),
		T(sp805_bites_at_the_second_time),
		T(sp805_locks),
		T(scu),
		T(private_timer),
		T(watchdog),
		T(global_timer),
		T(system_registers),
		T(configuration),
		T(cache_controller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
