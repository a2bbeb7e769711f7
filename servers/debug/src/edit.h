/*
 * A line that somebody types on a terminal: cursor, history, words that are erased
 * or completed. State and bytes only; whatever comes is survived. The
 * terminal understands ECMA-48's CUB (CSI n D) and EL (CSI K); nothing is drawn
 * left of where the line began, so that it may begin anywhere.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EDIT_LINE 128u /* characters of a line, NUL included */
#define EDIT_HISTORY 8u

enum edit_event {
	EDIT_MORE = 0,
	EDIT_DONE,   /* line[] is complete; edit_begin() before the next key */
	EDIT_CANCEL, /* Ctrl-C: the same, but nothing is meant */
	EDIT_TAB,    /* somebody wants the word before the cursor completed */
};

struct edit {
	void (*write)(void *opaque, const char *text, size_t n);
	void *opaque;
	unsigned size, cursor;
	unsigned escape;    /* bytes of an escape sequence so far */
	unsigned parameter; /* its number */
	bool cr;            /* the last byte was a CR: a LF belongs to it */
	unsigned n_history; /* lines ever kept */
	unsigned back;      /* how far back the line comes from, 0: it is new */
	char line[EDIT_LINE];
	char history[EDIT_HISTORY][EDIT_LINE];
};

void edit_init(struct edit *e, void (*write)(void *opaque, const char *text, size_t n),
	       void *opaque);
/* An empty line; the caller has written its prompt. */
void edit_begin(struct edit *e);
enum edit_event edit_key(struct edit *e, uint8_t byte);
/* As if it were typed; what has no room or cannot be shown is left out. */
void edit_insert(struct edit *e, const char *text);
/* Shows the line again, behind a prompt that was written again. */
void edit_redraw(struct edit *e);
