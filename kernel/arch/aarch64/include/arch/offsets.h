/* Offsets that entry.S uses; arch/types.h asserts them. */
#pragma once

#define ARCH_CONTEXT_SP 248
#define ARCH_CONTEXT_ELR 256
#define ARCH_CONTEXT_SPSR 264
#define ARCH_CONTEXT_TPIDR 272
#define ARCH_CONTEXT_FAULT_IP 288
#define ARCH_CPU_STACK 0
#define KERNEL_STACK_BYTES 16384
