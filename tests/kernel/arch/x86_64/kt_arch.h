/* What the tests have to know of x86-64. */
#pragma once

#include <abi/regs.h>

/* An instruction that is a fault, and its length. */
#define KT_FAULT() __asm__ volatile("ud2")
#define KT_FAULT_BYTES 2u
/* The flags among a thread's registers, and some that users may set. */
#define KT_CTX_FLAGS ABI_CTX_RFLAGS
#define KT_FLAGS 0x2d7u
