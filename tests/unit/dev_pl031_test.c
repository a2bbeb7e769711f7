/* PL031 against DDI 0224C. */
#include <dev/pl031.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { DR = 0,
       MR = 4,
       LR = 8,
       CR = 0xc,
       IMSC = 0x10,
       RIS = 0x14,
       MIS = 0x18,
       ICR = 0x1c };

struct fixture {
	struct pl031 rtc;
	uint64_t now, alarm; /* alarm: absolute, 0 = none */
	bool irq;
};

static uint64_t now_seconds(void *opaque)
{
	return ((struct fixture *)opaque)->now;
}

static void set_alarm(void *opaque, uint64_t seconds)
{
	struct fixture *f = opaque;

	f->alarm = seconds ? f->now + seconds : 0;
}

static void set_irq(void *opaque, bool level)
{
	struct fixture *f = opaque;

	assert_int_not_equal(f->irq, level);
	f->irq = level;
}

static struct fixture *fresh(uint64_t now)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	f.now = now;
	pl031_init(&f.rtc,
		   &(struct pl031_env){ &f, now_seconds, set_alarm, set_irq });
	return &f;
}

static uint32_t rd(struct fixture *f, uint32_t offset)
{
	struct mmio m = { .offset = offset, .size = 4 };

	assert_int_equal(pl031_access(&f->rtc, &m), MMIO_HANDLED);
	assert_int_equal(f->irq, pl031_irq_level(&f->rtc));
	return (uint32_t)m.value;
}

static void wr(struct fixture *f, uint32_t offset, uint32_t value)
{
	struct mmio m = { .offset = offset, .size = 4, .write = true, .value = value };

	assert_int_equal(pl031_access(&f->rtc, &m), MMIO_HANDLED);
	assert_int_equal(f->irq, pl031_irq_level(&f->rtc));
}

static void advance(struct fixture *f, uint64_t seconds)
{
	f->now += seconds;
	if (f->alarm && f->alarm <= f->now) {
		f->alarm = 0;
		pl031_alarm(&f->rtc);
	}
}

/* Table 3-1: offset, value at reset, value after writing all ones. */
static void test_map(void **state)
{
	static const struct {
		uint32_t offset, reset, ones;
	} map[] = {
		{ DR, 1000, 1000 },
		{ MR, 0, UINT32_MAX },
		{ LR, 0, UINT32_MAX },
		{ CR, 1, 1 },
		{ IMSC, 0, 1 },
		{ RIS, 0, 0 },
		{ MIS, 0, 0 },
		{ ICR, 0, 0 },
		{ 0xfe0, 0x31, 0x31 },
		{ 0xfe4, 0x10, 0x10 },
		{ 0xfe8, 0x04, 0x04 },
		{ 0xfec, 0, 0 },
		{ 0xff0, 0x0d, 0x0d },
		{ 0xff4, 0xf0, 0xf0 },
		{ 0xff8, 0x05, 0x05 },
		{ 0xffc, 0xb1, 0xb1 },
	};
	const struct dev_reg *r = pl031_registers();
	size_t n = 0;

	(void)state;
	assert_non_null(r[0].name);
	for (size_t i = 0; i < DEV_REG_PLACES; i++) {
		n += r[i].name != NULL;
		if (r[i].writable != 0)
			assert_true(r[i].write != NULL || r[i].field != DEV_REG_NO_FIELD);
	}
	assert_int_equal(n, sizeof(map) / sizeof(map[0]));
	for (size_t i = 0; i < n; i++) {
		struct fixture *f = fresh(1000);
		struct mmio m = {
			.offset = map[i].offset,
			.size = 4,
			.write = true,
			.value = UINT32_MAX,
		};

		assert_int_equal(rd(f, map[i].offset), map[i].reset);
		pl031_access(&f->rtc, &m);
		assert_int_equal(rd(f, map[i].offset), map[i].ones);
	}
}

static void test_set_clock(void **state)
{
	struct fixture *f = fresh(1700000000);

	(void)state;
	assert_int_equal(rd(f, DR), 1700000000);
	advance(f, 10);
	assert_int_equal(rd(f, DR), 1700000010);
	wr(f, LR, 5);
	assert_int_equal(rd(f, DR), 5);
	advance(f, 7);
	assert_int_equal(rd(f, DR), 12);
	assert_int_equal(rd(f, LR), 5);
}

static void test_alarm(void **state)
{
	struct fixture *f = fresh(100);

	(void)state;
	wr(f, IMSC, 1);
	wr(f, MR, 105);
	advance(f, 4);
	assert_false(f->irq);
	advance(f, 1);
	assert_true(f->irq);
	assert_int_equal(rd(f, MIS), 1);
	wr(f, ICR, 1);
	assert_false(f->irq);
	advance(f, 100);
	assert_false(f->irq); /* once */
	wr(f, MR, rd(f, DR)); /* equal now: at once */
	assert_true(f->irq);
}

static void test_alarm_early_and_masked(void **state)
{
	struct fixture *f = fresh(100);

	(void)state;
	wr(f, MR, 110);
	f->now = 104;
	pl031_alarm(&f->rtc); /* early: asks again */
	assert_int_equal(f->alarm, 110);
	advance(f, 20); /* late */
	assert_false(f->irq);
	assert_int_equal(rd(f, RIS), 1);
	assert_int_equal(rd(f, MIS), 0);
	wr(f, IMSC, 1);
	assert_true(f->irq);
}

static void test_wrap(void **state)
{
	struct fixture *f = fresh(0);

	(void)state;
	wr(f, IMSC, 1);
	wr(f, LR, UINT32_MAX - 1);
	wr(f, MR, 1);
	advance(f, 2);
	assert_int_equal(rd(f, DR), 0);
	assert_false(f->irq);
	advance(f, 1);
	assert_true(f->irq);
	/* A jump over the match value is no match. */
	wr(f, ICR, 1);
	wr(f, MR, 50);
	wr(f, LR, 100);
	advance(f, 5);
	assert_false(f->irq);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_set_clock),
		cmocka_unit_test(test_alarm),
		cmocka_unit_test(test_alarm_early_and_masked),
		cmocka_unit_test(test_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
