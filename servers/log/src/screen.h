/*
 * A text screen of 80 by 25 with two views, of which one is shown: the log, and the
 * debug shell's terminal. State and bytes only; whatever comes is survived. What is
 * written goes into memory, and from there to the screen row by row, when there is
 * nothing else to do: who writes never waits for it.
 *
 * The shell's bytes are its server's to choose, not to be believed. Its terminal knows CR,
 * LF, BS and, of ECMA-48, CUB (CSI n D), EL and ED (CSI K, CSI J); lines that are longer than a row
 * go on in the next one, and CUB comes back from there, so that EL takes all that is behind the
 * cursor. Its own are
 *   CSI n z   view n is shown (SCREEN_VIEW_... in selvage/servers.h)
 *   CSI n y   the view shown goes half a screen back (1) or forth (2)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCREEN_COLUMNS 80u
#define SCREEN_ROWS 25u
#define SCREEN_KEPT 256u     /* rows of a view, those that went off at the top among them */
#define SCREEN_COLOURS 0x1fu /* white on blue */

#define SCREEN_VIEWS 2u

struct screen_view {
	uint64_t row, last; /* the cursor's row, and the newest; row n is in row[n % SCREEN_KEPT] */
	uint64_t from;      /* first row on the screen while it is held back */
	unsigned column;
	bool wrapped; /* it came here because the row above was full */
	bool held;
	char text[SCREEN_KEPT][SCREEN_COLUMNS];
};

struct screen {
	struct screen_view view[SCREEN_VIEWS];
	unsigned shown;     /* index of view[] */
	unsigned escape;    /* bytes of an escape sequence so far */
	unsigned parameter; /* its number */
	unsigned next;      /* row of the screen that is looked at next */
	unsigned stale;     /* how many may have to be drawn */
	uint16_t drawn[SCREEN_ROWS][SCREEN_COLUMNS];
};

/* What has the pixels; neither may fail. */
struct screen_out {
	/* A cell: character, colours above it. */
	void (*cell)(unsigned at, uint16_t value);
	/* SCREEN_ROWS * SCREEN_COLUMNS: it is not to be seen. */
	void (*cursor)(unsigned at);
};

void screen_init(struct screen *s);
/* Text for the log: lines; a byte that cannot be shown is '?'. */
void screen_log(struct screen *s, const char *text, size_t n);
/* Bytes for the shell's terminal. */
void screen_shell(struct screen *s, const char *bytes, size_t n);
/* Draws what is new in one row; false: nothing is left to draw. */
bool screen_draw(struct screen *s, const struct screen_out *out);
