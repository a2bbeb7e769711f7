/* Text of debug builds, and of a panic in every build. */
#pragma once

#include <selvage/fmt.h>

void printk_always(const char *fmt, ...) FMT_PRINTF(1, 2);

#if SELVAGE_DEBUG
#define printk(...) printk_always(__VA_ARGS__)
#else
#define printk(...) ((void)0)
#endif
