/* Lines of the log: what guests and monitors write into them is not taken for more. */
#include "logline.h"

#include "unit.h"

#include <string.h>

static void lines_are_taken_apart(void **state)
{
	struct logline l;

	(void)state;
	assert_true(logline_parse(&l, "[   12.345678] vmm:a: error: x: y"));
	assert_memory_equal(l.time, "   12.345678]", 13);
	assert_string_equal(l.text, "error: x: y");
	assert_true(logline_is_from(&l, "vmm:a"));
	assert_false(logline_is_from(&l, "vmm"));
	assert_false(logline_is_from(&l, "vmm:a: error"));
	assert_true(logline_parse(&l, "[123456.000001] init: "));
	assert_string_equal(l.text, "");
}

static void only_lines_of_the_log_server(void **state)
{
	static const char *const others[] = {
		"",
		"[",
		"x[    1.000000] init: y",
		"[    1.000000]init: y",
		"[    1.00000] init: y",
		"[    1] init: y",
		"[.000000] init: y",
		"[    1.000000] init:y",
		"[    1.000000] : y",
		"[    1.000000] two words: y",
		"[    1.000000] init",
		"x] init: y",
		"init: y",
	};
	struct logline l;

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(logline_parse(&l, others[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_taken_apart),
		cmocka_unit_test(only_lines_of_the_log_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
