/* Requests to a running system: one at a time, and how long an answer may take. */
#include "requests.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

#define ME 3

static struct {
	unsigned sent, lines, ends;
	char last[64];
} heard;

static void send(void *context, const char *line)
{
	(void)context;
	(void)line;
	heard.sent++;
}

static void on_line(void *context, int owner, const char *line, bool last)
{
	(void)context;
	assert_int_equal(owner, ME);
	heard.lines++;
	heard.ends += last;
	snprintf(heard.last, sizeof(heard.last), "%s", line);
}

static struct requests fresh(void)
{
	struct requests r = { .send = send, .on_line = on_line };

	memset(&heard, 0, sizeof(heard));
	assert_true(requests_add(&r, ME, "events 0"));
	requests_tick(&r, 1000, true);
	assert_int_equal(heard.sent, 1);
	return r;
}

static void receive(struct requests *r, const char *text)
{
	requests_receive(r, (const uint8_t *)text, strlen(text));
}

static void done(struct requests *r)
{
	buffer_free(&r->line);
}

static void one_at_a_time(void **state)
{
	struct requests r = fresh();

	(void)state;
	assert_true(requests_add(&r, ME, "ps"));
	requests_tick(&r, 1001, true);
	assert_int_equal(heard.sent, 1);
	receive(&r, "noise\n{\"events\":1}\n{\"ok\":true}\n");
	assert_int_equal(heard.lines, 2);
	assert_int_equal(heard.ends, 1);
	requests_tick(&r, 1002, true);
	assert_int_equal(heard.sent, 2);
	done(&r);
}

static void silence_ends_it(void **state)
{
	struct requests r = fresh();

	(void)state;
	requests_tick(&r, 1000 + REQUEST_TIMEOUT_MS, true);
	assert_int_equal(heard.ends, 0);
	requests_tick(&r, 1001 + REQUEST_TIMEOUT_MS, true);
	assert_int_equal(heard.ends, 1);
	assert_non_null(strstr(heard.last, "does not answer"));
	done(&r);
}

/* As thousands of events by a slow serial line: it is silence that counts. */
static void long_answers_have_their_time(void **state)
{
	struct requests r = fresh();
	uint64_t now = 1000;

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		now += REQUEST_TIMEOUT_MS - 1;
		receive(&r, "{\"events\":1}\n");
		requests_tick(&r, now, true);
	}
	assert_int_equal(heard.lines, 10);
	assert_int_equal(heard.ends, 0);
	requests_tick(&r, now + REQUEST_TIMEOUT_MS + 1, true);
	assert_int_equal(heard.ends, 1);
	done(&r);
}

/* The verdict of a request that was given up is not the next one's. */
static void late_answers_are_nobodys(void **state)
{
	struct requests r = fresh();
	uint64_t now = 1001 + REQUEST_TIMEOUT_MS;

	(void)state;
	assert_true(requests_add(&r, ME, "kill nobody"));
	receive(&r, "{\"events\":");
	requests_tick(&r, now, true);
	requests_tick(&r, now + 1, true);
	assert_int_equal(heard.sent, 2);
	assert_int_equal(heard.ends, 1);
	receive(&r, "1}\n{\"ok\":true}\n");
	assert_int_equal(heard.lines, 1);
	/* Its time begins with the end of the late one. */
	requests_tick(&r, now + REQUEST_TIMEOUT_MS, true);
	requests_tick(&r, now + 2 * REQUEST_TIMEOUT_MS, true);
	assert_int_equal(heard.ends, 1);
	receive(&r, "{\"ok\":false,\"error\":\"no VM\"}\n");
	assert_int_equal(heard.ends, 2);
	assert_non_null(strstr(heard.last, "no VM"));
	done(&r);
}

/* Both before and behind the time at which it is given up. */
static void a_restart_owes_nothing(void **state)
{
	(void)state;
	for (unsigned before = 0; before < 2; before++) {
		struct requests r = fresh();
		uint64_t now = 1001 + REQUEST_TIMEOUT_MS;

		if (before) {
			requests_restart(&r);
			requests_tick(&r, now - 1 - REQUEST_GRACE_MS, true);
		}
		requests_tick(&r, now, true);
		assert_int_equal(heard.ends, 1);
		if (!before)
			requests_restart(&r);
		assert_true(requests_add(&r, ME, "ps"));
		requests_tick(&r, now, true);
		receive(&r, "{\"ok\":true}\n");
		assert_int_equal(heard.ends, 2);
		assert_string_equal(heard.last, "{\"ok\":true}");
		done(&r);
	}
}

/* Its answer comes soon, or not at all. */
static void a_restart_ends_what_is_under_way(void **state)
{
	(void)state;
	for (unsigned serial = 0; serial < 2; serial++) {
		struct requests r = { .send = send, .on_line = on_line };
		uint64_t now = 1000;

		memset(&heard, 0, sizeof(heard));
		assert_true(requests_add(&r, ME, serial ? "kill serial" : "kill log"));
		requests_tick(&r, now, true);
		requests_restart(&r);
		requests_tick(&r, now += 5000, false); /* not there again yet */
		requests_tick(&r, now += 10, true);
		requests_tick(&r, now + REQUEST_GRACE_MS, true);
		assert_int_equal(heard.ends, 0);
		requests_tick(&r, now + REQUEST_GRACE_MS + 1, true);
		assert_int_equal(heard.ends, 1);
		assert_true(!!strstr(heard.last, "started again") != serial);
		assert_true(!!strstr(heard.last, "{\"ok\":true}") == serial);
		done(&r);
	}
}

static void half_an_answer_is_none(void **state)
{
	struct requests r = fresh();

	(void)state;
	receive(&r, "{\"events\":1}\n{\"eve");
	requests_restart(&r);
	receive(&r, "{\"ok\":true}\n");
	assert_int_equal(heard.ends, 1);
	assert_non_null(strstr(heard.last, "started again"));
	assert_true(requests_add(&r, ME, "ps"));
	requests_tick(&r, 1001, true);
	receive(&r, "{\"ok\":true}\n");
	assert_string_equal(heard.last, "{\"ok\":true}");
	done(&r);
}

/* A line that lost a verdict: one request is its price, and one more. */
static void a_lost_verdict_blocks_nobody(void **state)
{
	struct requests r = fresh();
	uint64_t now = 1001 + REQUEST_TIMEOUT_MS;

	(void)state;
	requests_tick(&r, now, true);
	assert_int_equal(heard.ends, 1);
	assert_true(requests_add(&r, ME, "ps"));
	requests_tick(&r, now, true);
	receive(&r, "{\"ok\":true}\n"); /* of `ps` */
	requests_tick(&r, now + 1, true);
	now += 2 + REQUEST_TIMEOUT_MS;
	requests_tick(&r, now, true);
	assert_int_equal(heard.ends, 2);
	assert_true(requests_add(&r, ME, "ps"));
	requests_tick(&r, now, true);
	receive(&r, "{\"ok\":true}\n");
	assert_int_equal(heard.ends, 3);
	assert_string_equal(heard.last, "{\"ok\":true}");
	done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_at_a_time),
		cmocka_unit_test(silence_ends_it),
		cmocka_unit_test(long_answers_have_their_time),
		cmocka_unit_test(late_answers_are_nobodys),
		cmocka_unit_test(a_restart_owes_nothing),
		cmocka_unit_test(a_restart_ends_what_is_under_way),
		cmocka_unit_test(half_an_answer_is_none),
		cmocka_unit_test(a_lost_verdict_blocks_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
