/* The debug shell: its line editor, its commands, and answers that are not as they should. */
#include "answer.h"
#include "shell.h"
#include "unit.h"

#include <string.h>

static char out[65536], asked[512];
static size_t n_out;
static const char *const *answer;
static struct shell shell;

static void write_out(void *opaque, const char *text, size_t n)
{
	(void)opaque;
	assert_true(n_out + n < sizeof(out));
	memcpy(out + n_out, text, n);
	out[n_out += n] = '\0';
}

static void ask(void *opaque, const char *request, void (*take)(void *context, char *line),
		void *context)
{
	char line[SHELL_ANSWER];

	(void)opaque;
	strncpy(asked, request, sizeof(asked) - 1);
	for (const char *const *p = answer; *p != NULL; p++) {
		strncpy(line, *p, sizeof(line) - 1);
		take(context, line);
	}
}

static const char *const ok[] = { "{\"ok\":true}", NULL };

static void begin(void)
{
	static const struct shell_env env = { NULL, write_out, ask };

	shell_init(&shell, &env);
	n_out = 0;
	out[0] = asked[0] = '\0';
	answer = ok;
}

static void type(const char *keys)
{
	while (*keys != '\0')
		shell_key(&shell, (uint8_t)*keys++);
}

/* What a terminal of one endless line would show of the last one. */
static const char *screen(void)
{
	static char row[512];
	size_t at = 0, end = 0;

	for (size_t i = 0; i < n_out; i++) {
		unsigned n = 0;

		if (out[i] == '\n')
			at = end = 0;
		if (out[i] == '\033') {
			assert_int_equal(out[i + 1], '[');
			for (i += 2; out[i] >= '0' && out[i] <= '9'; i++)
				n = n * 10 + (unsigned)(out[i] - '0');
			assert_true(out[i] == 'D' || out[i] == 'K');
			if (out[i] == 'K')
				end = at;
			assert_true(n <= at);
			at -= n;
		} else if (out[i] >= ' ') {
			row[at++] = out[i];
			end = at > end ? at : end;
		}
	}
	row[end] = '\0';
	return row;
}

static void test_keys(void **state)
{
	static const struct {
		const char *keys, *line;
	} cases[] = {
		{ "abc", "abc" },
		{ "abc\177", "ab" },
		{ "abc\033[Dx", "abxc" },
		{ "abc\033[D\033[D\177", "bc" },
		{ "abc\001x\005y", "xabcy" },
		{ "one two  \027", "one " },
		{ "one two\025", "" },
		{ "one two\033[H\013", "" },
		{ "ab\033[D\033[3~", "a" },
		{ "ab\033OD\033[1~x\033[4~y", "xaby" },
		{ "ab\033[1;5Dx", "axb" },
		{ "a\033xb", "ab" },
		{ "\177\027\025\033[D\033[C\033[3~z", "z" },
		{ "b\002a\006c", "abc" },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin();
		type(cases[i].keys);
		assert_string_equal(shell.edit.line, cases[i].line);
		assert_string_equal(screen() + strlen("debug> "), cases[i].line);
	}
}

static void test_history(void **state)
{
	(void)state;
	begin();
	type("start a\r\nstop b\rstop b\r");
	type("\033[A");
	assert_string_equal(screen(), "debug> stop b");
	type("\033[A\033[A\033[A");
	assert_string_equal(screen(), "debug> start a");
	type("\033[B\033[B");
	assert_string_equal(screen(), "debug> ");
	for (char c = 'a'; c < 'z'; c++) {
		const char line[] = { c, '\r', '\0' };

		type(line);
	}
	for (unsigned i = 0; i < 2 * EDIT_HISTORY; i++)
		type("\020");
	assert_string_equal(shell.edit.line, "r");
}

static void test_commands(void **state)
{
	static const struct {
		const char *line, *request;
	} cases[] = {
		{ "list", "ps" },
		{ " pause  web ", "pause web" },
		{ "mem web 0x40000000", "mem web 1073741824 64" },
		{ "mem web 0XaF 16", "mem web 175 16" },
		{ "regs web", "regs web 0" },
		{ "regs web 1", "regs web 1" },
		{ "map web", "map web" },
		{ "log web debug", "log web 3" },
		{ "counters web", "stats" },
		{ "caps", "caps" },
	};
	static const struct {
		const char *line, *says;
	} wrong[] = {
		{ "start", "usage: start VM" },
		{ "start a b", "usage: start VM" },
		{ "a b c d e f g", "no such command" },
		{ "mem web x", "no number" },
		{ "mem web 0x", "no number" },
		{ "mem web 0x12345678123456789", "no number" },
		{ "log web loud", "a level is" },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin();
		type(cases[i].line);
		type("\r");
		assert_string_equal(asked, cases[i].request);
	}
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		begin();
		type(wrong[i].line);
		type("\r");
		assert_string_equal(asked, "");
		assert_non_null(strstr(out, wrong[i].says));
	}
	begin();
	type("start a\003");
	assert_string_equal(asked, "");
	type("help\r");
	assert_non_null(strstr(out, "counters VM"));
}

static void test_answers(void **state)
{
	static const char *const rows[] = {
		"{\"kind\":\"vm\",\"name\":\"web\",\"state\":\"running\",\"starts\":1,\"cpu_ms\":5,"
		"\"exits\":7}",
		"{\"kind\":\"memory\",\"total_bytes\":9,\"free_bytes\":4}", "{\"ok\":true}", NULL
	};
	static const char *const bytes[] = { "{\"at\":\"0x40\",\"hex\":\"0011223344\"}",
					     "{\"ok\":false,\"error\":\"a\033[2Jb\"}", NULL };

	(void)state;
	begin();
	answer = rows;
	type("list\r");
	assert_non_null(strstr(out, "web              vm       running  started 1, cpu ms 5, "
				    "exits 7"));
	assert_non_null(strstr(out, "memory: 4 bytes free of 9"));
	begin();
	answer = bytes;
	type("mem web 64\r");
	assert_non_null(strstr(out, "0x40  00112233 44\r\n"));
	assert_non_null(strstr(out, "error: a?[2Jb"));
}

static void test_completion(void **state)
{
	static const char *const names[] = { "{\"kind\":\"vm\",\"name\":\"web1\"}",
					     "{\"kind\":\"vm\",\"name\":\"web2\"}",
					     "{\"kind\":\"service\",\"name\":\"time\"}",
					     "{\"ok\":true}", NULL };

	(void)state;
	begin();
	type("cou\t");
	assert_string_equal(shell.edit.line, "counters ");
	answer = names;
	type("w\t");
	assert_string_equal(shell.edit.line, "counters web");
	type("\t");
	assert_non_null(strstr(out, "web1  web2  "));
	assert_string_equal(screen(), "debug> counters web");
	type("2\t");
	assert_string_equal(shell.edit.line, "counters web2 ");
	begin();
	type("zz\t");
	assert_string_equal(shell.edit.line, "zz");
}

static void test_lines_that_are_none(void **state)
{
	static const char *const lines[] = { "", "{", "{\"", "{\"a", "{\"a\"", "{\"a\":",
					     "{\"a\":\"",
					     "{\"a\":1", "{\"a\":\"\\", "{}", "[1]", "{a:1}" };
	char value[8];

	(void)state;
	for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_false(answer_get(lines[i], "a", value, sizeof(value)));
	assert_true(answer_get("{\"b\":null,\"a\":\"x\\\"y,12345678\"}", "a", value,
			       sizeof(value)));
	assert_string_equal(value, "x\"y,123");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_history),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_completion),
		cmocka_unit_test(test_lines_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
