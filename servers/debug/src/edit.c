#include "edit.h"

#include <selvage/fmt.h>
#include <string.h>

#define CTRL(c) ((c)&0x1f)
#define ESC 0x1b
#define DELETE 0x7f

void edit_init(struct edit *e, void (*write)(void *opaque, const char *text, size_t n),
	       void *opaque)
{
	memset(e, 0, sizeof(*e));
	e->write = write;
	e->opaque = opaque;
}

void edit_begin(struct edit *e)
{
	e->size = e->cursor = e->back = e->escape = 0;
	e->line[0] = '\0';
}

static void put(struct edit *e, const char *text, size_t n)
{
	if (n > 0)
		e->write(e->opaque, text, n);
}

static void left(struct edit *e, unsigned n)
{
	char text[16];

	if (n > 0)
		put(e, text, fmt_print(text, sizeof(text), "\033[%uD", n));
}

/* Everything from the cursor on, which stays where it is. */
static void draw_tail(struct edit *e)
{
	put(e, e->line + e->cursor, e->size - e->cursor);
	put(e, "\033[K", 3);
	left(e, e->size - e->cursor);
}

static void move(struct edit *e, unsigned to)
{
	if (to < e->cursor)
		left(e, e->cursor - to);
	else
		put(e, e->line + e->cursor, to - e->cursor);
	e->cursor = to;
}

/* Takes out what is between `from` and the cursor. */
static void erase(struct edit *e, unsigned from)
{
	unsigned n = e->cursor - from;

	memmove(e->line + from, e->line + e->cursor, e->size - e->cursor + 1);
	left(e, n);
	e->size -= n;
	e->cursor = from;
	draw_tail(e);
}

static void erase_at(struct edit *e)
{
	if (e->cursor == e->size)
		return;
	memmove(e->line + e->cursor, e->line + e->cursor + 1, e->size - e->cursor);
	e->size--;
	draw_tail(e);
}

static unsigned word_begin(const struct edit *e)
{
	unsigned at = e->cursor;

	while (at > 0 && e->line[at - 1] == ' ')
		at--;
	while (at > 0 && e->line[at - 1] != ' ')
		at--;
	return at;
}

static void insert(struct edit *e, char c)
{
	if (c < ' ' || c > '~' || e->size == EDIT_LINE - 1)
		return;
	memmove(e->line + e->cursor + 1, e->line + e->cursor, e->size - e->cursor + 1);
	e->line[e->cursor] = c;
	e->size++;
	put(e, &c, 1);
	e->cursor++;
	if (e->cursor < e->size)
		draw_tail(e);
}

void edit_insert(struct edit *e, const char *text)
{
	while (*text != '\0')
		insert(e, *text++);
}

void edit_redraw(struct edit *e)
{
	put(e, e->line, e->size);
	left(e, e->size - e->cursor);
}

static void replace(struct edit *e, const char *text)
{
	move(e, e->size);
	erase(e, 0);
	edit_insert(e, text);
}

static void browse(struct edit *e, int step)
{
	unsigned kept = e->n_history < EDIT_HISTORY ? e->n_history : EDIT_HISTORY;

	if ((step > 0 && e->back == kept) || (step < 0 && e->back == 0))
		return;
	e->back = step > 0 ? e->back + 1 : e->back - 1;
	replace(e, e->back == 0 ? "" : e->history[(e->n_history - e->back) % EDIT_HISTORY]);
}

static void keep(struct edit *e)
{
	const char *last = e->history[(e->n_history - 1) % EDIT_HISTORY];

	if (e->size == 0 || (e->n_history > 0 && strcmp(last, e->line) == 0))
		return;
	memcpy(e->history[e->n_history++ % EDIT_HISTORY], e->line, sizeof(e->line));
}

/* The last byte of a sequence CSI parameter byte. */
static void csi(struct edit *e, uint8_t byte)
{
	switch (byte) {
	case 'A': browse(e, 1); break;
	case 'B': browse(e, -1); break;
	case 'C': move(e, e->cursor < e->size ? e->cursor + 1 : e->cursor); break;
	case 'D': move(e, e->cursor > 0 ? e->cursor - 1 : 0); break;
	case 'H': move(e, 0); break;
	case 'F': move(e, e->size); break;
	case '~':
		if (e->parameter == 3)
			erase_at(e);
		else if (e->parameter == 1 || e->parameter == 7)
			move(e, 0);
		else if (e->parameter == 4 || e->parameter == 8)
			move(e, e->size);
		break;
	default: break;
	}
}

/* True: the byte belonged to an escape sequence. */
static bool take_escape(struct edit *e, uint8_t byte)
{
	if (byte == ESC) {
		e->escape = 1;
		e->parameter = 0;
		return true;
	}
	if (e->escape == 0)
		return false;
	if (e->escape == 1 && (byte == '[' || byte == 'O')) {
		e->escape = 2;
	} else if (e->escape == 2 && byte >= '0' && byte <= '9') {
		e->parameter = (e->parameter * 10 + (byte - '0')) % 100;
	} else if (e->escape != 2 || byte != ';') {
		if (e->escape == 2)
			csi(e, byte);
		e->escape = 0;
	}
	return true;
}

static void control_key(struct edit *e, uint8_t byte)
{
	switch (byte) {
	case CTRL('A'): move(e, 0); break;
	case CTRL('E'): move(e, e->size); break;
	case CTRL('B'): csi(e, 'D'); break;
	case CTRL('F'): csi(e, 'C'); break;
	case CTRL('P'): browse(e, 1); break;
	case CTRL('N'): browse(e, -1); break;
	case CTRL('D'): erase_at(e); break;
	case CTRL('U'): erase(e, 0); break;
	case CTRL('W'): erase(e, word_begin(e)); break;
	case CTRL('K'):
		e->size = e->cursor;
		e->line[e->size] = '\0';
		draw_tail(e);
		break;
	case CTRL('H'):
	case DELETE:
		if (e->cursor > 0)
			erase(e, e->cursor - 1);
		break;
	default: insert(e, (char)byte); break;
	}
}

enum edit_event edit_key(struct edit *e, uint8_t byte)
{
	bool cr = e->cr;

	e->cr = byte == '\r';
	if (byte == '\n' && cr)
		return EDIT_MORE;
	if (take_escape(e, byte))
		return EDIT_MORE;
	if (byte == '\t')
		return EDIT_TAB;
	if (byte != '\r' && byte != '\n' && byte != CTRL('C')) {
		control_key(e, byte);
		return EDIT_MORE;
	}
	move(e, e->size);
	put(e, byte == CTRL('C') ? "^C\r\n" : "\r\n", byte == CTRL('C') ? 4 : 2);
	if (byte == CTRL('C'))
		return EDIT_CANCEL;
	keep(e);
	return EDIT_DONE;
}
