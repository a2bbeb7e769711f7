/*
 * The user's terminal in raw mode. However the program ends (exit, signal,
 * crash) the terminal gets its settings back.
 */
#pragma once

#include <stdbool.h>

/* Raw mode; false if standard input or output is no terminal. */
bool terminal_open(void);
void terminal_close(void); /* harmless when it is not open */
void terminal_size(unsigned *rows, unsigned *columns);
/* Whether we may use attributes (NO_COLOR is not set). */
bool terminal_attributes(void);
/* Writes all of it to standard output, waiting where that is slow. False:
 * nobody reads it any more. */
bool terminal_write(const void *data, unsigned long size);
