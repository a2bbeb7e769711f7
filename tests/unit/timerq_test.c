/* The time server's queue against a list that is searched. */
#include "timerq.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

struct model_timer {
	bool armed;
	uint64_t deadline, period;
};

static struct timerq queue;
static struct model_timer model[TIMERQ_TIMERS];

static int model_first(void)
{
	int first = -1;

	for (int i = 0; i < TIMERQ_TIMERS; i++) {
		if (model[i].armed &&
		    (first < 0 || model[i].deadline < model[first].deadline))
			first = i;
	}
	return first;
}

/* Steps a periodic timer one by one, which the queue does in one division. */
static void model_fire(int id, uint64_t now)
{
	struct model_timer *t = &model[id];

	t->armed = t->period != 0;
	while (t->armed && t->deadline <= now)
		t->deadline += t->period;
}

static void check_next(void)
{
	uint64_t deadline = 0;
	int first = model_first();

	assert_int_equal(timerq_next(&queue, &deadline), first >= 0);
	if (first >= 0)
		assert_int_equal(deadline, model[first].deadline);
}

static void expire_all(uint64_t now)
{
	uint32_t id;

	while (timerq_expire(&queue, now, &id)) {
		int first = model_first();

		assert_int_equal(id, first);
		assert_true(model[first].deadline <= now);
		model_fire(first, now);
	}
	if (model_first() >= 0)
		assert_true(model[model_first()].deadline > now);
}

static void random_step(uint64_t now)
{
	uint32_t id = (uint32_t)rand() % TIMERQ_TIMERS;
	uint64_t deadline = now + (uint64_t)rand() % 2000;
	uint64_t period = rand() % 3 ? 0 : 50 + (uint64_t)rand() % 500;

	if (rand() % 4) {
		timerq_arm(&queue, id, deadline, period);
		model[id] = (struct model_timer){ true, deadline, period };
	} else {
		timerq_cancel(&queue, id);
		model[id].armed = false;
	}
}

static void test_random(void **state)
{
	uint64_t now = 0;

	(void)state;
	srand(1);
	memset(&queue, 0, sizeof(queue));
	memset(model, 0, sizeof(model));
	for (int i = 0; i < 20000; i++) {
		random_step(now);
		check_next();
		if (rand() % 8 == 0) {
			now += (uint64_t)rand() % 700;
			expire_all(now);
			check_next();
		}
	}
}

static void test_full(void **state)
{
	uint32_t id;

	(void)state;
	memset(&queue, 0, sizeof(queue));
	for (uint32_t i = 0; i < TIMERQ_TIMERS; i++)
		timerq_arm(&queue, i, 7, 0);
	for (uint32_t i = 0; i < TIMERQ_TIMERS; i++) {
		assert_true(timerq_expire(&queue, 7, &id));
		assert_int_equal(id, i);
	}
	assert_false(timerq_expire(&queue, UINT64_MAX, &id));
}

/* Periods at the end of time end the timer instead of wrapping. */
static void test_end_of_time(void **state)
{
	uint64_t deadline;
	uint32_t id;

	(void)state;
	memset(&queue, 0, sizeof(queue));
	timerq_arm(&queue, 3, UINT64_MAX - 5, 10);
	assert_false(timerq_expire(&queue, UINT64_MAX - 6, &id));
	assert_true(timerq_expire(&queue, UINT64_MAX - 1, &id));
	assert_int_equal(id, 3);
	assert_false(timerq_next(&queue, &deadline));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_end_of_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
