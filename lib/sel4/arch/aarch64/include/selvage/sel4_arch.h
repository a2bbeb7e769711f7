/*
 * The trap of AArch64: which register carries what (docs/kernel-interface.md).
 * x0 capability / badge, x1 message info, x2-x5 message words 0-3, x6 reply
 * object or second capability, x7 number, x8 destination of NBSendRecv.
 */
#pragma once

#include <stdint.h>

struct sel4_trap {
	uint64_t cap;   /* in: x0; out: badge */
	uint64_t info;  /* in and out: x1 */
	uint64_t *mr;   /* four words, in and out: x2-x5 */
	uint64_t reply; /* or the second capability: x6 */
	uint64_t dest;  /* x8 */
};

__attribute__((always_inline)) static inline void
sel4_arch_trap(int64_t number, struct sel4_trap *t)
{
	register uint64_t x0 __asm__("x0") = t->cap;
	register uint64_t x1 __asm__("x1") = t->info;
	register uint64_t x2 __asm__("x2") = t->mr[0];
	register uint64_t x3 __asm__("x3") = t->mr[1];
	register uint64_t x4 __asm__("x4") = t->mr[2];
	register uint64_t x5 __asm__("x5") = t->mr[3];
	register uint64_t x6 __asm__("x6") = t->reply;
	register int64_t x7 __asm__("x7") = number;
	register uint64_t x8 __asm__("x8") = t->dest;

	__asm__ volatile("svc #0"
			 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4),
			   "+r"(x5)
			 : "r"(x6), "r"(x7), "r"(x8)
			 : "memory");
	t->cap = x0;
	t->info = x1;
	t->mr[0] = x2;
	t->mr[1] = x3;
	t->mr[2] = x4;
	t->mr[3] = x5;
}

/* A trap that carries no message words (signal, yield, debug calls). */
__attribute__((always_inline)) static inline uint64_t
sel4_arch_trap_bare(int64_t number, uint64_t cap, uint64_t info)
{
	register uint64_t x0 __asm__("x0") = cap;
	register uint64_t x1 __asm__("x1") = info;
	register int64_t x7 __asm__("x7") = number;

	__asm__ volatile("svc #0"
			 : "+r"(x0), "+r"(x1)
			 : "r"(x7)
			 : "x2", "x3", "x4", "x5", "memory");
	return x0;
}
