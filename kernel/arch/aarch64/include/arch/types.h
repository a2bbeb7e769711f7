/*
 * What AArch64 keeps in a TCB and per core. entry.S depends on the offsets
 * asserted below.
 */
#pragma once

#include <arch/offsets.h>
#include <kernel/types.h>

/* Interrupt numbers of the GIC: 0-15 SGI, 16-31 PPI, up to 1019 SPI. */
#define ARCH_IRQ_COUNT 1020

struct vcpu;
struct tcb;

/*
 * Registers of a thread, saved at every kernel entry. SP_EL2 points at this
 * structure while the thread runs, so it must be 16-byte aligned.
 */
struct arch_context {
	word_t x[31];
	word_t sp;  /* SP_EL0 */
	word_t elr; /* next instruction */
	word_t spsr;
	word_t tpidr_el0;
	word_t tpidrro_el0; /* a guest may write it: saved when it is left */
	/* Instruction that trapped: SVC itself, or the same as elr. A restart
	 * continues here. */
	word_t fault_ip;
	word_t pad;
};

struct arch_fpu {
	word_t v[64];
	word_t fpcr, fpsr;
	word_t fpexc; /* of a 32-bit guest */
};

struct arch_tcb {
	struct arch_context context; /* first: offset 0 */
	struct arch_fpu fpu __attribute__((aligned(16)));
	struct vcpu *vcpu;  /* NULL: a native thread */
	uint32_t needs;     /* enum arch_facility */
	bool fpu_disabled;  /* mirrors ABI_TCB_FLAG_FPU_DISABLED */
	bool syscall_fault; /* extension TCB_SET_SYSCALL_FAULT */
	/* VTTBR_EL2 for the VSpace capability with this word 0, found when the
	 * core's asid_generation was this. */
	word_t vttbr, vspace, asid_generation;
};

/* What most threads do not need and a core seldom holds ready: as long as
 * neither does, a switch changes the address space and TPIDRRO_EL0 alone. */
enum arch_facility {
	ARCH_VCPU = 1,  /* a guest's eager registers: it has a VCPU */
	ARCH_TIMER = 2, /* CNTP_* at EL0: extension TCB_ENABLE_TIMER */
	ARCH_FPU = 4,   /* no FPU trap: the registers are its own */
};

/* Per-core state. TPIDR_EL2 points at it (the first member of struct cpu). */
struct arch_cpu {
	word_t kernel_stack;    /* top; entry.S loads SP from here */
	struct tcb *fpu_owner;  /* whose FPU registers are live, or NULL */
	struct vcpu *el1_owner; /* whose EL1 registers are live, or NULL */
	uint32_t holds;         /* enum arch_facility: what is ready now */
	bool vtimer_masked;     /* PPI 27 is masked at the GIC */
	word_t vttbr;           /* live value */
	word_t cntkctl;         /* CNTKCTL_EL1 of native threads */
	/* Counts what makes the VTTBR_EL2 of some thread out of date. */
	word_t asid_generation;
};

_Static_assert(offsetof(struct arch_context, sp) == ARCH_CONTEXT_SP, "entry.S");
_Static_assert(offsetof(struct arch_context, elr) == ARCH_CONTEXT_ELR, "entry.S");
_Static_assert(offsetof(struct arch_context, spsr) == ARCH_CONTEXT_SPSR, "entry.S");
_Static_assert(offsetof(struct arch_context, tpidr_el0) == ARCH_CONTEXT_TPIDR, "entry.S");
_Static_assert(offsetof(struct arch_context, fault_ip) == ARCH_CONTEXT_FAULT_IP, "entry.S");
_Static_assert(sizeof(struct arch_context) % 16 == 0, "SP alignment");

/* A guest's registers are loaded: those of el1_owner. */
static inline bool arch_guest_live(const struct arch_cpu *cpu) { return cpu->holds & ARCH_VCPU; }

static inline struct arch_cpu *arch_cpu(void)
{
	word_t p;

	__asm__ volatile("mrs %0, tpidr_el2"
			 : "=r"(p));
	return (struct arch_cpu *)p;
}
