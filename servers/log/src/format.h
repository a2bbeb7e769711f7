/* A log record as lines of text. */
#pragma once

#include <selvage/logring.h>
#include <stddef.h>
#include <stdint.h>

/* A record's text may hold this many newlines; the rest show as '|'. */
#define LOG_MAX_LINES 8
#define LOG_PREFIX_MAX 72
#define LOG_FORMATTED_MAX (LOG_MAX_LINES * (LOG_PREFIX_MAX + 1) + LOG_TEXT)

/*
 * Writes "[   12.345678] name: text\n", one prefix for each line of the
 * text, errors and warnings marked; bytes that are not printable ASCII
 * become '?'. `us` is the record's time. Returns the length, at most
 * LOG_FORMATTED_MAX.
 */
size_t log_format(char out[LOG_FORMATTED_MAX], const char *name, uint64_t us,
		  const struct log_record *record);
