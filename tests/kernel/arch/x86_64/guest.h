/* What the tests of guests share: their memory, and what runs in it. */
#pragma once

#include "pc_tests.h"

#define PAGES 8u
#define PAGE 4096u
#define WINDOW 0x100000000000ull /* where the tests see guest memory */
#define GUEST_CODE 0x1000u
#define GUEST_TABLES 0x4000u
#define GUEST_STACK 0x3ff0u
#define OUTSIDE 0x40001234u
#define WRITE_BACK 6u

extern const char guest_code[], guest_code_end[];
#define PIECES(X)     \
	X(hlt)        \
	X(ports)      \
	X(string)     \
	X(irq)        \
	X(held)       \
	X(spin)       \
	X(bell)       \
	X(handler)    \
	X(cpuid)      \
	X(msr)        \
	X(mmio)       \
	X(sse)        \
	X(xcr0)       \
	X(debugs)     \
	X(privileged) \
	X(cr4)        \
	X(cr0)        \
	X(reads)      \
	X(syscall)    \
	X(swapgs)     \
	X(ud)         \
	X(flat)
#define X(name) extern const char guest_##name[];
PIECES(X)
#undef X

static inline uint64_t guest_address(const char *piece)
{
	return GUEST_CODE + (uint64_t)(piece - guest_code);
}
bool guest_has_vmx(void);
cap_t guest_make_ept(void);
/* The pages from 0 on, with the pieces at GUEST_CODE. */
void guest_fill_memory(cap_t ept, unsigned index);
