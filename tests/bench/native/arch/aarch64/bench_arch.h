/* What the benchmarks have to know of AArch64. */
#pragma once

#include <stdint.h>

#define BENCH_PREFIX ""
#define BENCH_FAULT() __asm__ volatile("udf #0" :: \
					       : "memory")
#define BENCH_FAULT_BYTES 4u

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

/* Rows with a guest: vm.c. */
void measure_stage2_fault(void);
void measure_vm_create(void);
