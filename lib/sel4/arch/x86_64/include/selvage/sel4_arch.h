/*
 * The trap of x86-64: which register carries what (docs/kernel-interface.md).
 * RDX number, RDI capability / badge, RSI message info, R10, R8, R9, R15 message
 * words 0-3, R12 reply object or second capability, R13 destination of
 * NBSendRecv. SYSCALL destroys RCX and R11.
 */
#pragma once

#include <stdint.h>

struct sel4_trap {
	uint64_t cap;   /* in: RDI; out: badge */
	uint64_t info;  /* in and out: RSI */
	uint64_t *mr;   /* four words, in and out */
	uint64_t reply; /* or the second capability: R12 */
	uint64_t dest;  /* R13 */
};

/* seL4's kernel does not keep RSP: it is saved in RBX. */
#define SEL4_SYSCALL "movq %%rsp, %%rbx\n\tsyscall\n\tmovq %%rbx, %%rsp"

__attribute__((always_inline)) static inline void
sel4_arch_trap(int64_t number, struct sel4_trap *t)
{
	register uint64_t mr0 __asm__("r10") = t->mr[0];
	register uint64_t mr1 __asm__("r8") = t->mr[1];
	register uint64_t mr2 __asm__("r9") = t->mr[2];
	register uint64_t mr3 __asm__("r15") = t->mr[3];
	register uint64_t reply __asm__("r12") = t->reply;
	register uint64_t dest __asm__("r13") = t->dest;

	__asm__ volatile(SEL4_SYSCALL
			 : "+D"(t->cap), "+S"(t->info), "+r"(mr0), "+r"(mr1), "+r"(mr2), "+r"(mr3)
			 : "d"(number), "r"(reply), "r"(dest)
			 : "rbx", "rcx", "r11", "memory");
	t->mr[0] = mr0;
	t->mr[1] = mr1;
	t->mr[2] = mr2;
	t->mr[3] = mr3;
}

/* A trap that carries no message words (signal, yield, debug calls). */
__attribute__((always_inline)) static inline uint64_t
sel4_arch_trap_bare(int64_t number, uint64_t cap, uint64_t info)
{
	__asm__ volatile(SEL4_SYSCALL
			 : "+D"(cap), "+S"(info)
			 : "d"(number)
			 : "rbx", "rcx", "r8", "r9", "r10", "r11", "r15", "memory");
	return cap;
}
