/* The generic timer's virtual view, and hypercalls, in AArch64. */
#pragma once

#include <stdint.h>

static inline uint64_t cpu_counter(void)
{
	uint64_t value;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0"
			 : "=r"(value)::"memory");
	return value;
}

static inline uint32_t cpu_counter_hz(void)
{
	uint64_t value;

	__asm__ volatile("mrs %0, cntfrq_el0"
			 : "=r"(value));
	return (uint32_t)value;
}

/* The interrupt's condition: the counter has reached `due`. */
static inline void cpu_timer_set(uint64_t due)
{
	__asm__ volatile("msr cntv_cval_el0, %0\n\tmsr cntv_ctl_el0, %1\n\tisb" ::"r"(due),
			 "r"(1ull)
			 : "memory");
}

static inline void cpu_hvc(uint32_t function)
{
	register uint64_t x0 __asm__("x0") = function;

	__asm__ volatile("hvc #0"
			 : "+r"(x0)::"x1", "x2", "x3", "memory");
}
