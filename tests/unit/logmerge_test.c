/* The log server's merging and text. */
#include "merge.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define HZ 62500000u

static struct log_merge merge;
static struct logring ring[3];

static void reset(void)
{
	memset(&merge, 0, sizeof(merge));
	memset(ring, 0, sizeof(ring));
}

static void put(int client, uint64_t stamp, enum log_level level,
		const char *text)
{
	logring_put(&ring[client], stamp, level, text, strlen(text));
}

static void expect(const char *line)
{
	char out[LOG_FORMATTED_MAX];
	size_t n = log_merge_next(&merge, HZ, out);

	assert_int_equal(n, strlen(line));
	assert_memory_equal(out, line, n);
}

static void test_order_and_text(void **state)
{
	(void)state;
	reset();
	assert_true(log_merge_add(&merge, 0, "init", &ring[0]));
	assert_true(log_merge_add(&merge, 79, "vmm:linux1", &ring[1]));
	assert_false(log_merge_add(&merge, 79, "again", &ring[2]));
	assert_false(log_merge_add(&merge, LOG_CLIENTS, "far", &ring[2]));
	put(1, 12ull * HZ + HZ / 2, LOG_LEVEL_INFO, "late");
	put(0, HZ / 1000, LOG_LEVEL_ERROR, "early");
	put(0, 13ull * HZ, LOG_LEVEL_WARNING, "two\nlines\x1b[0m");
	expect("[    0.001000] init: error: early\n");
	expect("[   12.500000] vmm:linux1: late\n");
	expect("[   13.000000] init: warning: two\n"
	       "[   13.000000] init: warning: lines?[0m\n");
	expect("");
}

static void test_lost_records(void **state)
{
	char out[LOG_FORMATTED_MAX];
	size_t n, last = 0, lines = 0;

	(void)state;
	reset();
	log_merge_add(&merge, 2, "vmm", &ring[0]);
	for (unsigned i = 0; i < LOGRING_SLOTS + 5; i++)
		put(0, i, LOG_LEVEL_INFO, "x");
	while ((n = log_merge_next(&merge, HZ, out)) != 0) {
		last = n;
		lines++;
	}
	out[last] = '\0';
	assert_int_equal(lines, LOGRING_SLOTS + 1);
	assert_non_null(strstr(out, "vmm: warning: 5 log records lost\n"));
}

/* One that says that all of its records are the oldest. */
static void test_turns(void **state)
{
	char out[LOG_FORMATTED_MAX];
	unsigned before = 0;
	size_t n;

	(void)state;
	reset();
	log_merge_add(&merge, 2, "liar", &ring[0]);
	log_merge_add(&merge, 3, "other", &ring[1]);
	put(1, HZ, LOG_LEVEL_INFO, "y");
	for (unsigned i = 0; i < 2 * LOGRING_SLOTS; i++) {
		put(0, 0, LOG_LEVEL_INFO, "x");
		n = log_merge_next(&merge, HZ, out);
		assert_true(n < sizeof(out));
		out[n] = '\0';
		if (strstr(out, "other: y") != NULL)
			break;
		before++;
	}
	assert_int_equal(before, LOG_IN_TURN);
	expect("[    0.000000] liar: x\n");
}

static void test_remove(void **state)
{
	(void)state;
	reset();
	log_merge_add(&merge, 5, "a", &ring[0]);
	assert_true(log_merge_remove(&merge, 5));
	assert_false(log_merge_remove(&merge, 5));
	memset(&ring[0], 0xff, sizeof(ring[0]));
	expect("");
	memset(&ring[0], 0, sizeof(ring[0]));
	assert_true(log_merge_add(&merge, 5, "b", &ring[0]));
	put(0, 0, LOG_LEVEL_DEBUG, "new");
	expect("[    0.000000] b: new\n");
}

/* What a client said before it went is not lost, until more of them wait than are kept. */
static void test_last_words(void **state)
{
	char out[LOG_FORMATTED_MAX];

	(void)state;
	reset();
	for (unsigned again = 0; again < 3; again++) {
		unsigned said = 0;

		for (unsigned i = 0; i < LOG_GONE + 1; i++) {
			memset(&ring[0], 0, sizeof(ring[0]));
			log_merge_add(&merge, 5, "a", &ring[0]);
			put(0, 10 - i, LOG_LEVEL_INFO, "first");
			put(0, 10 - i, LOG_LEVEL_INFO, "last");
			assert_true(log_merge_remove(&merge, 5));
		}
		memset(&ring[0], 0xff, sizeof(ring[0]));
		while (log_merge_next(&merge, HZ, out) != 0)
			said++;
		assert_int_equal(said, 2 * LOG_GONE);
		assert_int_equal(merge.top, 0);
	}
}

/* The longest output of a record fits, whatever its bytes are. */
static void test_bound(void **state)
{
	static const char name[] = "a-name-of-thirty-one-characters";
	struct log_record r = { .level = LOG_LEVEL_WARNING, .size = LOG_TEXT };
	char out[LOG_FORMATTED_MAX];

	(void)state;
	memset(r.text, '\n', sizeof(r.text));
	assert_true(log_format(out, name, UINT64_MAX, &r) <= sizeof(out));
	srand(4);
	for (int i = 0; i < 2000; i++) {
		for (unsigned b = 0; b < LOG_TEXT; b++)
			r.text[b] = (char)(rand() % 3 ? rand() : '\n');
		assert_true(log_format(out, name, UINT64_MAX, &r) <=
			    sizeof(out));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_and_text),
		cmocka_unit_test(test_lost_records),
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_last_words),
		cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
