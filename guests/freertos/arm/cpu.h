/* The generic timer's virtual view, and hypercalls, in AArch32. */
#pragma once

#include <stdint.h>

static inline uint64_t cpu_counter(void)
{
	uint64_t value;

	__asm__ volatile("isb\n\tmrrc p15, 1, %Q0, %R0, c14"
			 : "=r"(value)::"memory");
	return value;
}

static inline uint32_t cpu_counter_hz(void)
{
	uint32_t value;

	__asm__ volatile("mrc p15, 0, %0, c14, c0, 0"
			 : "=r"(value));
	return value;
}

/* The interrupt's condition: the counter has reached `due`. */
static inline void cpu_timer_set(uint64_t due)
{
	__asm__ volatile("mcrr p15, 3, %Q0, %R0, c14\n\t"
			 "mcr p15, 0, %1, c14, c3, 1\n\tisb" ::"r"(due),
			 "r"(1)
			 : "memory");
}

static inline uint32_t cpu_irq_off(void)
{
	uint32_t cpsr;

	__asm__ volatile("mrs %0, cpsr\n\tcpsid i"
			 : "=r"(cpsr)::"memory");
	return cpsr;
}

static inline void cpu_irq_restore(uint32_t cpsr)
{
	__asm__ volatile("msr cpsr_c, %0" ::"r"(cpsr)
			 : "memory");
}

static inline void cpu_hvc(uint32_t function)
{
	register uint32_t r0 __asm__("r0") = function;

	__asm__ volatile(".arch_extension virt\n\thvc #0"
			 : "+r"(r0)::"r1", "r2", "r3", "memory");
}
