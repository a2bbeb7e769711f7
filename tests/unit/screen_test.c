/* The text screen of the log server: its two views, and bytes that mean it no good. */
#include "screen.h"
#include "unit.h"

#include <selvage/servers.h>
#include <stdio.h>
#include <string.h>

static struct screen screen;
static uint16_t cells[SCREEN_ROWS * SCREEN_COLUMNS];
static unsigned cursor_at, drawn;

static void cell(unsigned at, uint16_t value)
{
	assert_true(at < SCREEN_ROWS * SCREEN_COLUMNS);
	cells[at] = value;
	drawn++;
}

static void cursor(unsigned at)
{
	assert_true(at <= SCREEN_ROWS * SCREEN_COLUMNS);
	cursor_at = at;
}

static void draw(void)
{
	static const struct screen_out out = { cell, cursor };
	unsigned turns = 0;

	drawn = 0;
	while (screen_draw(&screen, &out))
		assert_true(++turns < SCREEN_ROWS);
}

static void begin(void)
{
	memset(cells, 0, sizeof(cells));
	screen_init(&screen);
	draw();
	assert_int_equal(drawn, SCREEN_ROWS * SCREEN_COLUMNS);
}

static void log_text(const char *text)
{
	screen_log(&screen, text, strlen(text));
	draw();
}

static void shell(const char *bytes)
{
	screen_shell(&screen, bytes, strlen(bytes));
	draw();
}

/* A row of the screen without the blanks at its end. */
static const char *row(unsigned n)
{
	static char text[SCREEN_COLUMNS + 1];
	unsigned end = 0;

	for (unsigned i = 0; i < SCREEN_COLUMNS; i++) {
		uint16_t value = cells[n * SCREEN_COLUMNS + i];

		assert_int_equal(value >> 8, SCREEN_COLOURS);
		text[i] = (char)value;
		if (text[i] != ' ')
			end = i + 1;
	}
	text[end] = '\0';
	return text;
}

static void the_log(void **state)
{
	(void)state;
	begin();
	log_text("one\ntwo");
	assert_string_equal(row(0), "one");
	assert_string_equal(row(1), "two");
	assert_int_equal(cursor_at, SCREEN_COLUMNS + 3);
	log_text("\n");
	assert_int_equal(drawn, 0); /* only the cursor has moved */
	log_text("\033[2J\a\177\x80\t|\n");
	assert_string_equal(row(2), "?[2J????|");
}

static void it_scrolls(void **state)
{
	char line[32];

	(void)state;
	begin();
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(line, sizeof(line), "%sline %u", i == 0 ? "" : "\n", i);
		log_text(line);
	}
	assert_string_equal(row(0), "line 975");
	assert_string_equal(row(24), "line 999");
	assert_int_equal(cursor_at, 24 * SCREEN_COLUMNS + 8);
	/* Only what differs is drawn: a digit or so of each row. */
	log_text("\nline 1000");
	assert_true(drawn < 100);
}

static void half_a_screen_back(void **state)
{
	char line[32];

	(void)state;
	begin();
	for (unsigned i = 0; i < 100; i++) {
		snprintf(line, sizeof(line), "%u\n", i);
		log_text(line);
	}
	assert_string_equal(row(0), "76");
	shell("\033[1y");
	assert_string_equal(row(0), "64");
	assert_int_equal(cursor_at, SCREEN_ROWS * SCREEN_COLUMNS);
	log_text("more\n");
	assert_string_equal(row(0), "64");
	shell("\033[1y\033[1y\033[1y\033[1y\033[1y\033[1y\033[1y\033[1y");
	assert_string_equal(row(0), "0");
	shell("\033[2y");
	assert_string_equal(row(0), "12");
	for (unsigned i = 0; i < 400; i++) /* what is looked at goes off */
		log_text("x\n");
	assert_string_equal(row(0), "x");
	for (unsigned i = 0; i < 40; i++)
		shell("\033[2y");
	assert_string_equal(row(24), "");
	assert_int_equal(cursor_at, 24 * SCREEN_COLUMNS);
}

static void rows_that_are_full(void **state)
{
	char line[2 * SCREEN_COLUMNS + 1];

	(void)state;
	begin();
	memset(line, 'x', sizeof(line));
	line[SCREEN_COLUMNS] = '\0';
	log_text(line);
	log_text("\nnext\n"); /* no empty row between them */
	assert_string_equal(row(1), "next");
	line[SCREEN_COLUMNS] = 'y';
	line[SCREEN_COLUMNS + 1] = '\0';
	log_text(line);
	assert_string_equal(row(3), "y");
}

static void two_views(void **state)
{
	(void)state;
	begin();
	log_text("log\n");
	shell("shell");
	assert_string_equal(row(0), "log");
	shell("\033[2z");
	assert_string_equal(row(0), "shell");
	assert_int_equal(cursor_at, 5);
	log_text("more\n");
	assert_string_equal(row(1), "");
	shell("\033[1z");
	assert_string_equal(row(1), "more");
	shell("\033[0z\033[3z\033[z\033[9999999999z");
	assert_string_equal(row(1), "more");
}

static void terminal(void **state)
{
	char line[SCREEN_COLUMNS + 1];

	(void)state;
	begin();
	shell("\033[2zdebug> lxst\033[3Dist\033[K");
	assert_string_equal(row(0), "debug> list");
	shell("\033[2D\033[K");
	assert_string_equal(row(0), "debug> li");
	shell("\b\b\033[D!\r\nnew\rN");
	assert_string_equal(row(0), "debug>!li");
	assert_string_equal(row(1), "New");
	/* A line of more than a row, and back to its begin. */
	memset(line, 'x', sizeof(line));
	line[SCREEN_COLUMNS] = '\0';
	shell("\r\n");
	shell(line);
	shell("yz\033[82Dab\033[2D\033[K");
	assert_string_equal(row(2), "");
	assert_string_equal(row(3), "");
	assert_int_equal(cursor_at, 2 * SCREEN_COLUMNS);
	shell("\033[999D"); /* not beyond the page */
	assert_int_equal(cursor_at, 0);
}

static void sequences_that_are_none(void **state)
{
	(void)state;
	begin();
	shell("\033[2z\033x\033[?25h\033[1;2mA\033\033[\xff"
	      "B\033[12345678901234567890C\033[D\1\2");
	assert_string_equal(row(0), "A??");
	shell("\033["); /* in two pieces */
	shell("2");
	shell("D!");
	assert_string_equal(row(0), "A!?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_log),
		cmocka_unit_test(it_scrolls),
		cmocka_unit_test(half_a_screen_back),
		cmocka_unit_test(rows_that_are_full),
		cmocka_unit_test(two_views),
		cmocka_unit_test(terminal),
		cmocka_unit_test(sequences_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
