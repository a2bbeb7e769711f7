/*
 * A small formatter without allocation, for the kernel's and the services'
 * output. It knows: %c %s %p %d %i %u %x %X and %%, the flags `-`, `0` and
 * `#` (of hex), a width (digits or *), a precision for %s (digits or *), and the sizes hh h
 * (taken as int) l ll z j. A conversion it does not know is written out as
 * it stands. A NULL string prints "(null)".
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#define FMT_PRINTF(format_arg, first_arg) \
	__attribute__((format(printf, format_arg, first_arg)))

/* Calls put(ctx, c) for each character. Returns how many. */
size_t fmt_emitv(void (*put)(void *ctx, char c), void *ctx, const char *format,
		 va_list args) FMT_PRINTF(3, 0);
size_t fmt_emit(void (*put)(void *ctx, char c), void *ctx, const char *format,
		...) FMT_PRINTF(3, 4);

/*
 * Writes into out[size], always with a final NUL if size is not 0; what does
 * not fit is cut off. Returns the characters in `out` without the NUL (not
 * what would have been there, as snprintf does), so `used += ` is safe.
 */
size_t fmt_printv(char *out, size_t size, const char *format, va_list args)
	FMT_PRINTF(3, 0);
size_t fmt_print(char *out, size_t size, const char *format, ...)
	FMT_PRINTF(3, 4);
