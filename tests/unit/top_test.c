/* What `selvage top` makes of init's answers. */
#include "top.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

static struct top_sample before, now;
static char text[8192];

static void take(struct top_sample *s, const char *clock, const char *cpu, const char *wfi,
		 const char *starts)
{
	char line[512];

	memset(s, 0, sizeof(*s));
	snprintf(line, sizeof(line),
		 "{\"kind\":\"vm\",\"name\":\"a\",\"state\":\"running\",\"ram_bytes\":1048576,"
		 "\"overhead_bytes\":1048576,\"table_bytes\":0,\"starts\":%s,\"uptime_s\":1,"
		 "\"cpu_ms\":1}",
		 starts);
	top_line(s, line);
	snprintf(line, sizeof(line),
		 "{\"kind\":\"counts\",\"vm\":\"a\",\"cpu_us\":%s,\"virtio_bytes\":2048,"
		 "\"net_packets\":%s,\"net_bytes\":4096}",
		 cpu, wfi);
	top_line(s, line);
	snprintf(line, sizeof(line),
		 "{\"kind\":\"exits\",\"vm\":\"a\",\"wfi\":%s,\"mmio\":3}", wfi);
	top_line(s, line);
	snprintf(line, sizeof(line), "{\"kind\":\"clock\",\"now_us\":%s}", clock);
	top_line(s, line);
}

static void test_rates(void **state)
{
	(void)state;
	take(&before, "1000000", "500000", "10", "1");
	take(&now, "3000000", "1500000", "210", "1");
	text[top_table(&before, &now, text, sizeof(text) - 1)] = '\0';
	assert_non_null(strstr(text, "a                running    50.0       100"));
	assert_non_null(strstr(text, "wfi 100\n"));
	text[top_json(&before, &now, text, sizeof(text) - 1)] = '\0';
	assert_non_null(strstr(text, "\"seconds\":2.000,\"cpu_percent\":50.00"));
	assert_non_null(strstr(text, "\"wfi\":200,"));
	assert_non_null(strstr(text, "\"net_packets\":200,\"net_bytes\":0,"));
	assert_non_null(strstr(text, "\"mmio\":0,"));
}

static void test_another_start_begins_at_zero(void **state)
{
	(void)state;
	take(&before, "1000000", "500000", "210", "1");
	take(&now, "2000000", "100000", "10", "2");
	text[top_json(&before, &now, text, sizeof(text) - 1)] = '\0';
	assert_non_null(strstr(text, "\"cpu_percent\":10.00"));
	assert_non_null(strstr(text, "\"wfi\":10,"));
}

static void test_what_does_not_belong(void **state)
{
	static const char *const lines[] = {
		"", "{", "null", "[]", "{\"kind\":1}", "{\"kind\":\"counts\",\"vm\":\"b\"}",
		"{\"kind\":\"vm\",\"name\":\"a\",\"state\":\"again\"}",
		"{\"kind\":\"exits\",\"vm\":\"a\",\"wfi\":\"many\"}"
	};

	(void)state;
	take(&now, "1", "1", "1", "1");
	for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		top_line(&now, lines[i]);
	assert_int_equal(now.n, 1);
	assert_string_equal(now.vm[0].state, "running");
}

static void test_bounds(void **state)
{
	char line[200];

	(void)state;
	memset(&now, 0, sizeof(now));
	for (unsigned i = 0; i < 2 * SYSDESC_MAX_VMS; i++) {
		snprintf(line, sizeof(line),
			 "{\"kind\":\"vm\",\"name\":\"vm%u\",\"state\":\"a state too long\"}", i);
		top_line(&now, line);
	}
	assert_int_equal(now.n, SYSDESC_MAX_VMS);
	for (size_t size = 1; size < 600; size++) {
		memset(text, 'x', sizeof(text));
		assert_true(top_table(&before, &now, text, size) < size);
		assert_true(text[size] == 'x');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_another_start_begins_at_zero),
		cmocka_unit_test(test_what_does_not_belong),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
