/* 8254 against Intel 231164, the timing diagrams of its modes. */
#include <dev/pc/pit.h>
#include <dev/pc/ticks.h>

#include "dev_pc.h"

struct fixture {
	struct pit pit;
	struct owner owner;
};

static void out(struct fixture *f, unsigned port, uint8_t value)
{
	if (port == 0x61)
		WR(pit_port61_access, &f->pit, 0, 1, value);
	else
		WR(pit_access, &f->pit, port - 0x40, 1, value);
}

static uint8_t in(struct fixture *f, unsigned port)
{
	return (uint8_t)(port == 0x61 ? RD(pit_port61_access, &f->pit, 0, 1)
				      : RD(pit_access, &f->pit, port - 0x40, 1));
}

static struct fixture *fresh(void)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	f.owner.now = 12345678901;
	pit_init(&f.pit, &(struct timer_env){ &f.owner, owner_now, owner_irq, NULL });
	/* On the edge of a clock, so that counts are exact. */
	f.owner.now = ticks_to_ns(ticks_from_ns(f.owner.now, PIT_HZ) + 1, PIT_HZ);
	return &f;
}

/* So many clocks, as an owner sees them: it keeps each deadline. */
static void clocks(struct fixture *f, uint64_t n)
{
	uint64_t end = ticks_to_ns(ticks_from_ns(f->owner.now, PIT_HZ) + n, PIT_HZ);

	while (pit_deadline(&f->pit) <= end) {
		f->owner.now = pit_deadline(&f->pit);
		pit_expired(&f->pit);
		assert_true(pit_deadline(&f->pit) > f->owner.now);
	}
	f->owner.now = end;
}

static uint16_t latched(struct fixture *f, unsigned channel)
{
	uint16_t value;

	out(f, 0x43, (uint8_t)(channel << 6));
	value = in(f, 0x40 + channel);
	return (uint16_t)(value | in(f, 0x40 + channel) << 8);
}

static void load(struct fixture *f, unsigned channel, uint8_t control, uint16_t count)
{
	out(f, 0x43, control);
	out(f, 0x40 + channel, (uint8_t)count);
	out(f, 0x40 + channel, (uint8_t)(count >> 8));
}

static bool output(struct fixture *f, unsigned channel)
{
	out(f, 0x43, (uint8_t)(0xe0 | 2u << channel)); /* status only */
	return in(f, 0x40 + channel) >> 7;
}

static void test_rate_generator(void **state)
{
	struct fixture *f = fresh();

	(void)state;
	assert_int_equal(pit_deadline(&f->pit), NEVER);
	load(f, 0, 0x34, 1000);
	f->owner.rises = 0;
	clocks(f, 999);
	assert_int_equal(latched(f, 0), 1);
	assert_false(output(f, 0)); /* low for the last clock */
	assert_int_equal(f->owner.rises, 0);
	clocks(f, 1);
	assert_int_equal(f->owner.rises, 1);
	assert_int_equal(latched(f, 0), 1000);
	clocks(f, 9999);
	assert_int_equal(f->owner.rises, 10);
	/* A new count waits for the period's end. */
	clocks(f, 501);
	out(f, 0x40, 100);
	out(f, 0x40, 0);
	assert_int_equal(latched(f, 0), 500);
	clocks(f, 499);
	assert_int_equal(f->owner.rises, 11);
	clocks(f, 1);
	assert_int_equal(f->owner.rises, 12);
	clocks(f, 200);
	assert_int_equal(f->owner.rises, 14);
	/* Nobody looked for long: the last ticks, a quarter of a period apart. */
	f->owner.now += 1000000000;
	pit_expired(&f->pit);
	assert_int_equal(f->owner.rises, 15);
	pit_expired(&f->pit);
	assert_int_equal(f->owner.rises, 15);
	clocks(f, 24);
	assert_int_equal(f->owner.rises, 15);
	clocks(f, 1);
	assert_int_equal(f->owner.rises, 16);
	/* Three are late for each that is due. */
	clocks(f, 2000);
	assert_int_equal(f->owner.rises, 14 + PIT_LATE + 21);
	clocks(f, 100);
	assert_int_equal(f->owner.rises, 14 + PIT_LATE + 22);
}

/* Two edges at once, the second at the very time: it is still a late one. */
static void test_late_at_the_edge(void **state)
{
	struct fixture *f = fresh();

	(void)state;
	load(f, 0, 0x34, 100);
	f->owner.rises = 0;
	f->owner.now = ticks_to_ns(ticks_from_ns(f->owner.now, PIT_HZ) + 200, PIT_HZ);
	pit_expired(&f->pit);
	assert_int_equal(f->owner.rises, 1);
	assert_true(pit_deadline(&f->pit) > f->owner.now);
	pit_expired(&f->pit);
	assert_int_equal(f->owner.rises, 1); /* two would be one to the guest */
	clocks(f, 25);
	assert_int_equal(f->owner.rises, 2);
	clocks(f, 75);
	assert_int_equal(f->owner.rises, 3);
}

static void test_reload_unseen(void **state)
{
	struct fixture *f = fresh();

	(void)state;
	load(f, 0, 0x34, 1000);
	clocks(f, 500);
	out(f, 0x40, 100);
	out(f, 0x40, 0);
	f->owner.rises = 0;
	f->owner.now = ticks_to_ns(ticks_from_ns(f->owner.now, PIT_HZ) + 540, PIT_HZ);
	assert_int_equal(latched(f, 0), 60); /* of the new period */
	assert_int_equal(f->owner.rises, 1); /* and the old one's end was noticed */
	clocks(f, 60);
	assert_int_equal(f->owner.rises, 2);
}

static void test_square_wave(void **state)
{
	struct fixture *f = fresh();

	(void)state;
	load(f, 0, 0x36, 5);
	f->owner.rises = 0;
	assert_int_equal(latched(f, 0), 4);
	for (unsigned i = 0; i < 5; i++) { /* three high, two low */
		assert_int_equal(output(f, 0), i < 3);
		clocks(f, 1);
	}
	assert_int_equal(f->owner.rises, 1);
	load(f, 0, 0x36, 0); /* 65,536: 18.2 Hz */
	f->owner.rises = 0;
	clocks(f, 32768);
	assert_int_equal(latched(f, 0), 0); /* two at each clock */
	assert_false(output(f, 0));
	clocks(f, 32768 + 9 * 65536);
	assert_int_equal(f->owner.rises, 10);
}

static void test_terminal_count(void **state)
{
	struct fixture *f = fresh();

	(void)state;
	out(f, 0x43, 0x30);
	assert_false(output(f, 0));
	assert_false(f->owner.irq);
	out(f, 0x40, 100);
	assert_int_equal(pit_deadline(&f->pit), NEVER); /* half a count is none */
	out(f, 0x40, 0);
	clocks(f, 99);
	assert_false(f->owner.irq);
	clocks(f, 1);
	assert_true(f->owner.irq);
	assert_int_equal(f->owner.rises, 1);
	clocks(f, 10);
	assert_int_equal(latched(f, 0), 0xfff6); /* it goes on below zero */
	assert_int_equal(pit_deadline(&f->pit), NEVER);
	out(f, 0x40, 50); /* the first byte takes the output down */
	assert_false(f->owner.irq);
	out(f, 0x40, 0);
	clocks(f, 50);
	assert_int_equal(f->owner.rises, 2);
}

static void test_strobe(void **state)
{
	struct fixture *f = fresh();

	(void)state;
	load(f, 0, 0x38, 10);
	f->owner.rises = 0;
	clocks(f, 10);
	assert_false(output(f, 0));
	clocks(f, 1);
	assert_true(output(f, 0));
	assert_int_equal(f->owner.rises, 1);
	clocks(f, 100000);
	assert_int_equal(f->owner.rises, 1);
	/* Low byte only. */
	out(f, 0x43, 0x18);
	out(f, 0x40, 7);
	clocks(f, 8);
	assert_int_equal(f->owner.rises, 2);
}

/* How guests calibrate the TSC: channel 2 in mode 0 by gate and output. */
static void test_speaker(void **state)
{
	struct fixture *f = fresh();

	(void)state;
	out(f, 0x61, 0);
	load(f, 2, 0xb0, 1000);
	clocks(f, 500);
	assert_int_equal(latched(f, 2), 1000); /* no gate: it waits */
	out(f, 0x61, 1);
	assert_int_equal(in(f, 0x61) & 0x2f, 1);
	clocks(f, 600);
	out(f, 0x61, 0); /* stops */
	clocks(f, 600);
	assert_int_equal(latched(f, 2), 400);
	out(f, 0x61, 3);
	clocks(f, 399);
	assert_int_equal(in(f, 0x61) & 0x2f, 0x03);
	clocks(f, 1);
	assert_int_equal(in(f, 0x61) & 0x2f, 0x23);
	/* The refresh bit toggles. */
	f->owner.now = 15085 * 8;
	assert_int_equal(in(f, 0x61) & 0x10, 0);
	f->owner.now += 15085;
	assert_int_equal(in(f, 0x61) & 0x10, 0x10);
}

/* Modes 1 and 5 begin at a rising gate; 2 and 3 begin anew. */
static void test_gate(void **state)
{
	struct fixture *f = fresh();

	(void)state;
	load(f, 2, 0xb2, 100);
	clocks(f, 10);
	assert_true(output(f, 2)); /* not triggered */
	out(f, 0x61, 1);
	assert_false(output(f, 2));
	clocks(f, 99);
	assert_false(output(f, 2));
	clocks(f, 1);
	assert_true(output(f, 2));
	out(f, 0x61, 0);
	out(f, 0x61, 1); /* again */
	clocks(f, 50);
	out(f, 0x61, 0);
	out(f, 0x61, 1); /* and before it has ended */
	clocks(f, 99);
	assert_false(output(f, 2));
	clocks(f, 1);
	assert_true(output(f, 2));

	load(f, 2, 0xba, 10);
	out(f, 0x61, 0);
	out(f, 0x61, 1);
	clocks(f, 10);
	assert_false(output(f, 2));
	clocks(f, 1);
	assert_true(output(f, 2));

	load(f, 2, 0xb4, 100);
	clocks(f, 30);
	out(f, 0x61, 0);
	assert_true(output(f, 2));
	out(f, 0x61, 1);
	assert_int_equal(latched(f, 2), 100);
}

static void test_read_back_and_bcd(void **state)
{
	struct fixture *f = fresh();

	(void)state;
	load(f, 0, 0x35, 0x1234);
	clocks(f, 34);
	out(f, 0x43, 0xc2);                  /* count and status */
	assert_int_equal(in(f, 0x40), 0xb5); /* output high, both bytes, mode 2, BCD */
	clocks(f, 5);
	assert_int_equal(in(f, 0x40), 0x00);
	assert_int_equal(in(f, 0x40), 0x12);
	assert_int_equal(latched(f, 0), 0x1195);
	/* A second latch before the first is read means nothing. */
	out(f, 0x43, 0x00);
	clocks(f, 5);
	out(f, 0x43, 0x00);
	assert_int_equal(in(f, 0x40), 0x95);
	assert_int_equal(in(f, 0x40), 0x11);
	/* Null count until there is one. */
	out(f, 0x43, 0x70);
	out(f, 0x43, 0xe4);
	assert_int_equal(in(f, 0x41), 0x70);
	/* Mode 6 is 2; the control port reads as nothing. */
	out(f, 0x43, 0x7c);
	out(f, 0x43, 0xe4);
	assert_int_equal(in(f, 0x41) & 0x0e, 0x04);
	assert_int_equal(in(f, 0x43), 0xff);
	/* High byte only. */
	out(f, 0x43, 0x64);
	out(f, 0x41, 2);
	assert_int_equal(in(f, 0x41), 2);
	clocks(f, 1);
	assert_int_equal(in(f, 0x41), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rate_generator),
		cmocka_unit_test(test_late_at_the_edge),
		cmocka_unit_test(test_reload_unseen),
		cmocka_unit_test(test_square_wave),
		cmocka_unit_test(test_terminal_count),
		cmocka_unit_test(test_strobe),
		cmocka_unit_test(test_speaker),
		cmocka_unit_test(test_gate),
		cmocka_unit_test(test_read_back_and_bcd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
