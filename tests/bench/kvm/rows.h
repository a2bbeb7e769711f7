/* What the programs below /dev/kvm measure, and how it is printed. */
#pragma once

#include <stdint.h>

#define ROW_SAMPLES_MAX 2000u
/* The first samples of a row, which do not count. */
#define WARM_UP 10u

/* In ticks of the counter, which under icount are instructions; the same count in a process and,
 * without an offset, in a guest. The architecture's program has it. */
uint64_t now(void);

/* A line on the host's serial line; waits until it is out, so that no interrupt of the
 * UART comes while the next row is measured. */
void put_line(const char *line);

/* A guest's byte: lines go out whole. */
void console_write(char c);

/* A row's rounds count from 0 to WARM_UP + samples - 1. */
void sample(unsigned round, uint64_t ticks);

/* Prints `bench ROW min median max` of the n (1 to ROW_SAMPLES_MAX) samples that were taken. */
void report(const char *row, unsigned n);

/* A byte to another process and back. */
void measure_pipe(const char *row);
