/* Printing, and the functions of the C library that the kernel uses. */
#include <FreeRTOS.h>
#include <semphr.h>
#include <stdarg.h>
#include <string.h>

#include "app.h"

void app_say(const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			uart_put('\r');
		uart_put(*text);
	}
}

#define LINE_BYTES 160u
struct line {
	unsigned n;
	char text[LINE_BYTES];
};

static void put(struct line *l, char c)
{
	if (l->n + 1 < LINE_BYTES)
		l->text[l->n++] = c;
}

static void number(struct line *l, uint32_t value, unsigned base)
{
	char digits[10];
	unsigned n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (n)
		put(l, digits[--n]);
}

static void format_one(struct line *l, char kind, va_list *args)
{
	int32_t value;

	switch (kind) {
	case 's':
		for (const char *s = va_arg(*args, const char *); *s; s++)
			put(l, *s);
		break;
	case 'u':
	case 'x':
		number(l, va_arg(*args, uint32_t), kind == 'u' ? 10 : 16);
		break;
	case 'd':
		value = va_arg(*args, int32_t);
		if (value < 0)
			put(l, '-');
		number(l, value < 0 ? 0u - (uint32_t)value : (uint32_t)value, 10);
		break;
	default:
		put(l, kind);
	}
}

void app_print(const char *format, ...)
{
	struct line l = { .n = 0 };
	va_list args;

	va_start(args, format);
	for (; *format; format++) {
		if (*format == '%')
			format_one(&l, *++format, &args);
		else
			put(&l, *format);
	}
	va_end(args);
	l.text[l.n] = 0;
	vTaskSuspendAll();
	app_say(l.text);
	(void)xTaskResumeAll();
}

void *memset(void *to, int value, size_t n)
{
	for (unsigned char *p = to; n; n--)
		*p++ = (unsigned char)value;
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	unsigned char *p = to;

	for (const unsigned char *q = from; n; n--)
		*p++ = *q++;
	return to;
}

size_t strlen(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		;
	return (unsigned char)*a - (unsigned char)*b;
}

/* What the compiler's division calls for a divisor of 0. */
int raise(int signal);
int raise(int signal)
{
	app_assert("divisor", signal, "division by zero");
	return 0;
}
