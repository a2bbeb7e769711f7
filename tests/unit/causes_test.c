/* What is said of what happens often. */
#include <selvage/causes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct causes causes;
static const char places[200];

static void each_apart(void **state)
{
	static const char *const reasons[] = { "one", "other" };

	(void)state;
	memset(&causes, 0, sizeof(causes));
	for (unsigned n = 1; n <= 1000; n++)
		for (unsigned i = 0; i < 4; i++)
			assert_int_equal(causes_count(&causes, &places[i / 2], reasons[i % 2]),
					 n == 1 || n == 10 || n == 100 || n == 1000 ? n : 0);
	assert_int_equal(causes_count(&causes, NULL, "one more"), 1);
}

/* Somebody who finds ever more of them cannot have a line for each. */
static void many(void **state)
{
	unsigned lines = 0;

	(void)state;
	memset(&causes, 0, sizeof(causes));
	for (unsigned n = 0; n < 1000; n++)
		for (unsigned i = 0; i < sizeof(places); i++)
			lines += causes_count(&causes, &places[i], "it") != 0;
	assert_in_range(lines, CAUSES_MAX * 4, CAUSES_MAX * 4 + 7);
	assert_int_equal(causes.of[CAUSES_MAX].n, 1000 * (sizeof(places) - CAUSES_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(each_apart), cmocka_unit_test(many) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
