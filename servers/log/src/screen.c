#include "screen.h"

#include <selvage/base.h>
#include <selvage/servers.h>
#include <string.h>

#define ESC 0x1b
#define PARAMETER_MAX 1000u
#define HALF (SCREEN_ROWS / 2)
#define NOWHERE (SCREEN_ROWS * SCREEN_COLUMNS)

/* First row of the page that is written on. */
static uint64_t page(const struct screen_view *v)
{
	return v->last < SCREEN_ROWS ? 0 : v->last - (SCREEN_ROWS - 1);
}

static uint64_t oldest(const struct screen_view *v)
{
	return v->last < SCREEN_KEPT ? 0 : v->last - (SCREEN_KEPT - 1);
}

static uint64_t first_shown(const struct screen_view *v)
{
	return v->held ? max_u64(v->from, oldest(v)) : page(v);
}

static char *row_of(struct screen_view *v, uint64_t row)
{
	return v->text[row % SCREEN_KEPT];
}

static void clear(struct screen_view *v, uint64_t row, unsigned from)
{
	memset(row_of(v, row) + from, ' ', SCREEN_COLUMNS - from);
}

static void line_feed(struct screen_view *v)
{
	v->column = 0;
	if (v->row++ == v->last)
		clear(v, ++v->last, 0);
}

/* The end of a line that just filled its row is there already. */
static void end_line(struct screen_view *v)
{
	if (!v->wrapped)
		line_feed(v);
	v->wrapped = false;
}

static void put(struct screen_view *v, char c)
{
	row_of(v, v->row)[v->column++] = c >= ' ' && c <= '~' ? c : '?';
	v->wrapped = v->column == SCREEN_COLUMNS;
	if (v->wrapped)
		line_feed(v);
}

/* Not beyond the page. */
static void back(struct screen_view *v, unsigned n)
{
	uint64_t at = v->row * SCREEN_COLUMNS + v->column;

	at = max_u64(at - min_u64(at, n), page(v) * SCREEN_COLUMNS);
	v->row = at / SCREEN_COLUMNS;
	v->column = (unsigned)(at % SCREEN_COLUMNS);
	v->wrapped = v->wrapped && n == 0;
}

static void erase(struct screen_view *v)
{
	clear(v, v->row, v->column);
	for (uint64_t row = v->row + 1; row <= v->last; row++)
		clear(v, row, 0);
}

static void touch(struct screen *s) { s->stale = SCREEN_ROWS; }

static void show(struct screen *s, unsigned view)
{
	if (view >= 1 && view <= SCREEN_VIEWS)
		s->shown = view - 1;
	touch(s);
}

static void scroll(struct screen *s, unsigned direction)
{
	struct screen_view *v = &s->view[s->shown];
	uint64_t from = first_shown(v);

	if (direction == 1)
		from -= min_u64(from - oldest(v), HALF);
	else if (direction == 2)
		from += HALF;
	v->held = from < page(v);
	v->from = from;
	touch(s);
}

void screen_init(struct screen *s)
{
	memset(s, 0, sizeof(*s));
	for (unsigned i = 0; i < SCREEN_VIEWS; i++)
		memset(s->view[i].text, ' ', sizeof(s->view[i].text));
	touch(s);
}

void screen_log(struct screen *s, const char *text, size_t n)
{
	struct screen_view *v = &s->view[SCREEN_VIEW_LOG - 1];

	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\n') {
			end_line(v);
			continue;
		}
		put(v, text[i]);
	}
	if (s->shown == SCREEN_VIEW_LOG - 1)
		touch(s);
}

/* The last byte of CSI parameter byte; without a number it is 1, of a view none. */
static void sequence(struct screen *s, char byte)
{
	struct screen_view *v = &s->view[SCREEN_VIEW_SHELL - 1];

	switch (byte) {
	case 'D': back(v, s->parameter == 0 ? 1 : s->parameter); break;
	case 'J':
	case 'K': erase(v); break;
	case 'y': scroll(s, s->parameter); break;
	case 'z': show(s, s->parameter); break;
	default: break;
	}
}

/* True: the byte belonged to an escape sequence. */
static bool take_escape(struct screen *s, char byte)
{
	if (byte == ESC) {
		s->escape = 1;
		s->parameter = 0;
		return true;
	}
	if (s->escape == 0)
		return false;
	if (s->escape == 1 && byte == '[') {
		s->escape = 2;
	} else if (s->escape == 2 && byte >= '0' && byte <= '9') {
		s->parameter = (s->parameter * 10 + (unsigned)(byte - '0')) % PARAMETER_MAX;
	} else if (s->escape == 1 || byte < '0' || byte > '?') {
		if (s->escape == 2)
			sequence(s, byte);
		s->escape = 0;
	}
	return true;
}

static void terminal(struct screen_view *v, char byte)
{
	switch (byte) {
	case '\n': end_line(v); break;
	case '\r': v->column = 0; break;
	case '\b': back(v, 1); break;
	case '\a':
	case '\0': break;
	default: put(v, byte); break;
	}
}

void screen_shell(struct screen *s, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!take_escape(s, bytes[i]))
			terminal(&s->view[SCREEN_VIEW_SHELL - 1], bytes[i]);
	if (s->shown == SCREEN_VIEW_SHELL - 1)
		touch(s);
}

static void draw_row(struct screen *s, unsigned row, const struct screen_out *out)
{
	struct screen_view *v = &s->view[s->shown];
	const char *text = row_of(v, first_shown(v) + row);

	for (unsigned i = 0; i < SCREEN_COLUMNS; i++) {
		uint16_t value = (uint16_t)(SCREEN_COLOURS << 8 | (uint8_t)text[i]);

		if (s->drawn[row][i] == value)
			continue;
		s->drawn[row][i] = value;
		out->cell(row * SCREEN_COLUMNS + i, value);
	}
}

static unsigned cursor(const struct screen_view *v)
{
	return v->held ? NOWHERE
		       : (unsigned)(v->row - page(v)) * SCREEN_COLUMNS + v->column;
}

bool screen_draw(struct screen *s, const struct screen_out *out)
{
	if (s->stale == 0)
		return false;
	draw_row(s, s->next, out);
	s->next = (s->next + 1) % SCREEN_ROWS;
	if (--s->stale > 0)
		return true;
	out->cursor(cursor(&s->view[s->shown]));
	return false;
}
