#include "replay.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ENQ 0x05
#define BEL 0x07
#define CAN 0x18
#define SUB 0x1a
#define ESC 0x1b

/* A control sequence without controls in it: `ESC [ parameters intermediates final`. */
struct sequence {
	char parameters[32]; /* as many as matter */
	size_t n_parameters;
	uint8_t intermediate; /* 0: none */
	uint8_t final;
};

static bool one_of(uint8_t byte, const char *bytes)
{
	return byte != 0 && strchr(bytes, byte) != NULL;
}

/* The window's state, place, sizes and titles are 11 to 21; `13;2` and the like are too. */
static bool is_window_report(const struct sequence *s)
{
	const unsigned long n = strtoul(s->parameters, NULL, 10);

	return n >= 11 && n <= 21;
}

static bool is_query(const struct sequence *s)
{
	const char first = s->parameters[0];
	const char prefix = first >= '<' && first <= '?' ? first : 0;

	switch (s->intermediate) {
	case '$': return one_of(s->final, "puw"); /* modes, terminal and cursor reports */
	case '*': return s->final == 'y';         /* checksum of the screen */
	case '\'': return s->final == '|';        /* locator */
	case '&': return s->final == 'u';         /* preferred character set */
	case 0: break;
	default: return false;
	}
	switch (prefix) {
	case 0:
		return one_of(s->final, "ncx") || (s->final == 't' && is_window_report(s));
	case '?': return one_of(s->final, "nuS"); /* states, keyboard, graphics */
	case '>': return one_of(s->final, "cq");  /* who are you, which version */
	case '=': return s->final == 'c';
	default: return false;
	}
}

/* Of the sequence at data[0] = ESC, data[1] = '[', how many bytes; 0: it has no end. Controls in
 * it are acted upon at once, and do not end it. */
static size_t take_sequence(struct sequence *s, const uint8_t *data, size_t size)
{
	*s = (struct sequence){ 0 };
	for (size_t i = 2; i < size; i++) {
		const uint8_t byte = data[i];

		if (byte == ESC || byte == CAN || byte == SUB || byte >= 0x7f)
			return i;
		if (byte >= 0x40) {
			s->final = byte;
			return i + 1;
		}
		if (byte >= 0x20 && byte < 0x30)
			s->intermediate = byte;
		else if (byte >= 0x30 && s->n_parameters < sizeof(s->parameters) - 1)
			s->parameters[s->n_parameters++] = (char)byte;
	}
	return 0;
}

static size_t replay_sequence(struct buffer *out, const uint8_t *data, size_t size)
{
	struct sequence s;
	const size_t n = take_sequence(&s, data, size);

	if (n == 0)
		return 0;
	if (!is_query(&s)) {
		buffer_append(out, data, n);
		return n;
	}
	for (size_t i = 2; i < n; i++) {
		if (data[i] < ' ' && data[i] != ENQ)
			buffer_append(out, &data[i], 1);
	}
	return n;
}

/* Some field of the colours, the clipboard, ... is `?`. */
static bool asks(const uint8_t *body, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (body[i] == '?' && (i == 0 || body[i - 1] == ';') &&
		    (i + 1 == size || body[i + 1] == ';'))
			return true;
	}
	return false;
}

/* DECRQSS, XTGETTCAP, and the like: behind the parameters there is an intermediate and `q`. */
static bool requests(const uint8_t *body, size_t size)
{
	size_t i = 0;

	while (i < size && (body[i] == ';' || (body[i] >= '0' && body[i] <= '9')))
		i++;
	return i + 1 < size && one_of(body[i], "$+") && body[i + 1] == 'q';
}

/* A string: `ESC type body`, then BEL (of OSC), or ESC \. What ends it otherwise is no part
 * of it. */
static size_t replay_string(struct buffer *out, const uint8_t *data, size_t size)
{
	const uint8_t type = data[1];
	const uint8_t *body = data + 2;
	size_t i = 2, end;
	bool query;

	while (i < size && data[i] != ESC && data[i] != CAN && data[i] != SUB &&
	       (data[i] != BEL || type != ']'))
		i++;
	if (i == size || (data[i] == ESC && i + 1 == size))
		return 0;
	end = i + (data[i] == ESC ? (data[i + 1] == '\\' ? 2 : 0) : 1);
	/* Privacy messages and applications' commands show nothing. */
	query = type == ']' ? asks(body, i - 2) : type == 'P' ? requests(body, i - 2)
							      : true;
	if (!query)
		buffer_append(out, data, end);
	return end;
}

static size_t replay_escape(struct buffer *out, const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	if (data[1] == '[')
		return replay_sequence(out, data, size);
	if (one_of(data[1], "]P_^X"))
		return replay_string(out, data, size);
	if (data[1] == 'Z')
		return 2;
	buffer_append(out, data, 1);
	return 1;
}

void replay_add(struct buffer *out, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size;) {
		size_t n = 1;

		if (data[i] == ESC)
			n = replay_escape(out, data + i, size - i);
		else if (data[i] != ENQ)
			buffer_append(out, &data[i], 1);
		if (n == 0) { /* what comes next may end it */
			buffer_append(out, data + i, size - i);
			return;
		}
		i += n;
	}
}
