#include "screen.h"

#include <stdio.h>
#include <string.h>

#include "terminal.h"

/* What a switch shows again: enough for a large window. */
#define REPLAY_BYTES 8192

/* ECMA-48 and DEC private: set the scrolling region, save and restore the
 * cursor. */
static void set_region(const struct screen *screen)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "\0337\033[1;%ur\0338",
			 screen->rows - 1);

	terminal_write(text, (unsigned long)n);
}

static void clear(const struct screen *screen)
{
	char text[64];
	int n = snprintf(text, sizeof(text),
			 "\033[r\033[0m\033[2J\033[1;%ur\033[1;1H",
			 screen->rows - 1);

	terminal_write(text, (unsigned long)n);
}

bool screen_open(struct screen *screen)
{
	if (!terminal_open())
		return false;
	terminal_size(&screen->rows, &screen->columns);
	clear(screen);
	screen->status_due = true;
	return true;
}

void screen_close(void)
{
	terminal_close();
}

void screen_resize(struct screen *screen)
{
	terminal_size(&screen->rows, &screen->columns);
	set_region(screen);
	screen->status_due = true;
}

void screen_switch(struct screen *screen, const struct scroll *scroll)
{
	struct buffer recent = { 0 };

	scroll_replay(scroll, REPLAY_BYTES, &recent);
	clear(screen);
	screen_output(screen, recent.data, recent.size);
	buffer_free(&recent);
	screen->status_due = true;
}

/* A lone newline must also return the carriage: the terminal is raw and the
 * log has no carriage returns. */
void screen_output(struct screen *screen, const void *data, size_t size)
{
	const char *p = data;
	size_t start = 0;

	for (size_t i = 0; i < size; i++) {
		if (p[i] != '\n' || (i > 0 && p[i - 1] == '\r'))
			continue;
		terminal_write(p + start, i - start);
		terminal_write("\r\n", 2);
		start = i + 1;
	}
	terminal_write(p + start, size - start);
	/* The guest may have cleared the screen. */
	screen->status_due = true;
}

void screen_status(struct screen *screen, const char *text)
{
	char line[1024];
	const char *on = terminal_attributes() ? "\033[7m" : "\033[0m";
	int width = (int)screen->columns;
	int n;

	if (width > 400)
		width = 400;
	set_region(screen);
	n = snprintf(line, sizeof(line),
		     "\0337\033[%u;1H%s%-*.*s\033[0m\033[K\0338", screen->rows,
		     on, width - 1, width - 1, text);
	terminal_write(line, (unsigned long)n);
	screen->status_due = false;
}
