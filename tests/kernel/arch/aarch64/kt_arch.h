/* What the tests have to know of AArch64. */
#pragma once

#include <abi/regs.h>
#include <stdint.h>

/* An instruction that is a fault, and its length. */
#define KT_FAULT() __asm__ volatile("brk #3")
#define KT_FAULT_BYTES 4u
/* The flags among a thread's registers, and some that users may set. */
#define KT_CTX_FLAGS ABI_CTX_SPSR
#define KT_FLAGS 0xf0000000u

volatile uint32_t *kt_uart(void); /* the console's registers */
