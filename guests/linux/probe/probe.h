/* Small checks that run inside a Linux guest; one program, one file per area. */
#pragma once

#include <stdint.h>

/* Each takes its own arguments (argv[0] is its name) and returns the exit
 * code: 0 good, 1 bad, with one line on stdout that says what was seen. */
int probe_clock(int argc, char **argv);
int probe_sleep(int argc, char **argv);
int probe_load(int argc, char **argv);
int probe_ping(int argc, char **argv);
int probe_storm(int argc, char **argv);
int probe_oncpu(int argc, char **argv);
int probe_mem(int argc, char **argv);
int probe_gic(int argc, char **argv);
int probe_undef(int argc, char **argv);
int probe_disk(int argc, char **argv);
int probe_net(int argc, char **argv);
int probe_vsock(int argc, char **argv);
int probe_plant(int argc, char **argv);
int probe_into(int argc, char **argv);
int probe_scan(int argc, char **argv);
int probe_hold(int argc, char **argv);

/* An instruction that nothing else has, for the instruction counter. */
static inline void mark(void)
{
	__asm__ volatile("hint #93" ::
				 : "memory");
}
/* The virtual counter and its frequency, as the architecture gives them. */
uint64_t counter(void);
uint64_t counter_hz(void);
/* CLOCK_MONOTONIC_RAW, nanoseconds. */
uint64_t clock_ns(void);
/* Moves this process to one CPU; 0 if that worked. */
int pin_to(int cpu);
/* Argument `n` as a number, or `fallback` where there is none. */
uint64_t number_arg(int argc, char **argv, int n, uint64_t fallback);
