/* The parts of the kernel that every board's self-test tries, and their verdicts. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define STACK 512u /* of a task, in words */

/* Prints `freertos: WHAT ok` or `FAILED`. */
void verdict(const char *what, bool ok);
/* For a line of another form. */
void failed_unless(bool ok);
/* A verdict so far was bad. */
bool any_failed(void);

/* A task that gets `parameter`; there is memory for it, or the application ends. */
void create(void (*task)(void *), const char *name, unsigned parameter, unsigned priority);

/* 2,000 numbers from a task to a more urgent one by a queue: waits until they are there.
 * False: not those numbers, or in another order. */
bool test_queue(unsigned sender, unsigned receiver);

/* From now on: a software timer each so many ticks, and tasks that compute in floating point. */
void start_timer(unsigned period);
uint32_t timer_count(void);
void start_fpu(unsigned priority);
void test_fpu(void);
