/* Control and model-specific registers, ports (Intel SDM 2, 3 and 4). */
#pragma once

#include <kernel/types.h>

#define CR0_PE 1ull
#define CR0_TS (1ull << 3)
#define CR0_NW (1ull << 29)
#define CR0_CD (1ull << 30)
#define CR0_VALUE 0x80010033ull /* PG, WP, NE, ET, MP, PE */
#define CR4_PAE (1ull << 5)
#define CR4_PGE (1ull << 7)
#define CR4_OSFXSR (1ull << 9)
#define CR4_OSXMMEXCPT (1ull << 10)
#define CR4_FSGSBASE (1ull << 16)
#define CR4_PCIDE (1ull << 17)
#define CR4_OSXSAVE (1ull << 18)
#define CR4_SMEP (1ull << 20)
#define CR4_SMAP (1ull << 21)

#define MSR_APIC_BASE 0x1b
#define MSR_ARCH_CAPABILITIES 0x10a
#define MSR_PAT 0x277
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_FMASK 0xc0000084
#define MSR_SYSENTER_CS 0x174
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define EFER_SCE 1ull
#define EFER_LME (1ull << 8)
#define EFER_LMA (1ull << 10)
#define EFER_NXE (1ull << 11)
#define EFER_SVME (1ull << 12)
#define EFER_GUEST (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE | EFER_SVME)

#define RFLAGS_FIXED 0x202ull /* bit 1, and interrupts are on at user level */
/* What a user may set: not TF, IF, nor what is reserved. */
#define RFLAGS_USER 0xcd5ull
/* Off in the kernel: TF, IF, DF, IOPL, NT, AC. */
#define RFLAGS_KERNEL_MASK 0x47700ull

/* Instructions, each in a line. */
/* clang-format off */
static inline word_t msr_read(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (word_t)high << 32 | low;
}
static inline void msr_write(uint32_t msr, word_t v)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)) : "memory");
}
/* Control and debug registers. */
#define MOV_FROM(reg)                                                            \
	({                                                                       \
		word_t value_;                                                   \
		__asm__ volatile("mov %%" #reg ", %0" : "=r"(value_)::"memory"); \
		value_;                                                          \
	})
#define MOV_TO(reg, value) __asm__ volatile("mov %0, %%" #reg ::"r"((word_t)(value)) : "memory")
#define CR_READ(n) MOV_FROM(cr##n)
#define CR_WRITE(n, value) MOV_TO(cr##n, value)
struct cpuid {
	uint32_t a, b, c, d;
};
static inline struct cpuid cpuid(uint32_t leaf, uint32_t sub)
{
	struct cpuid r;

	__asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d)
			 : "a"(leaf), "c"(sub));
	return r;
}
#define PORT_ACCESS(bits, type, letter, reg)                                                       \
	static inline type in##bits(uint16_t port)                                                 \
	{                                                                                          \
		type v;                                                                            \
		__asm__ volatile("in" letter " %w1, %" reg "0" : "=a"(v) : "Nd"(port) : "memory"); \
		return v;                                                                          \
	}                                                                                          \
	static inline void out##bits(uint16_t port, type v)                                        \
	{                                                                                          \
		__asm__ volatile("out" letter " %" reg "0, %w1" ::"a"(v), "Nd"(port) : "memory");  \
	}
PORT_ACCESS(8, uint8_t, "b", "b")
PORT_ACCESS(16, uint16_t, "w", "w")
PORT_ACCESS(32, uint32_t, "l", "k")
#undef PORT_ACCESS
/* clang-format on */

static inline bool is_canonical(word_t v)
{
	return v + (1ull << 47) < 1ull << 48;
}
