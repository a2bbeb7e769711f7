/* x86-64 parts of lib/rt: thread pointer, counter, the crash instruction. */
#pragma once

#include <abi/regs.h>
#include <stddef.h>
#include <stdint.h>

/* A thread's first registers: four arguments. */
#define RT_ARCH_ARG0 ABI_CTX_RDI
#define RT_ARCH_ARG1 ABI_CTX_RSI
#define RT_ARCH_ARG2 ABI_CTX_RDX
#define RT_ARCH_ARG3 ABI_CTX_RCX

/* The TLS layout of the x86-64 ABI (variant 2): the segment ends where the
 * thread pointer points, at a word with its own address. */
#define RT_ARCH_TCB_BYTES 16u
static inline uintptr_t rt_arch_tls_place(void *block, size_t block_bytes, size_t bytes,
					  size_t align, char **data)
{
	uintptr_t pointer = ((uintptr_t)block + block_bytes - RT_ARCH_TCB_BYTES) & ~(align - 1);

	*data = (char *)(pointer - ((bytes + align - 1) & ~(align - 1)));
	*(uintptr_t *)pointer = pointer;
	return pointer;
}

static inline void rt_arch_set_thread_pointer(uintptr_t tp)
{
	__asm__ volatile("wrfsbase %0"
			 :
			 : "r"(tp)
			 : "memory");
}

/* The counter; the fence keeps the read from moving ahead of what comes before
 * it (SDM 2, RDTSC). */
static inline uint64_t clock_arch_now(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence\n\trdtsc"
			 : "=a"(low), "=d"(high)
			 :
			 : "memory");
	return (uint64_t)high << 32 | low;
}

/* The same without the barrier: a few instructions early or late. */
static inline uint64_t clock_arch_about(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc"
			 : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/* As the kernel has counted it: from the root task's boot information. */
uint64_t clock_arch_hz(void);

/* An undefined instruction: the fault goes to init with all registers; RDI is
 * the text, for whoever reads the dump. */
_Noreturn static inline void rt_arch_crash(const char *text)
{
	for (;;)
		__asm__ volatile("ud2"
				 :
				 : "D"(text)
				 : "memory");
}
