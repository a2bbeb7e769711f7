/*
 * stdout and stderr of picolibc: lines go to the log. Linked only into a
 * program that uses them.
 */
#include <selvage/log.h>
#include <stdio.h>

static char line[LOG_TEXT];
static size_t line_fill;

static void flush_line(void)
{
	if (line_fill)
		log_info("%.*s", (int)line_fill, line);
	line_fill = 0;
}

static int put_char(char c, FILE *file)
{
	(void)file;
	if (c == '\n') {
		flush_line();
		return c;
	}
	if (line_fill == sizeof(line))
		flush_line();
	line[line_fill++] = c;
	return (unsigned char)c;
}

static FILE log_file = FDEV_SETUP_STREAM(put_char, NULL, NULL, _FDEV_SETUP_WRITE);

FILE *const stdout = &log_file;
FILE *const stderr = &log_file;
