/* What the compiler and libfdt expect of a C library, but for memcpy and memset
 * (lib/base/freestanding). */
#include "loader.h"

#include <stddef.h>
#include <string.h>

/* Debian's libfdt is built with the stack protector. */
uintptr_t __stack_chk_guard = 0x5e17a6e5e17a6e00u;
_Noreturn void __stack_chk_fail(void);

void __stack_chk_fail(void)
{
	die("stack smashed", 0);
}

void *memmove(void *to, const void *from, size_t n)
{
	char *t = to;
	const char *f = from;

	if (t <= f) {
		for (size_t i = 0; i < n; i++)
			t[i] = f[i];
	} else {
		for (size_t i = n; i > 0; i--)
			t[i - 1] = f[i - 1];
	}
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a, *y = b;

	for (size_t i = 0; i < n; i++)
		if (x[i] != y[i])
			return x[i] - y[i];
	return 0;
}

void *memchr(const void *s, int c, size_t n)
{
	const unsigned char *p = s;

	for (size_t i = 0; i < n; i++)
		if (p[i] == (unsigned char)c)
			return (void *)(uintptr_t)(p + i);
	return NULL;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

char *strchr(const char *s, int c)
{
	return memchr(s, c, strlen(s) + 1);
}

char *strrchr(const char *s, int c)
{
	for (size_t n = strlen(s) + 1; n > 0; n--)
		if (s[n - 1] == (char)c)
			return (char *)(uintptr_t)(s + n - 1);
	return NULL;
}
