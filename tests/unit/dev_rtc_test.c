/* MC146818 against its data sheet, at a PC's ports. */
#include <dev/pc/rtc.h>
#include <time.h>

#include "dev_pc.h"

#define S 1000000000ull
#define MS 1000000ull
enum { A = 10,
       B = 11,
       C = 12,
       D = 13,
       CENTURY = 0x32 };

struct fixture {
	struct rtc rtc;
	struct owner owner;
};

static struct fixture *fresh(uint64_t seconds)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	f.owner.now = 5 * S;
	rtc_init(&f.rtc, &(struct timer_env){ &f.owner, owner_now, owner_irq, NULL }, seconds);
	return &f;
}

static uint8_t rd(struct fixture *f, uint8_t index)
{
	WR(rtc_access, &f->rtc, 0, 1, index);
	return (uint8_t)RD(rtc_access, &f->rtc, 1, 1);
}

static void wr(struct fixture *f, uint8_t index, uint8_t value)
{
	WR(rtc_access, &f->rtc, 0, 1, index);
	WR(rtc_access, &f->rtc, 1, 1, value);
}

/* With each deadline kept; a guest that reads C each time. */
static unsigned run(struct fixture *f, uint64_t ns)
{
	uint64_t end = f->owner.now + ns;
	unsigned n = 0;

	while (rtc_deadline(&f->rtc) <= end) {
		f->owner.now = rtc_deadline(&f->rtc);
		rtc_expired(&f->rtc);
		if (!f->owner.irq)
			continue;
		assert_int_equal(rtc_deadline(&f->rtc), NEVER);
		assert_true(rd(f, C) & 0x80);
		assert_false(f->owner.irq);
		n++;
	}
	f->owner.now = end;
	return n;
}

static unsigned bcd(unsigned n) { return n / 10 << 4 | n % 10; }

static void expect(struct fixture *f, uint64_t seconds)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	gmtime_r(&t, &tm);
	assert_int_equal(rd(f, 0), bcd((unsigned)tm.tm_sec));
	assert_int_equal(rd(f, 2), bcd((unsigned)tm.tm_min));
	assert_int_equal(rd(f, 4), bcd((unsigned)tm.tm_hour));
	assert_int_equal(rd(f, 6), bcd((unsigned)tm.tm_wday + 1));
	assert_int_equal(rd(f, 7), bcd((unsigned)tm.tm_mday));
	assert_int_equal(rd(f, 8), bcd((unsigned)tm.tm_mon + 1));
	assert_int_equal(rd(f, 9), bcd((unsigned)tm.tm_year % 100));
	assert_int_equal(rd(f, CENTURY), bcd((unsigned)tm.tm_year / 100 + 19));
}

static void test_dates(void **state)
{
	(void)state;
	/* The C library is the judge, leap days and ends of years among them. */
	for (uint64_t s = 0; s < 4102444800; s += 86400 * 13 + 3601)
		expect(fresh(s), s);
	expect(fresh(951782399), 951782399);   /* 2000-02-28 23:59:59 */
	expect(fresh(951868799), 951868799);   /* 2000-02-29 */
	expect(fresh(1709251199), 1709251199); /* 2024-02-29 */
	expect(fresh(4107542399), 4107542399); /* 2100-02-28, no leap year */
	expect(fresh(4107542400), 4107542400);
}

/* Sets the clock as Linux does and reads it back by the C library's count. */
static void test_set(void **state)
{
	struct fixture *f = fresh(0);

	(void)state;
	for (uint64_t s = 1; s < 4102444800; s += 86400 * 19 + 7777) {
		time_t t = (time_t)s;
		struct tm tm;

		gmtime_r(&t, &tm);
		wr(f, B, rd(f, B) | 0x80);
		wr(f, 9, (uint8_t)bcd((unsigned)tm.tm_year % 100));
		wr(f, 8, (uint8_t)bcd((unsigned)tm.tm_mon + 1));
		wr(f, 7, (uint8_t)bcd((unsigned)tm.tm_mday));
		wr(f, 4, (uint8_t)bcd((unsigned)tm.tm_hour));
		wr(f, 2, (uint8_t)bcd((unsigned)tm.tm_min));
		wr(f, 0, (uint8_t)bcd((unsigned)tm.tm_sec));
		wr(f, CENTURY, (uint8_t)bcd((unsigned)tm.tm_year / 100 + 19));
		f->owner.now += 3 * S; /* stands meanwhile */
		assert_int_equal(rd(f, 0), bcd((unsigned)tm.tm_sec));
		wr(f, B, rd(f, B) & 0x7f);
		expect(f, s);
		f->owner.now += 90 * S;
		expect(f, s + 90);
	}
}

static void test_formats(void **state)
{
	static const uint8_t twelve[24] = {
		0x12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0x10, 0x11, 0x92, 0x81,
		0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x90, 0x91
	};
	struct fixture *f = fresh(0);

	(void)state;
	for (unsigned hour = 0; hour < 24; hour++) {
		f = fresh(hour * 3600 + 59);
		wr(f, B, 0);
		assert_int_equal(rd(f, 4), twelve[hour]);
		wr(f, 4, twelve[hour]); /* set while it runs: the same again */
		assert_int_equal(rd(f, 4), twelve[hour]);
		assert_int_equal(rd(f, 0), 0x59);
		wr(f, B, 6);
		assert_int_equal(rd(f, 4), hour);
		assert_int_equal(rd(f, 0), 59);
		wr(f, B, 4);
		assert_int_equal(rd(f, 4), (hour + 11) % 12 + 1 + (hour > 11 ? 0x80u : 0));
	}
	/* Nonsense is some time, and no more. */
	wr(f, B, 0x82);
	for (uint8_t i = 0; i < 10; i++)
		wr(f, i, 0xff);
	wr(f, CENTURY, 0xff);
	wr(f, B, 2);
	assert_true(rd(f, 0) < 0x60);
	assert_true(rd(f, 4) < 0x24);
}

static void test_update(void **state)
{
	struct fixture *f = fresh(1000);

	(void)state;
	assert_int_equal(rd(f, A), 0x26);
	f->owner.now += 997 * MS;
	assert_int_equal(rd(f, A), 0x26);
	f->owner.now += 1 * MS;
	assert_int_equal(rd(f, A), 0xa6); /* update in progress */
	f->owner.now += 2 * MS;
	assert_int_equal(rd(f, A), 0x26);
	assert_int_equal(rd(f, C), 0x50); /* flags without interrupt */
	assert_int_equal(rd(f, C), 0);
	wr(f, B, 0x12);
	assert_int_equal(run(f, 10 * S), 10);
	/* SET turns the update interrupt off and stops updates. */
	wr(f, B, 0x92);
	assert_int_equal(rd(f, B), 0x82);
	assert_int_equal(run(f, 10 * S), 0);
	/* The divider's reset: the first update follows half a second after it. */
	wr(f, A, 0x76);
	wr(f, B, 0x12);
	wr(f, A, 0x26);
	assert_int_equal(run(f, 499 * MS), 0);
	assert_int_equal(run(f, 1 * MS), 1);
}

static void test_periodic(void **state)
{
	static const unsigned hz[16] = {
		0, 256, 128, 8192, 4096, 2048, 1024, 512, 256, 128, 64, 32, 16, 8,
		4, 2
	};
	struct fixture *f = fresh(0);

	(void)state;
	wr(f, B, 0x42);
	for (uint8_t rate = 0; rate < 16; rate++) {
		wr(f, A, 0x20 | rate);
		rd(f, C);
		assert_int_equal(run(f, 2 * S), 2 * hz[rate]);
	}
	/* Unheard it stays up. */
	wr(f, A, 0x26);
	f->owner.now += S;
	rtc_expired(&f->rtc);
	assert_true(f->owner.irq);
	assert_int_equal(rd(f, C), 0xd0);
	assert_false(f->owner.irq);
	rtc_reset(&f->rtc);
	assert_int_equal(rd(f, B), 2);
}

static void test_alarm(void **state)
{
	struct fixture *f = fresh(10 * 3600); /* 10:00:00 */

	(void)state;
	wr(f, 5, 0x10);
	wr(f, 3, 0x01);
	wr(f, 1, 0x30);
	wr(f, B, 0x22);
	assert_int_equal(rtc_deadline(&f->rtc), f->owner.now + 90 * S);
	assert_int_equal(run(f, 90 * S - 1), 0);
	assert_int_equal(run(f, 1), 1);
	assert_int_equal(run(f, 86400 * S), 1); /* each day */
	wr(f, 5, 0xff);                         /* each hour */
	assert_int_equal(run(f, 86400 * S), 24);
	wr(f, 3, 0xc0); /* each minute */
	assert_int_equal(run(f, 3600 * S), 60);
	wr(f, 1, 0xff); /* each second */
	assert_int_equal(run(f, 60 * S), 60);
	wr(f, 1, 0x7f); /* there is no such second */
	assert_int_equal(rtc_deadline(&f->rtc), NEVER);
	/* Without interrupt, and looked at late. */
	wr(f, 1, 0x15);
	wr(f, B, 2);
	rd(f, C);
	f->owner.now += 3 * 86400 * S;
	assert_int_equal(rd(f, C) & 0x30, 0x30);
	/* Hours of twelve: 11 in the evening. */
	f = fresh(22 * 3600);
	wr(f, B, 0x20);
	wr(f, 5, 0x91);
	wr(f, 3, 0);
	wr(f, 1, 0);
	assert_int_equal(rtc_deadline(&f->rtc), f->owner.now + 3600 * S);
}

static void test_memory(void **state)
{
	struct fixture *f = fresh(0);

	(void)state;
	for (unsigned i = 14; i < 128; i++)
		if (i != CENTURY)
			wr(f, (uint8_t)i, (uint8_t)(i ^ 0x5a));
	for (unsigned i = 14; i < 128; i++)
		if (i != CENTURY)
			assert_int_equal(rd(f, (uint8_t)i), i ^ 0x5a);
	assert_int_equal(rd(f, D), 0x80);
	wr(f, D, 0);
	wr(f, C, 0xff);
	assert_int_equal(rd(f, D), 0x80);
	assert_int_equal(rd(f, C), 0);
	rd(f, 0x80 | D);
	assert_true(rtc_nmi_masked(&f->rtc));
	rd(f, D);
	assert_false(rtc_nmi_masked(&f->rtc));
	rtc_set_byte(&f->rtc, 0x34, 0x12);
	rtc_set_byte(&f->rtc, B, 0xff);
	rtc_set_byte(&f->rtc, 128, 0xff);
	assert_int_equal(rd(f, 0x34), 0x12);
	assert_int_equal(rd(f, B), 2);
	assert_int_equal(RD(rtc_access, &f->rtc, 0, 1), 0xff);
}

/* What a battery keeps, into another chip, of which the clock goes on. */
static void test_kept(void **state)
{
	struct fixture *f = fresh(0);
	uint8_t memory[RTC_MEMORY], century;

	(void)state;
	wr(f, 0x50, 7);
	wr(f, 14, 1);
	wr(f, 127, 2);
	rtc_save(&f->rtc, memory);
	century = rd(f, CENTURY);
	assert_int_equal(memory[0x50 - 14], 7);
	wr(f, 0x50, 0);
	wr(f, 14, 0);
	wr(f, 127, 0);
	memory[CENTURY - 14] = 0x99;
	rtc_load(&f->rtc, memory);
	assert_int_equal(rd(f, 0x50), 7);
	assert_int_equal(rd(f, 14), 1);
	assert_int_equal(rd(f, 127), 2);
	assert_int_equal(rd(f, CENTURY), century);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_update),
		cmocka_unit_test(test_periodic),
		cmocka_unit_test(test_alarm),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
