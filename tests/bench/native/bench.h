/*
 * What the rows of the native benchmarks share: output, samples, objects and
 * helper threads in a second address space, above the client's priority.
 */
#pragma once

#include <abi/object.h>
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
extern volatile uint32_t *uart;

static inline uint64_t now(void)
{
	uint64_t v;

	__asm__ volatile("mrs %0, cntpct_el0"
			 : "=r"(v)
			 :
			 : "memory");
	return v;
}

void put_string(const char *s);
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

/* Pool, UART, the other address space; before everything else. */
void set_up(void);
cap_t slots(unsigned n);
cap_t make(cap_t from, enum abi_object type, unsigned size_bits);
/* An untyped of RAM outside the pool. */
cap_t make_untyped(unsigned size_bits);
cap_t copy_of(cap_t cap);
/* Maps, with the page tables that are missing, from the pool. */
void map_into(cap_t vspace, cap_t frame, uint64_t vaddr, uint64_t attributes);
cap_t make_sched_context(void);
/* Starts a helper in the other address space; it runs until it waits. Passive:
 * then it loses its scheduling context. */
void start(unsigned index, void (*entry)(void *), bool passive);

/* Rows with a guest: vm.c. */
void measure_stage2_fault(void);
void measure_vm_create(void);
