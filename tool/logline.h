/*
 * A line of the log as the log server writes it (servers/log/src/format.c):
 * `[seconds.micros] PROCESS: text`. What guests say is in the text only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct logline {
	const char *time;    /* behind the bracket */
	const char *process; /* not terminated */
	size_t process_size;
	const char *text;
};

/* False: `line` is none. */
bool logline_parse(struct logline *l, const char *line);
bool logline_is_from(const struct logline *l, const char *process);
