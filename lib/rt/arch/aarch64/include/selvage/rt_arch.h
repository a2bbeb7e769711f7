/* AArch64 parts of lib/rt: thread pointer, counter, the crash instruction. */
#pragma once

#include <abi/regs.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A thread's first registers: four arguments. */
#define RT_ARCH_ARG0 ABI_CTX_X0
#define RT_ARCH_ARG1 ABI_CTX_X1
#define RT_ARCH_ARG2 ABI_CTX_X2
#define RT_ARCH_ARG3 ABI_CTX_X3

/* The TLS layout of the AArch64 ABI (variant 1): the thread pointer points
 * at two words, the TLS segment follows at the next multiple of its
 * alignment. */
#define RT_ARCH_TCB_BYTES 16u
/* Where in the block the segment's data is; returns the thread pointer. */
static inline uintptr_t rt_arch_tls_place(void *block, size_t block_bytes, size_t bytes,
					  size_t align, char **data)
{
	uintptr_t offset = (RT_ARCH_TCB_BYTES + align - 1) & ~(align - 1);

	(void)block_bytes;
	(void)bytes;
	*data = (char *)block + offset;
	memset(block, 0, offset);
	return (uintptr_t)block;
}

static inline void rt_arch_set_thread_pointer(uintptr_t tp)
{
	__asm__ volatile("msr tpidr_el0, %0"
			 :
			 : "r"(tp)
			 : "memory");
}

/*
 * The counter. CNTVCT_EL0 and CNTPCT_EL0 are the same at EL0: the kernel
 * keeps CNTVOFF_EL2 at 0 for native threads. The virtual one is read because
 * QEMU 7.2 lets EL0 read CNTPCT_EL0 only where CNTHCTL_EL2.EL1PCEN also opens
 * the timer. The barrier keeps the read from moving ahead of what comes
 * before it (Arm ARM D11.1.2).
 */
static inline uint64_t clock_arch_now(void)
{
	uint64_t ticks;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0"
			 : "=r"(ticks)
			 :
			 : "memory");
	return ticks;
}

/* The same without the barrier: a few instructions early or late. */
static inline uint64_t clock_arch_about(void)
{
	uint64_t ticks;

	__asm__ volatile("mrs %0, cntvct_el0"
			 : "=r"(ticks));
	return ticks;
}

static inline uint64_t clock_arch_hz(void)
{
	uint64_t hz;

	__asm__("mrs %0, cntfrq_el0"
		: "=r"(hz));
	return hz;
}

/* An undefined instruction: the fault goes to init with all registers; x0
 * is the text, for whoever reads the dump. */
_Noreturn static inline void rt_arch_crash(const char *text)
{
	register const char *x0 __asm__("x0") = text;

	for (;;)
		__asm__ volatile("udf #0xdead"
				 :
				 : "r"(x0)
				 : "memory");
}
