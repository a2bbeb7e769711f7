/*
 * The terminal of `selvage run`: the output of the console in focus, and a
 * status line at the bottom, which stays out of what scrolls.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "scroll.h"

#define SCREEN_KEY_NEXT 0x1d /* Ctrl-] */
#define SCREEN_KEY_QUIT 0x1c /* Ctrl-\ */

struct screen {
	unsigned rows;
	unsigned columns;
	bool status_due;
};

/* False if there is no terminal to use. */
bool screen_open(struct screen *screen);
void screen_close(void);
/* After SIGWINCH. */
void screen_resize(struct screen *screen);
/* Shows another console: what it said last, then screen_output. */
void screen_switch(struct screen *screen, const struct scroll *scroll);
void screen_output(struct screen *screen, const void *data, size_t size);
/* Draws the status line: `text`, cut to fit. */
void screen_status(struct screen *screen, const char *text);
