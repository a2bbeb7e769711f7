#include "format.h"

#include <selvage/fmt.h>

static const char *level_mark(uint32_t level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return "error: ";
	case LOG_LEVEL_WARNING:
		return "warning: ";
	default:
		return "";
	}
}

static size_t put_prefix(char *out, const char *name, uint64_t us,
			 uint32_t level)
{
	return fmt_print(out, LOG_PREFIX_MAX, "[%5llu.%06llu] %.31s: %s",
			 (unsigned long long)(us / 1000000u),
			 (unsigned long long)(us % 1000000u), name,
			 level_mark(level));
}

static char printable(char c)
{
	if (c == '\n')
		return '|';
	return c >= ' ' && c <= '~' ? c : '?';
}

size_t log_format(char out[LOG_FORMATTED_MAX], const char *name, uint64_t us,
		  const struct log_record *record)
{
	size_t used = put_prefix(out, name, us, record->level);
	unsigned lines = 1;

	for (uint32_t i = 0; i < record->size; i++) {
		char c = record->text[i];

		if (c == '\n' && lines < LOG_MAX_LINES) {
			lines++;
			out[used++] = '\n';
			used += put_prefix(out + used, name, us,
					   record->level);
			continue;
		}
		out[used++] = printable(c);
	}
	out[used++] = '\n';
	return used;
}
