#include "diag.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static unsigned error_count, printed_count;
static bool silenced;

static bool may_print_error(void)
{
	error_count++;
	printed_count += !silenced;
	return !silenced && printed_count <= DIAG_MAX_ERRORS;
}

void diag_error_at(const char *file, unsigned line, const char *format, ...)
{
	va_list args;

	if (!may_print_error())
		return;
	if (line)
		fprintf(stderr, "%s:%u: error: ", file, line);
	else
		fprintf(stderr, "%s: error: ", file);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

void diag_error(const char *format, ...)
{
	va_list args;

	if (!may_print_error())
		return;
	fputs("selvage: error: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

void diag_unwritten(void)
{
	if (errno != EPIPE)
		diag_error("cannot write the output: %s", strerror(errno));
}

void diag_note(const char *format, ...)
{
	va_list args;

	if (silenced)
		return;
	fputs("selvage: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

void diag_progress(const char *format, ...)
{
	va_list args;

	if (silenced || !isatty(STDERR_FILENO))
		return;
	fputs("  ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

unsigned diag_error_count(void)
{
	return error_count;
}

void diag_silence(bool silent)
{
	silenced = silent;
}
