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
struct fpu_state {
	struct fpu_area area;
	bool valid; /* it is not as its user was made */
};

/* clang-format off */
enum guest_kind { GUEST_NONE, GUEST_THREAD, GUEST_CALL };
enum special { SPECIAL_CALLS = 1, SPECIAL_EXITS = 2, SPECIAL_VM_ENTER = 4 };
/* clang-format on */

struct arch_tcb {
	struct arch_context context; /* first: offset 0 */
	struct vcpu *vcpu;
	uint8_t guest;   /* enum guest_kind: not a user, but its VCPU's guest; in VMEnter */
	struct slot ept; /* TCB_SetEPTRoot */
	struct fpu_state fpu;
	bool fpu_disabled; /* mirrors ABI_TCB_FLAG_FPU_DISABLED */
	uint8_t special;   /* enum special: what is not as usual */
};

/* Per-core state, the first member of struct cpu. While the kernel runs GS
 * points at it; while a user does, IA32_KERNEL_GS_BASE. */
struct arch_cpu {
	word_t kernel_stack;          /* top; entry.S loads RSP from here */
	struct arch_context *context; /* of the thread that is to run */
	word_t user_rsp;              /* entry.S */
	struct tcb *bases_owner;      /* whose FS and GS bases are live, or NULL */
	struct fpu_state *fpu_owner;  /* whose FPU registers are live, or NULL */
	bool fpu_open;                /* CR0.TS is clear */
	paddr_t root;                 /* the live PML4 */
	struct vcpu *vcpu;            /* whose breakpoints are live, or NULL */
	struct vcpu *vmcs;            /* whose VMCS is current, or NULL */
	word_t ept_epoch;             /* of which the TLB's entries of guests are */
	bool special;                 /* one of the next two: */
	bool pcids;                   /* ASIDs, too, are in CR3 and in the TLB */
	bool fpu_leaks;               /* registers are to be cleared when their owner is left */
	unsigned taken;               /* vector of an interrupt that came while idle, or 0 */
};

/* clang-format off */
#define AT(member, name) offsetof(struct arch_context, member) == ARCH_CONTEXT_##name
_Static_assert(AT(vector, VECTOR) && AT(rip, RIP) && AT(cs, CS) && AT(rflags, RFLAGS) &&
	AT(rsp, RSP) && AT(ss, SS) && AT(ss, FRAME_END - 8) && AT(by_syscall, BY_SYSCALL), "");
#undef AT
_Static_assert(offsetof(struct arch_tcb, vcpu) == ARCH_TCB_VCPU &&
	offsetof(struct arch_tcb, guest) == ARCH_TCB_GUEST &&
	offsetof(struct arch_cpu, context) == ARCH_CPU_CONTEXT &&
	offsetof(struct arch_cpu, user_rsp) == ARCH_CPU_USER_RSP, "entry.S, guest.S");
/* clang-format on */
_Static_assert(ARCH_CONTEXT_FRAME_END % 16 == 0, "the hardware aligns RSP0");
