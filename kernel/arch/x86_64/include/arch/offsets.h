/* Offsets and selectors that assembly uses; arch/types.h asserts the offsets. */
#pragma once

#define ARCH_CONTEXT_VECTOR 120
#define ARCH_CONTEXT_RIP 136
#define ARCH_CONTEXT_CS 144
#define ARCH_CONTEXT_RFLAGS 152
#define ARCH_CONTEXT_RSP 160
#define ARCH_CONTEXT_SS 168
#define ARCH_CONTEXT_FRAME_END 176
#define ARCH_CONTEXT_BY_SYSCALL 200

#define ARCH_TCB_VCPU 208
#define ARCH_TCB_GUEST 216

#define ARCH_VCPU_GPR 4096
#define ARCH_VCPU_VMCB 4224
#define ARCH_VCPU_UNCHECKED 4232
#define ARCH_VCPU_CR2 4240
#define ARCH_VCPU_DR6 4288
#define ARCH_VCPU_KERNEL_GS 4360
#define ARCH_VCPU_LAUNCHED 4408
#define ARCH_VCPU_FAILED 4416

#define ARCH_CPU_STACK 0
#define ARCH_CPU_CONTEXT 8
#define ARCH_CPU_USER_RSP 16
#define KERNEL_STACK_BYTES 16384

/* SYSRET takes CS from the entry 16 bytes above the one that STAR names. */
#define SEL_KERNEL_CODE 0x08
#define SEL_KERNEL_DATA 0x10
#define SEL_USER_CODE 0x2b
#define SEL_USER_DATA 0x33
#define SEL_USER_CODE_SYSRET 0x3b
#define SEL_TSS 0x40
