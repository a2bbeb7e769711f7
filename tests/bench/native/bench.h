/*
 * What the rows of the native benchmarks share: output, samples, objects and
 * helper threads in a second address space, above the client's priority.
 */
#pragma once

#include <abi/object.h>
#include <bench_arch.h>
#include <selvage/sel4.h>
#include <stdbool.h>
#include <stdint.h>

#define PAGE 4096u
#define HELPERS 6u
#define ROUNDS 2000u
#define OBJECT_ROUNDS 200u
#define WARM_UP 20u
#define DEPTH 64
#define PRIO_CLIENT 100u
#define PRIO_HELPER 150u
#define POOL_BITS 23u
/* Longer than any row: no budget ends while something is timed. */
#define BUDGET_US 10000000u

extern cap_t pool, other_vspace;
extern uint64_t samples[ROUNDS];

/* --- the architecture: arch/ --- */
/* bench_arch.h: now(); BENCH_FAULT(), an instruction that is a fault, and its length;
 * BENCH_PREFIX of its rows. */
/* Then put_string works, in the other address space too. */
void console_open(void);
void put_string(const char *s);
/* Maps, with the page tables that are missing, from the pool. */
void map_into(cap_t vspace, cap_t frame, uint64_t vaddr, uint64_t attributes);
/* Rows that only it has. */
void measure_arch(void);

void must(int error, const char *what);
#define MUST(call) must(call, #call)
/* Sorts the first `n` samples and prints the row. */
void report(const char *row, unsigned n);
/* Keeps it, unless this is still the warm-up. */
static inline void take_sample(unsigned round, uint64_t ticks)
{
	samples[round < WARM_UP ? 0 : round - WARM_UP] = ticks;
}

/* Runs `body` with t0 and t1 for it to set, keeps the differences. */
#define MEASURE(row, n, body)                                     \
	do {                                                      \
		for (unsigned i_ = 0; i_ < (n) + WARM_UP; i_++) { \
			uint64_t t0, t1;                          \
			body;                                     \
			take_sample(i_, t1 - t0);                 \
		}                                                 \
		report(row, n);                                   \
	} while (0)

/* Pool, console, the other address space; before everything else. */
void set_up(void);
cap_t slots(unsigned n);
cap_t make(cap_t from, enum abi_object type, unsigned size_bits);
/* An untyped of RAM outside the pool. */
cap_t make_untyped(unsigned size_bits);
cap_t copy_of(cap_t cap);
cap_t make_sched_context(void);
/* Starts a helper in the other address space; it runs until it waits. Passive:
 * then it loses its scheduling context. */
void start(unsigned index, void (*entry)(void *), bool passive);
