/*
 * Refills of scheduling contexts under random use, against what a sporadic
 * server promises: the budget is neither lost nor grown, and no window as long
 * as the period sees more than the budget used.
 */
#include "mock_arch/mock_arch.h"
#include "random.h"
#include "unit.h"

#include <kernel/boot.h>
#include <string.h>

#define SC_BITS 10
#define STEPS 20000
#define WINDOW 4096 /* uses remembered */

struct use {
	ticks_t start, amount;
};

static struct {
	struct sched_context *sc;
	struct random random;
	ticks_t now;
	struct use uses[WINDOW];
	unsigned count;
} m;

static int setup(void **state)
{
	(void)state;
	memset(&m, 0, sizeof(m));
	cpu_init();
	m.sc = mock_memory(1u << SC_BITS);
	m.now = 1000000;
	return 0;
}

static ticks_t us(uint64_t n) { return arch_us_to_ticks(n); }

static struct refill *entry(unsigned n)
{
	return &m.sc->refill[(m.sc->head + n) % m.sc->refill_max];
}

static void check_invariants(void)
{
	ticks_t sum = 0;

	assert_in_range(m.sc->count, 1, m.sc->refill_max);
	for (unsigned i = 0; i < m.sc->count; i++) {
		sum += entry(i)->amount;
		if (i > 0)
			assert_true(entry(i - 1)->time + entry(i - 1)->amount <= entry(i)->time);
	}
	assert_int_equal(sum, m.sc->budget);
	assert_true(refill_sufficient(m.sc, 0));
}

/* What was used at `at` or later, of uses that began before `end`. */
static ticks_t used_between(ticks_t at, ticks_t end)
{
	ticks_t sum = 0;

	for (unsigned i = 0; i < m.count; i++) {
		const struct use *u = &m.uses[i];
		ticks_t first = u->start > at ? u->start : at;
		ticks_t last = u->start + u->amount < end ? u->start + u->amount : end;

		if (last > first)
			sum += last - first;
	}
	return sum;
}

/* Every window that begins with one of the last uses. The kernel lets a
 * refill begin up to its own worst time early, once per entry. */
static void check_windows(void)
{
	ticks_t slack = m.sc->refill_max * sched_wcet();

	for (unsigned i = m.count > 200 ? m.count - 200 : 0; i < m.count; i++) {
		ticks_t at = m.uses[i].start;

		assert_true(used_between(at, at + m.sc->period) <= m.sc->budget + slack);
	}
}

static void use(ticks_t amount)
{
	if (m.count == WINDOW) {
		memmove(m.uses, m.uses + WINDOW / 2, sizeof(m.uses) / 2);
		m.count = WINDOW / 2;
	}
	m.uses[m.count++] = (struct use){ m.now, amount };
	m.now += amount;
	refill_charge(m.sc, amount);
}

/* Runs for a random time within the head refill, or waits for it. */
static void step(void)
{
	ticks_t head = refill_head(m.sc)->amount, amount;

	if (!refill_ready(m.sc, m.now)) {
		m.now = refill_head(m.sc)->time;
		return;
	}
	refill_unblock(m.sc, m.now); /* as when the context becomes current */
	head = refill_head(m.sc)->amount;
	amount = random_below(&m.random, 2) ? head : 1 + random_below(&m.random, (unsigned)head);
	if (refill_head(m.sc)->time > m.now)
		m.now = refill_head(m.sc)->time;
	use(amount);
	if (random_below(&m.random, 4) == 0)
		m.now += random_below(&m.random, (unsigned)m.sc->period);
}

static void run(unsigned refills, uint64_t budget_us, uint64_t period_us)
{
	m.random.state = budget_us * 7 + refills;
	m.count = 0;
	refill_reset(m.sc, refills, us(budget_us), us(period_us), m.now);
	for (unsigned i = 0; i < STEPS; i++) {
		step();
		check_invariants();
		if (i % 100 == 0)
			check_windows();
	}
}

static void test_sporadic(void **state)
{
	(void)state;
	run(2, 100, 1000);
	run(3, 500, 1000);
	run(8, 990, 1000);
	run(20, 2000, 100000);
	run(58, 20, 40);
}

static void test_round_robin(void **state)
{
	(void)state;
	refill_reset(m.sc, 2, us(1000), 0, m.now);
	assert_true(refill_ready(m.sc, 0));
	refill_charge(m.sc, us(300));
	assert_int_equal(refill_head(m.sc)->amount, us(700));
	refill_charge(m.sc, us(690)); /* what is left is too small: a new slice */
	assert_int_equal(refill_head(m.sc)->amount, us(1000));
}

static void test_lost_time(void **state)
{
	(void)state;
	/* The machine stood still for many budgets. */
	refill_reset(m.sc, 4, us(100), us(1000), m.now);
	refill_charge(m.sc, us(100) * 1000000 + us(50));
	check_invariants();
	assert_true(refill_head(m.sc)->time > m.now + us(1000) * 900000);
	refill_reset(m.sc, 2, us(20), us(1ull << 50), m.now);
	refill_charge(m.sc, us(1ull << 40));
	check_invariants();
}

static void test_update(void **state)
{
	(void)state;
	refill_reset(m.sc, 4, us(1000), us(10000), m.now);
	use(us(400));
	refill_update(m.sc, 4, us(2000), us(10000), m.now);
	check_invariants();
	assert_int_equal(refill_head(m.sc)->amount, us(600));
	assert_int_equal(entry(1)->amount, us(1400));
	refill_update(m.sc, 4, us(300), us(5000), m.now);
	check_invariants();
	assert_int_equal(m.sc->count, 1);
	refill_update(m.sc, 2, us(300), 0, m.now);
	assert_true(refill_ready(m.sc, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_sporadic, setup),
		cmocka_unit_test_setup(test_round_robin, setup),
		cmocka_unit_test_setup(test_lost_time, setup),
		cmocka_unit_test_setup(test_update, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
