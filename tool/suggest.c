#include "suggest.h"

#include <string.h>

#define WORD_MAX 32

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Levenshtein's distance with one row; words of up to WORD_MAX letters. */
static size_t distance(const char *a, const char *b)
{
	size_t row[WORD_MAX + 1];
	size_t n = strlen(b);

	if (strlen(a) > WORD_MAX || n > WORD_MAX)
		return WORD_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < n; j++) {
			size_t above = row[j + 1];

			row[j + 1] = min3(above + 1, row[j] + 1,
					  diagonal + (a[i] != b[j]));
			diagonal = above;
		}
	}
	return row[n];
}

const char *suggest_near(const char *word, const void *names, size_t n,
			 size_t stride)
{
	size_t best = (strlen(word) + 2) / 3;
	const char *near = NULL;

	for (size_t i = 0; i < n; i++) {
		const char *name;
		size_t d;

		memcpy(&name, (const char *)names + i * stride, sizeof(name));
		d = distance(word, name);
		if (d <= best && (!near || d < best)) {
			best = d;
			near = name;
		}
	}
	return near;
}
