/*
 * What x86-64 keeps in a TCB and per core. entry.S depends on the offsets
 * asserted below.
 */
#pragma once

#include <arch/offsets.h>
#include <kernel/slot.h>
#include <kernel/types.h>

/* Interrupts that users may have: CPU vectors from IRQ_VECTOR on. */
#define ARCH_IRQ_COUNT 108

struct tcb;
struct vcpu;

/*
 * Registers of a thread, saved at every kernel entry. The hardware pushes the
 * words from ss down to vector (or entry.S does): TSS.RSP0 points behind ss.
 */
struct arch_context {
	word_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
	word_t vector, error;
	word_t rip; /* next instruction */
	word_t cs, rflags, rsp, ss;
	word_t fs_base, gs_base; /* while another thread's are in the registers */
	/* Instruction that trapped: SYSCALL itself, or the same as rip. A restart
	 * continues here. */
	word_t fault_ip;
	/* The thread is in a system call, which destroys RCX and R11: SYSRET
	 * restores all it can expect. Registers written since: 0. */
	word_t by_syscall;
};

/* XSAVE's area for x87 and SSE: XCR0 = 3 (SDM 1, 13.4). */
struct __attribute__((aligned(64))) fpu_area {
	uint8_t x87[24];
	uint32_t mxcsr, mxcsr_mask;
	uint8_t rest[544];
};
_Static_assert(sizeof(struct fpu_area) == 576, "SDM");

struct arch_tcb {
	struct arch_context context; /* first: offset 0 */
	struct vcpu *vcpu;
	bool guest;      /* it is the guest of its VCPU, not a user */
	struct slot ept; /* TCB_SetEPTRoot */
	struct fpu_area fpu;
	bool fpu_valid;     /* fpu is not as the thread was made */
	bool fpu_disabled;  /* mirrors ABI_TCB_FLAG_FPU_DISABLED */
	bool syscall_fault; /* extension TCB_SET_SYSCALL_FAULT */
};

/* Per-core state, the first member of struct cpu. While the kernel runs GS
 * points at it; while a user does, IA32_KERNEL_GS_BASE. */
struct arch_cpu {
	word_t kernel_stack;          /* top; entry.S loads RSP from here */
	struct arch_context *context; /* of the thread that is to run */
	word_t user_rsp;              /* entry.S */
	struct tcb *bases_owner;      /* whose FS and GS bases are live, or NULL */
	struct tcb *fpu_owner;        /* whose FPU registers are live, or NULL */
	bool fpu_open;                /* CR0.TS is clear */
	paddr_t root;                 /* the live PML4 */
	struct vcpu *vcpu;            /* whose breakpoints are live, or NULL */
	bool special;                 /* one of the next two: */
	bool pcids;                   /* ASIDs, too, are in CR3 and in the TLB */
	bool fpu_leaks;               /* registers are to be cleared when their owner is left */
	unsigned taken;               /* vector of an interrupt that came while idle, or 0 */
};

_Static_assert(offsetof(struct arch_context, vector) == ARCH_CONTEXT_VECTOR, "entry.S");
_Static_assert(offsetof(struct arch_context, rip) == ARCH_CONTEXT_RIP, "entry.S");
_Static_assert(offsetof(struct arch_context, cs) == ARCH_CONTEXT_CS, "entry.S");
_Static_assert(offsetof(struct arch_context, rflags) == ARCH_CONTEXT_RFLAGS, "entry.S");
_Static_assert(offsetof(struct arch_context, rsp) == ARCH_CONTEXT_RSP, "entry.S");
_Static_assert(offsetof(struct arch_context, ss) == ARCH_CONTEXT_SS, "entry.S");
_Static_assert(offsetof(struct arch_context, ss) + 8 == ARCH_CONTEXT_FRAME_END, "entry.S");
_Static_assert(offsetof(struct arch_context, by_syscall) == ARCH_CONTEXT_BY_SYSCALL, "entry.S");
_Static_assert(offsetof(struct arch_tcb, vcpu) == ARCH_TCB_VCPU, "svm.S");
_Static_assert(offsetof(struct arch_tcb, guest) == ARCH_TCB_GUEST, "entry.S");
_Static_assert(ARCH_CONTEXT_FRAME_END % 16 == 0, "the hardware aligns RSP0");
_Static_assert(offsetof(struct arch_cpu, context) == ARCH_CPU_CONTEXT, "entry.S");
_Static_assert(offsetof(struct arch_cpu, user_rsp) == ARCH_CPU_USER_RSP, "entry.S");
