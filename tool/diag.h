/*
 * What the tool tells its user: errors as `file:line: error: cause; hint`
 * and, when standard error is a terminal, progress.
 */
#pragma once

#include <stdbool.h>

#define DIAG_MAX_ERRORS 20 /* further ones are counted, not printed */

void diag_error_at(const char *file, unsigned line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void diag_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* errno says why output could not be written; a closed pipe is nothing to talk of. */
void diag_unwritten(void);
void diag_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* One line of progress; nothing unless standard error is a terminal. */
void diag_progress(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

unsigned diag_error_count(void);
/* Counts errors without printing them. */
void diag_silence(bool silent);
