#include "answer.h"

#include <string.h>

static void add(char *to, size_t size, size_t *n, char c)
{
	if (*n + 1 < size)
		to[(*n)++] = c >= ' ' && c <= '~' ? c : '?';
}

/* Behind the opening quote; NULL: it does not end. */
static const char *take_text(const char *at, char *to, size_t size)
{
	size_t n = 0;

	for (; *at != '"'; at++) {
		if (*at == '\\' && at[1] != '\0')
			at++;
		if (*at == '\0')
			return NULL;
		add(to, size, &n, *at);
	}
	to[n] = '\0';
	return at + 1;
}

static const char *take_word(const char *at, char *to, size_t size)
{
	size_t n = 0;

	for (; *at != ',' && *at != '}'; at++) {
		if (*at == '\0')
			return NULL;
		add(to, size, &n, *at);
	}
	to[n] = '\0';
	return at;
}

bool answer_next(const char **at, char *key, size_t key_size, char *value, size_t value_size)
{
	const char *p = *at;

	if ((*p != '{' && *p != ',') || p[1] != '"')
		return false;
	p = take_text(p + 2, key, key_size);
	if (p == NULL || *p++ != ':')
		return false;
	p = *p == '"' ? take_text(p + 1, value, value_size) : take_word(p, value, value_size);
	if (p == NULL)
		return false;
	*at = p;
	return true;
}

bool answer_get(const char *line, const char *key, char *value, size_t size)
{
	char name[32];

	while (answer_next(&line, name, sizeof(name), value, size)) {
		if (strcmp(name, key) == 0)
			return true;
	}
	return false;
}
