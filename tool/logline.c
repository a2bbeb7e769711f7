#include "logline.h"

#include <string.h>

#define DIGITS "0123456789"

bool logline_parse(struct logline *l, const char *line)
{
	const char *p = line, *end;
	size_t n;

	if (*p++ != '[')
		return false;
	l->time = p;
	p += strspn(p, " ");
	n = strspn(p, DIGITS);
	if (n == 0 || p[n] != '.')
		return false;
	p += n + 1;
	n = strspn(p, DIGITS);
	if (n != 6 || strncmp(p + n, "] ", 2) != 0)
		return false;
	l->process = p + n + 2;
	/* A VM's monitor is `vmm:NAME`. */
	end = strstr(l->process, ": ");
	if (end == NULL || end == l->process)
		return false;
	l->process_size = (size_t)(end - l->process);
	l->text = end + 2;
	return memchr(l->process, ' ', l->process_size) == NULL;
}

bool logline_is_from(const struct logline *l, const char *process)
{
	return strlen(process) == l->process_size &&
	       strncmp(l->process, process, l->process_size) == 0;
}
