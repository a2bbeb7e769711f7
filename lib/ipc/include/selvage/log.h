/*
 * Logging of a process: log_info("vcpu %u: ...", i). Formats are those of
 * <selvage/fmt.h>; no newline at the end (each call is one record, a newline
 * inside it begins a continuation line). Any thread, any time; never waits.
 *
 * A process that init started is attached before main(). Init itself calls
 * log_attach().
 */
#pragma once

#include <selvage/fmt.h>
#include <selvage/logring.h>
#include <stdint.h>

/* ring: the process's log ring; notification: signalled after each record. */
void log_attach(void *ring, uint64_t notification, enum log_level level);
/* Records above this level are dropped at once. */
void log_set_level(enum log_level level);

void log_print(enum log_level level, const char *format, ...) FMT_PRINTF(2, 3);
void log_printv(enum log_level level, const char *format, va_list args)
	FMT_PRINTF(2, 0);

#define log_error(...) log_print(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_print(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_print(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_print(LOG_LEVEL_DEBUG, __VA_ARGS__)
