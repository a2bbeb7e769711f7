/* HPET against the IA-PC HPET specification 1.0a. */
#include <dev/pc/hpet.h>

#include "dev_pc.h"

#define ROUTES 0x00ff0104u
#define COUNT_NS 10u

struct fixture {
	struct hpet hpet;
	uint64_t now;
	bool line[HPET_TIMERS], legacy;
	unsigned gsi[HPET_TIMERS], rises[HPET_TIMERS];
};

static uint64_t now_ns(void *opaque)
{
	return ((struct fixture *)opaque)->now;
}

static void set_irq(void *opaque, unsigned timer, unsigned gsi, bool level)
{
	struct fixture *f = opaque;

	assert_int_not_equal(f->line[timer], level);
	if (!level)
		assert_int_equal(gsi, f->gsi[timer]);
	f->line[timer] = level;
	f->gsi[timer] = gsi;
	f->rises[timer] += level;
}

static void set_legacy(void *opaque, bool on)
{
	struct fixture *f = opaque;

	assert_int_not_equal(f->legacy, on);
	f->legacy = on;
}

static struct fixture *fresh(void)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	f.now = 777777;
	hpet_init(&f.hpet, &(struct hpet_env){ &f, now_ns, set_irq, set_legacy }, ROUTES);
	return &f;
}

static uint64_t rd(struct fixture *f, unsigned reg)
{
	return RD(hpet_access, &f->hpet, reg, 8);
}

static uint32_t rd4(struct fixture *f, unsigned reg)
{
	return (uint32_t)RD(hpet_access, &f->hpet, reg, 4);
}

static void wr(struct fixture *f, unsigned reg, uint64_t value)
{
	WR(hpet_access, &f->hpet, reg, 8, value);
}

static void wr4(struct fixture *f, unsigned reg, uint32_t value)
{
	WR(hpet_access, &f->hpet, reg, 4, value);
}

static void counts(struct fixture *f, uint64_t n)
{
	uint64_t end = f->now + n * COUNT_NS;

	while (hpet_deadline(&f->hpet) <= end) {
		f->now = hpet_deadline(&f->hpet);
		hpet_expired(&f->hpet);
		assert_true(hpet_deadline(&f->hpet) > f->now);
	}
	f->now = end;
}

static void test_counter(void **state)
{
	struct fixture *f = fresh();

	(void)state;
	assert_int_equal(rd(f, 0), 0x009896808086a201);
	assert_int_equal(rd4(f, 4), 10000000); /* femtoseconds */
	assert_int_equal(rd(f, 0xf0), 0);
	f->now += 1000;
	assert_int_equal(rd(f, 0xf0), 0); /* halted */
	wr(f, 0xf0, 0xfffffff0);
	wr(f, 0x10, 1);
	f->now += 0x20 * COUNT_NS;
	assert_int_equal(rd(f, 0xf0), 0x100000010);
	assert_int_equal(rd4(f, 0xf4), 1);
	wr(f, 0xf0, 5); /* not while it runs */
	assert_int_equal(rd(f, 0xf0), 0x100000010);
	wr(f, 0x10, 0);
	f->now += 1000;
	assert_int_equal(rd(f, 0xf0), 0x100000010);
	wr4(f, 0xf4, 7);
	assert_int_equal(rd(f, 0xf0), 0x700000010);
	/* What is not there. */
	assert_int_equal(rd(f, 0x160), 0);
	wr(f, 0x160, UINT64_MAX);
	wr(f, 0, UINT64_MAX);
	assert_int_equal(rd(f, 0), 0x009896808086a201);
}

static void test_capabilities(void **state)
{
	struct fixture *f = fresh();

	(void)state;
	for (unsigned i = 0; i < HPET_TIMERS; i++) {
		unsigned reg = 0x100 + 0x20 * i;

		assert_int_equal(rd(f, reg), (uint64_t)ROUTES << 32 | 0x30);
		assert_int_equal(rd(f, reg + 8), UINT64_MAX);
		/* No FSB; a route that is not allowed becomes none. */
		wr(f, reg, UINT64_MAX);
		assert_int_equal(rd4(f, reg), 0x17e);
		wr(f, reg, 20u << 9);
		assert_int_equal(rd4(f, reg), 20u << 9 | 0x30);
		assert_int_equal(rd(f, reg + 0x10), 0);
	}
}

static void test_one_shot(void **state)
{
	struct fixture *f = fresh();

	(void)state;
	wr(f, 0x10, 1);
	wr(f, 0x140, 20u << 9 | 4);
	wr(f, 0x148, 1000);
	counts(f, 999);
	assert_int_equal(f->rises[2], 0);
	counts(f, 1);
	assert_int_equal(f->rises[2], 1);
	assert_int_equal(f->gsi[2], 20);
	assert_false(f->line[2]); /* a pulse */
	counts(f, 100000);
	assert_int_equal(f->rises[2], 1);
	wr(f, 0x148, 1000); /* past: not before the counter has come round */
	counts(f, 100000);
	assert_int_equal(f->rises[2], 1);
	/* 32 bits: with every turn. */
	wr(f, 0x140, 20u << 9 | 4 | 0x100);
	wr(f, 0x148, 0xdeadbeef00000000 | 300000);
	assert_int_equal(rd(f, 0x148), 300000);
	counts(f, 300000);
	assert_int_equal(f->rises[2], 2);
	counts(f, 0x200000000);
	assert_int_equal(f->rises[2], 4);
	/* Nothing while all is disabled. */
	wr(f, 0x10, 0);
	assert_int_equal(hpet_deadline(&f->hpet), NEVER);
}

/* As Linux sets it: by halves, in 32 bits, the set bit for the first write. */
static void test_periodic(void **state)
{
	struct fixture *f = fresh();

	(void)state;
	wr4(f, 0x10, 3);
	assert_true(f->legacy);
	counts(f, 50);
	wr4(f, 0x100, 0x14c);
	wr4(f, 0x108, 1050);
	assert_int_equal(rd4(f, 0x100) & 0x40, 0);
	wr4(f, 0x108, 200);
	assert_int_equal(rd4(f, 0x108), 1050);
	counts(f, 999);
	assert_int_equal(f->rises[0], 0);
	counts(f, 1);
	assert_int_equal(f->rises[0], 1);
	assert_int_equal(f->gsi[0], 2); /* ISA line 0 */
	assert_int_equal(rd4(f, 0x108), 1250);
	counts(f, 2000);
	assert_int_equal(f->rises[0], 11);
	/* Late: once for all of them, and in step. */
	f->now += 1050 * COUNT_NS;
	hpet_expired(&f->hpet);
	assert_int_equal(f->rises[0], 12);
	assert_int_equal(rd4(f, 0x108), 4250);
	/* All 64 bits, one after the other. */
	wr(f, 0x120, 0x4c);
	wr4(f, 0x128, 10000);
	wr4(f, 0x12c, 0);
	wr4(f, 0x128, 1000);
	wr4(f, 0x12c, 0);
	assert_int_equal(rd(f, 0x128), 10000);
	counts(f, 10000);
	assert_int_equal(f->gsi[1], 8);
	assert_int_equal(f->rises[1], 5);
	wr4(f, 0x10, 1);
	assert_false(f->legacy);
}

static void test_level(void **state)
{
	struct fixture *f = fresh();

	(void)state;
	wr(f, 0x10, 1);
	wr(f, 0x100, 20u << 9 | 2 | 4);
	wr(f, 0x108, 100);
	counts(f, 100);
	assert_true(f->line[0]);
	assert_int_equal(rd(f, 0x20), 1);
	wr(f, 0x20, 6);
	assert_true(f->line[0]);
	wr(f, 0x100, 21u << 9 | 2 | 4); /* another pin */
	assert_true(f->line[0]);
	assert_int_equal(f->gsi[0], 21);
	wr(f, 0x100, 21u << 9 | 2); /* disabled: the status stays */
	assert_false(f->line[0]);
	assert_int_equal(rd(f, 0x20), 1);
	wr(f, 0x100, 21u << 9 | 2 | 4);
	assert_true(f->line[0]);
	wr(f, 0x20, 1);
	assert_false(f->line[0]);
	wr(f, 0x108, 200);
	counts(f, 100);
	assert_true(f->line[0]);
	hpet_reset(&f->hpet);
	assert_false(f->line[0]);
	assert_int_equal(rd(f, 0x10), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counter),
		cmocka_unit_test(test_capabilities),
		cmocka_unit_test(test_one_shot),
		cmocka_unit_test(test_periodic),
		cmocka_unit_test(test_level),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
