/* What the benchmarks have to know of x86-64. */
#pragma once

#include <stdint.h>

#define BENCH_PREFIX "x86_"
#define BENCH_FAULT() __asm__ volatile("ud2" :: \
					       : "memory")
#define BENCH_FAULT_BYTES 2u

static inline uint64_t now(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc"
			 : "=a"(low), "=d"(high)
			 :
			 : "memory");
	return (uint64_t)high << 32 | low;
}
