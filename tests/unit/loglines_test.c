/* Lines of the log: what guests and monitors write into them is not taken for more. */
#include "faultlog.h"
#include "logabout.h"
#include "logline.h"

#include "unit.h"

#include <stdlib.h>
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

static void lines_about_a_name(void **state)
{
	static const struct {
		const char *line;
		bool two, serial;
	} lines[] = {
		{ "[    1.000000] vmm:two: info", true, false },
		{ "[    1.000000] vmm:two2: info", false, false },
		{ "[    1.000000] init: vm two: started by vmm", true, false },
		{ "[    1.000000] init: error: vm two: left off", true, false },
		{ "[    1.000000] init: vm two2: started by vmm", false, false },
		{ "[    2.0] no line", false, false },
		{ "[    2.000000] init: control: injecting a fault into vmm:two", true, false },
		{ "[    2.000000] init: error: process vmm:two crashed (thread 0)", true, false },
		{ "[    2.000000] init: error:   pc  0000", true, false },
		{ "[    2.000000] time: error:   pc  0000", false, false },
		{ "[    2.000000] init: error:   lr  0000", true, false },
		{ "[    2.000000] init: vm one: paused", false, false },
		{ "[    2.000000] init: error:   lr  0000", false, false },
		{ "[    3.000000] init: service serial: killed", false, true },
		{ "log| [    3.000000] init: service serial: started again", false, true },
		{ "... [    3.000000] init: service serial: started again", false, true },
		{ "[    3.000000] vmm:one: the guest says: process two crashed", false, false },
		{ "[    4.000000] init: error: process serial crashed (thread 1)", false, true },
		{ "[    4.000000] init: error:   unknown system call", false, true },
		{ "two: last words", true, false },
		{ "", false, false },
	};
	struct logabout two = { .name = "two" }, serial = { .name = "serial" };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(logabout_line(&two, lines[i].line), lines[i].two);
		assert_int_equal(logabout_line(&serial, lines[i].line), lines[i].serial);
	}
}

#define BEGIN "vmm:b: error: fault begin: vm=a what=\"x y\"\n"

/* As JSON; NULL: no record. */
static char *parsed(const char *log)
{
	char *text = strdup(log), *json = NULL;
	cJSON *records = faultlog_parse(text, NULL);

	if (cJSON_GetArraySize(records) > 0)
		json = cJSON_PrintUnformatted(records);
	cJSON_Delete(records);
	free(text);
	return json;
}

static void records_are_found(void **state)
{
	static const char *const logs[] = {
		"log| [    1.500000] " BEGIN "log| [    1.600000] vmm:b: error: fault end: vm=b\n",
		"[    1.500000] " BEGIN "[    1.600000] vmm:b: error: fault end: vm=b\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		char *json = parsed(logs[i]);

		assert_string_equal(json, "[{\"version\":1,\"time_s\":1.5,\"complete\":true,"
					  "\"what\":\"x y\",\"vm\":\"b\"}]");
		free(json);
	}
}

static void guests_cannot_forge_records(void **state)
{
	static const char *const logs[] = {
		"a| [    1.000000] " BEGIN,
		"a| log| [    1.000000] " BEGIN,
		"a| x\rlog| [    1.000000] " BEGIN,
		"a| x\r[    1.000000] " BEGIN,
		"a| " BEGIN,
		BEGIN,
		"log| [    1.000000] vmm:a: the guest says: " BEGIN,
		"log| [    1.000000] vmm:a: the guest says: [    1.000000] " BEGIN,
		"[    1.000000] vmm:a: the guest says: vmm:b: error: fault begin: what=x\n",
		"[    1.000000] vmm:a: the guest says: error: fault begin: what=x\n",
		"[    1.000000] vmm: error: fault begin: what=x\n",
		"[    1.000000] a: error: fault begin: what=x\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++)
		assert_null(parsed(logs[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_taken_apart),
		cmocka_unit_test(only_lines_of_the_log_server),
		cmocka_unit_test(lines_about_a_name),
		cmocka_unit_test(records_are_found),
		cmocka_unit_test(guests_cannot_forge_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
