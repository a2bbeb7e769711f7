/* Text of debug builds, and of a panic in every build. */
#pragma once

#include <stdarg.h>

/* %s %c %d %u %x %p, with l for 64 bits and a width, zero-padded by 0. */
void vprintk(const char *fmt, va_list args);
void printk_always(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#if SELVAGE_DEBUG
#define printk(...) printk_always(__VA_ARGS__)
#else
#define printk(...) ((void)0)
#endif
