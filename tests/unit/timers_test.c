/* The time server's requests and timers against a table that is searched. */
#include "timers.h"
#include "unit.h"

#include <selvage/servers.h>
#include <stdlib.h>
#include <string.h>

#define MIN_PERIOD 50

struct model_timer {
	bool armed;
	uint64_t deadline, period;
	uint64_t age; /* of the arming */
};

static struct timers timers;
static struct model_timer model[TIMERS];
static uint64_t model_now, armings;

static bool before(const struct model_timer *a, const struct model_timer *b)
{
	return a->deadline < b->deadline ||
	       (a->deadline == b->deadline && a->age < b->age);
}

static int model_first(void)
{
	int first = -1;

	for (int i = 0; i < TIMERS; i++)
		if (model[i].armed &&
		    (first < 0 || before(&model[i], &model[first])))
			first = i;
	return first;
}

/* A client that is added gets a signal from each of its timers. */
static bool adding;
static uint64_t next_added;

/* Steps a periodic timer one by one, which the server does in one division. */
static void on_signal(uint32_t id)
{
	struct model_timer *t = &model[id];

	if (adding) {
		assert_int_equal(id, next_added++);
		return;
	}
	assert_int_equal(id, model_first());
	assert_true(t->deadline <= model_now);
	t->armed = t->period != 0;
	while (t->armed && t->deadline <= model_now)
		t->deadline += t->period;
}

static uint64_t model_deadline(void)
{
	int first = model_first();

	return first < 0 ? EVENT_NEVER : model[first].deadline;
}

static void setup(bool available)
{
	timers_init(&timers, available, MIN_PERIOD, on_signal);
	memset(model, 0, sizeof(model));
	model_now = 0;
	armings = 0;
}

static uint64_t request(uint64_t badge, uint64_t label, unsigned words,
			uint64_t a, uint64_t b, uint64_t c)
{
	const uint64_t mr[] = { a, b, c, 0 };
	uint64_t status;

	adding = label == SERVER_ADD_CLIENT;
	next_added = a * TIME_TIMERS;
	status = timers_request(&timers, badge, label, words, mr);
	if (adding && status == SERVER_OK)
		assert_int_equal(next_added, (a + 1) * TIME_TIMERS);
	adding = false;
	return status;
}

static uint64_t change_client(uint64_t label, uint64_t client)
{
	return request(SERVER_BADGE_INIT, label, 1, client, 0, 0);
}

static uint64_t arm(uint32_t id, uint64_t deadline, uint64_t period)
{
	uint64_t status = request(id / TIME_TIMERS + 1, TIME_ARM, 3,
				  id % TIME_TIMERS, deadline, period);

	if (status == TIME_OK)
		model[id] = (struct model_timer){ true, deadline, period,
						  armings++ };
	return status;
}

static uint64_t cancel(uint32_t id)
{
	uint64_t status = request(id / TIME_TIMERS + 1, TIME_CANCEL, 1,
				  id % TIME_TIMERS, 0, 0);

	if (status == TIME_OK)
		model[id].armed = false;
	return status;
}

static void toggle_client(uint64_t client)
{
	bool known = timers.known[client];
	uint64_t label = known ? SERVER_REMOVE_CLIENT : SERVER_ADD_CLIENT;
	uint64_t other = known ? SERVER_ADD_CLIENT : SERVER_REMOVE_CLIENT;

	assert_int_equal(change_client(other, client), SERVER_BAD_ARGUMENT);
	assert_int_equal(change_client(label, client), SERVER_OK);
	for (unsigned i = 0; known && i < TIME_TIMERS; i++)
		model[client * TIME_TIMERS + i].armed = false;
}

static void random_step(void)
{
	uint32_t id = (uint32_t)rand() % TIMERS;
	uint64_t deadline = model_now + (uint64_t)rand() % 2000;
	uint64_t period = rand() % 3 ? 0 : (uint64_t)rand() % 500;
	uint64_t expected = timers.known[id / TIME_TIMERS] ? TIME_OK
							   : TIME_BAD_REQUEST;

	if (rand() % 16 == 0) {
		toggle_client(id / TIME_TIMERS);
	} else if (rand() % 4 == 0) {
		assert_int_equal(cancel(id), expected);
	} else {
		if (expected == TIME_OK && period && period < MIN_PERIOD)
			expected = TIME_BAD_ARGUMENT;
		assert_int_equal(arm(id, deadline, period), expected);
	}
}

static void random_requests_agree_with_the_model(void **state)
{
	(void)state;
	srand(1);
	setup(true);
	for (int i = 0; i < 20000; i++) {
		uint64_t next;

		random_step();
		assert_int_equal(event_loop_deadline(&timers.loop),
				 model_deadline());
		if (rand() % 8)
			continue;
		model_now += (uint64_t)rand() % 700;
		next = timers_expire(&timers, model_now);
		assert_int_equal(next, model_deadline());
		assert_true(model_deadline() > model_now);
	}
}

static void add_all_clients(void)
{
	for (uint64_t c = 0; c < TIME_CLIENTS; c++)
		assert_int_equal(change_client(SERVER_ADD_CLIENT, c), SERVER_OK);
}

static void all_timers_fire_oldest_first(void **state)
{
	(void)state;
	setup(true);
	add_all_clients();
	for (uint32_t i = 0; i < TIMERS; i++)
		assert_int_equal(arm(i * 5 % TIMERS, 7, 0), TIME_OK);
	model_now = 7;
	assert_int_equal(timers_expire(&timers, 7), EVENT_NEVER);
	assert_int_equal(model_first(), -1);
}

/* Periods at the end of time end the timer instead of wrapping. */
static void time_does_not_wrap(void **state)
{
	(void)state;
	setup(true);
	add_all_clients();
	arm(3, UINT64_MAX - 5, MIN_PERIOD);
	model_now = UINT64_MAX - 6;
	assert_int_equal(timers_expire(&timers, model_now), UINT64_MAX - 5);
	assert_true(model[3].armed);
	model[3].period = 0; /* the model's steps would wrap */
	model_now = UINT64_MAX - 1;
	assert_int_equal(timers_expire(&timers, model_now), EVENT_NEVER);
	assert_false(model[3].armed);
}

static void wrong_requests_are_refused(void **state)
{
	(void)state;
	setup(true);
	assert_int_equal(arm(0, 1, 0), TIME_BAD_REQUEST);
	assert_int_equal(change_client(SERVER_ADD_CLIENT, TIME_CLIENTS),
			 SERVER_BAD_ARGUMENT);
	assert_int_equal(change_client(SERVER_ADD_CLIENT, UINT64_MAX),
			 SERVER_BAD_ARGUMENT);
	assert_int_equal(request(SERVER_BADGE_INIT, SERVER_ADD_CLIENT, 0, 0, 0, 0),
			 SERVER_BAD_ARGUMENT);
	assert_int_equal(change_client(TIME_ARM, 0), SERVER_BAD_REQUEST);
	add_all_clients();
	assert_int_equal(request(1, TIME_ARM, 2, 0, 1, 0), TIME_BAD_ARGUMENT);
	assert_int_equal(request(1, TIME_ARM, 3, TIME_TIMERS, 1, 0),
			 TIME_BAD_ARGUMENT);
	assert_int_equal(request(1, TIME_CANCEL, 0, 0, 0, 0), TIME_BAD_ARGUMENT);
	assert_int_equal(request(1, TIME_CANCEL, 1, UINT64_MAX, 0, 0),
			 TIME_BAD_ARGUMENT);
	assert_int_equal(request(1, SERVER_ADD_CLIENT, 1, 0, 0, 0),
			 TIME_BAD_REQUEST);
	assert_int_equal(request(0, TIME_ARM, 3, 0, 1, 0), TIME_BAD_REQUEST);
	assert_int_equal(request(TIME_CLIENTS + 1, TIME_ARM, 3, 0, 1, 0),
			 TIME_BAD_REQUEST);
	assert_int_equal(timers_expire(&timers, 10), EVENT_NEVER);
}

static void no_hardware_no_timers(void **state)
{
	(void)state;
	setup(false);
	add_all_clients();
	assert_int_equal(arm(0, 1, 0), TIME_UNAVAILABLE);
	assert_int_equal(cancel(0), TIME_UNAVAILABLE);
	assert_int_equal(timers_expire(&timers, 10), EVENT_NEVER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_requests_agree_with_the_model),
		cmocka_unit_test(all_timers_fire_oldest_first),
		cmocka_unit_test(time_does_not_wrap),
		cmocka_unit_test(wrong_requests_are_refused),
		cmocka_unit_test(no_hardware_no_timers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
