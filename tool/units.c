#include "units.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
	const char *suffix;
	uint64_t factor;
};

static const struct unit size_units[] = {
	{ "", 1 },
	{ "K", 1ull << 10 },
	{ "M", 1ull << 20 },
	{ "G", 1ull << 30 },
};

static const struct unit time_units[] = {
	{ "us", 1 },
	{ "ms", 1000 },
	{ "s", 1000000 },
};

static bool parse(const char *text, const struct unit *units, size_t n,
		  uint64_t *value)
{
	char *end;
	unsigned long long number;
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	number = strtoull(text, &end, hex ? 16 : 10);
	if (errno || (hex && end == text + 1))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(end, units[i].suffix) == 0)
			return !__builtin_mul_overflow(
				number, units[i].factor, value);
	}
	return false;
}

bool units_parse_size(const char *text, uint64_t *bytes)
{
	return parse(text, size_units,
		     sizeof(size_units) / sizeof(size_units[0]), bytes);
}

bool units_parse_duration(const char *text, uint64_t *us)
{
	return parse(text, time_units,
		     sizeof(time_units) / sizeof(time_units[0]), us);
}

const char *units_size_text(uint64_t bytes)
{
	static char buffer[4][24];
	static unsigned turn;
	char *out = buffer[turn++ % 4];
	size_t unit = sizeof(size_units) / sizeof(size_units[0]);

	while (bytes % size_units[--unit].factor != 0)
		;
	snprintf(out, sizeof(buffer[0]), "%llu%s",
		 (unsigned long long)(bytes / size_units[unit].factor),
		 size_units[unit].suffix);
	return out;
}
