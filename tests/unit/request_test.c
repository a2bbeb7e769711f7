/* Lines of the control channel. */
#include "request.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

static struct request r;

static const char *parse(const char *text)
{
	static char line[2 * CONTROL_MAX_LINE];

	snprintf(line, sizeof(line), "%s", text);
	return request_parse(line, &r);
}

static void test_verbs(void **state)
{
	char line[CONTROL_MAX_LINE];

	(void)state;
	for (unsigned i = 0; i < VERB_START; i++) {
		assert_null(parse(request_verb((enum verb)i)));
		assert_int_equal(r.verb, i);
	}
	for (unsigned i = VERB_START; i <= VERB_DESTROY; i++) {
		snprintf(line, sizeof(line), "%s linux-1_b", request_verb((enum verb)i));
		assert_null(parse(line));
		assert_int_equal(r.verb, i);
		assert_string_equal(r.name, "linux-1_b");
	}
	assert_null(parse("crash vmm:linux1"));
}

static void test_numbers_and_bytes(void **state)
{
	(void)state;
	assert_null(parse("mem one 1073741824 64"));
	assert_int_equal(r.number, 1073741824);
	assert_int_equal(r.count, 64);
	assert_non_null(parse("mem one 1073741824"));
	assert_non_null(parse("mem one 1 x"));
	assert_null(parse("regs one 1"));
	assert_null(parse("log vmm:one 3"));
	assert_null(parse("map one"));
	assert_null(parse("create 4096"));
	assert_int_equal(r.number, 4096);
	assert_null(parse("put 12 c2VsdmFnZQ=="));
	assert_int_equal(r.number, 12);
	assert_int_equal(r.n_bytes, 7);
	assert_memory_equal(r.bytes, "selvage", 7);
	assert_null(parse("put 0 AP+/"));
	assert_int_equal(r.n_bytes, 3);
	assert_memory_equal(r.bytes, "\x00\xff\xbf", 3);
	assert_null(parse("put 0 AP8="));
	assert_int_equal(r.n_bytes, 2);
	assert_null(parse("commit 4294967295"));
	assert_null(parse("set linux restart_delay 5000"));
	assert_int_equal(r.key, CONTROL_RESTART_DELAY);
	assert_int_equal(r.number, 5000);
	assert_string_equal(r.name, "linux");
	assert_string_equal(parse("set linux memory 5"), "no such key can be changed");
	assert_string_equal(parse("create -1"), "that is no number");
	assert_string_equal(parse("create 0x10"), "that is no number");
	assert_string_equal(parse("create 12345678901234567890"), "that is no number");
	assert_string_equal(parse("put 0"), "a word is missing");
	for (unsigned i = 0; i < 6; i++) {
		static const char *const wrong[] = {
			"put 0 AAA", "put 0 A===", "put 0 ====",
			"put 0 AA=A", "put 0 AA*A", "put 0 AAAAA"
		};

		assert_string_equal(parse(wrong[i]), "that is no base64");
	}
}

static void test_wrong_lines(void **state)
{
	char line[CONTROL_MAX_LINE];

	(void)state;
	assert_string_equal(parse(""), "unknown request");
	assert_string_equal(parse(" ps"), "unknown request");
	assert_string_equal(parse("PS"), "unknown request");
	assert_string_equal(parse("psx"), "unknown request");
	assert_string_equal(parse("ps x"), "too many words");
	assert_string_equal(parse("start"), "a word is missing");
	assert_string_equal(parse("start "), "a word is missing");
	assert_string_equal(parse("start  a"), "that is no name");
	assert_string_equal(parse("start a b"), "too many words");
	assert_string_equal(parse("start a\"b"), "that is no name");
	assert_string_equal(parse("start a\x01"), "that is no name");
	memset(line, 'a', sizeof(line));
	memcpy(line, "start ", 6);
	line[6 + CONTROL_NAME] = '\0';
	assert_string_equal(parse(line), "that is no name");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verbs),
		cmocka_unit_test(test_numbers_and_bytes),
		cmocka_unit_test(test_wrong_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
