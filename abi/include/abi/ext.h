/*
 * Selvage's extensions of the seL4 ABI. They are opt-in per object: an object
 * nobody extended behaves as in seL4. A kernel that lacks them answers every
 * label of this range with ABI_ILLEGAL_OPERATION; a program asks with
 * ABI_EXT_QUERY on its own TCB capability first. See docs/kernel-interface.md.
 */
#pragma once

/* Invocation labels. */
#define ABI_EXT_BASE 0x10000u
#define ABI_EXTENSIONS(X)                                                            \
	/* TCB: - -> MR0 = bit set of enum abi_ext_feature */                        \
	X(QUERY, ABI_EXT_BASE + 0, TCB, 0, 0)                                        \
	/* TCB, extra cap: IRQ handler of PPI 30. The thread may use the EL1  \
	 * physical timer (CNTP_*) from EL0. */      \
	X(TCB_ENABLE_TIMER, ABI_EXT_BASE + 1, TCB, 0, 1)                             \
	/* VCPU: MR0 = mask of HCR_EL2 trap bits (ABI_EXT_TRAP_*) to set. */         \
	X(VCPU_SET_TRAPS, ABI_EXT_BASE + 2, VCPU, 1, 0)                              \
	/* VCPU: MR0 = 1 exit message on, 0 off. */                                  \
	X(VCPU_SET_EXIT_MESSAGE, ABI_EXT_BASE + 3, VCPU, 1, 0)                       \
	/* TCB: MR0 = 1: every SVC of the thread is an UnknownSyscall fault,  \
	 * whatever its number; 0: as usual. */      \
	X(TCB_SET_SYSCALL_FAULT, ABI_EXT_BASE + 16, TCB, 1, 0)                       \
	/* VCPU: MR0 = 32 or 64, the register width of EL1. A machine without \
	 * AArch32 at EL1 answers RangeError to 32. */      \
	X(VCPU_SET_WIDTH, ABI_EXT_BASE + 17, VCPU, 1, 0)                             \
	/* VCPU: MR0 = ABI_EXT_DEBUG_*: what of the guest's debug events comes \
	 * to its handler as an exit. */     \
	X(VCPU_SET_DEBUG, ABI_EXT_BASE + 18, VCPU, 1, 0)                             \
	/* SchedControl: with a writable frame (not device), the kernel writes its \
	 * entries and exits on this core into it (abi/trace.h); without, it stops. */ \
	X(SCHED_CONTROL_SET_TRACE, ABI_EXT_BASE + 19, SCHED_CONTROL, 0, 0)           \
	/* TCB: MR0 = the thread's name in trace events; 0 at first. */              \
	X(TCB_SET_TRACE_ID, ABI_EXT_BASE + 20, TCB, 1, 0)                            \
	/* VCPU: direct interrupts and doorbells, see below. */                      \
	X(VCPU_SET_DIRECT, ABI_EXT_BASE + 24, VCPU, 2, 0)                            \
	X(VCPU_BIND_IRQ, ABI_EXT_BASE + 25, VCPU, 1, 0)                              \
	X(VCPU_SET_DOORBELL, ABI_EXT_BASE + 26, VCPU, 4, 0)                          \
	/* IRQControl: from now on no native thread reaches the EL1 physical  \
	 * timer (but by TCB_ENABLE_TIMER) and the performance monitors at EL0; \
	 * guests neither. Until then all do, as with seL4's export options. */      \
	X(CLOSE_EL0, ABI_EXT_BASE + 28, IRQ_CONTROL, 0, 0)

enum abi_extension {
#define X(name, number, object, words, caps) ABI_EXT_##name = (int)(number),
	ABI_EXTENSIONS(X)
#undef X
};

enum abi_ext_feature {
	ABI_EXTF_TIMER = 1u << 0,         /* TCB_ENABLE_TIMER */
	ABI_EXTF_VCPU_STATE = 1u << 1,    /* fields of enum abi_ext_vcpu_field */
	ABI_EXTF_VCPU_TRAPS = 1u << 2,    /* VCPU_SET_TRAPS */
	ABI_EXTF_EXIT_MESSAGE = 1u << 3,  /* VCPU_SET_EXIT_MESSAGE */
	ABI_EXTF_SYSCALL_FAULT = 1u << 8, /* TCB_SET_SYSCALL_FAULT */
	ABI_EXTF_VCPU_WIDTH = 1u << 9,    /* VCPU_SET_WIDTH to 32 works here */
	ABI_EXTF_TRACE = 1u << 11,        /* SCHED_CONTROL_SET_TRACE, TCB_SET_TRACE_ID */
	ABI_EXTF_VCPU_DEBUG = 1u << 10,   /* VCPU_SET_DEBUG and its fields */
	ABI_EXTF_DIRECT_IRQ = 1u << 12,   /* VCPU_SET_DIRECT, VCPU_BIND_IRQ */
	ABI_EXTF_DOORBELL = 1u << 13,     /* VCPU_SET_DOORBELL */
	ABI_EXTF_CLOSE_EL0 = 1u << 14,    /* CLOSE_EL0 */
};

/* HCR_EL2 bits that VCPU_SET_TRAPS may set (Arm ARM D13.2.46). */
#define ABI_EXT_TRAP_TID3 (1ull << 18)  /* ID group 3: CPU feature registers */
#define ABI_EXT_TRAP_TIDCP (1ull << 20) /* implementation-defined registers */
#define ABI_EXT_TRAP_TACR (1ull << 21)  /* ACTLR_EL1 */
#define ABI_EXT_TRAP_MASK \
	(ABI_EXT_TRAP_TID3 | ABI_EXT_TRAP_TIDCP | ABI_EXT_TRAP_TACR)

/*
 * VCPU_SET_DEBUG. With EVENTS the guest's hardware breakpoints and watchpoints
 * are those of the fields ABI_EXTV_DBG*, and they, BRK and BKPT leave the
 * guest (ESR_EL2 EC 0x30, 0x34, 0x3c, 0x38; the exit message has the
 * guest-virtual address of a watchpoint). With STEP as well, it leaves behind
 * each instruction (EC 0x32).
 */
#define ABI_EXT_DEBUG_EVENTS 1ull
#define ABI_EXT_DEBUG_STEP 2ull

/*
 * Further fields of VCPU_ReadRegs and VCPU_WriteRegs: the virtual interrupt
 * controller as the hardware holds it, and the machine's ID registers.
 */
enum abi_ext_vcpu_field {
	/* List registers in GICv3 format whatever the hardware (GICv2 is
	 * converted): ICH_LR<n>_EL2, Arm IHI 0069 12.4.4. */
	ABI_EXTV_LR0 = 0x100,         /* to LR15 = 0x10f; read/write */
	ABI_EXTV_AP0R0 = 0x110,       /* ICH_AP0R<n>_EL2, n 0-3; read/write */
	ABI_EXTV_AP1R0 = 0x114,       /* ICH_AP1R<n>_EL2, n 0-3; read/write */
	ABI_EXTV_VMCR = 0x118,        /* ICH_VMCR_EL2 format; read/write */
	ABI_EXTV_ICH_HCR = 0x119,     /* ICH_HCR_EL2: only UIE, LRENPIE, NPIE,
				   * VGrp*IE are writable */
	ABI_EXTV_NUM_LRS = 0x11a,     /* read-only: number of list registers */
	ABI_EXTV_GIC_VERSION = 0x11b, /* read-only: 2 or 3 */
	/* AArch32 state (VCPU_SET_WIDTH): DACR, IFSR, SPSR_abt, SPSR_und,
	 * SPSR_irq, SPSR_fiq; read/write, also where AArch32 is not. */
	ABI_EXTV_DACR32 = 0x120,
	ABI_EXTV_IFSR32 = 0x121,
	ABI_EXTV_SPSR_ABT = 0x122,
	ABI_EXTV_SPSR_UND = 0x123,
	ABI_EXTV_SPSR_IRQ = 0x124,
	ABI_EXTV_SPSR_FIQ = 0x125,
	/* VPIDR_EL2, what the guest reads as MIDR; the machine's at first. */
	ABI_EXTV_VPIDR = 0x126,
	/* DBG{BVR,BCR,WVR,WCR}<n>_EL1 (Arm ARM D13.3), n up to what
	 * ID_AA64DFR0_EL1 says; read/write. Of a control register the fields
	 * E, PMC, BAS, and LSC and MASK of a watchpoint are kept. */
	ABI_EXTV_DBGBVR0 = 0x130,
	ABI_EXTV_DBGBCR0 = 0x140,
	ABI_EXTV_DBGWVR0 = 0x150,
	ABI_EXTV_DBGWCR0 = 0x160,
	/* Machine ID registers (op0 3, op1 0, CRn 0): read-only, field =
	 * ABI_EXTV_ID0 + (CRm << 3 | op2), CRm 0-7. */
	ABI_EXTV_ID0 = 0x180,
	ABI_EXTV_ID_LAST = 0x1bf,
	/* Direct interrupts: pending ones, a bit for each source, whether in a
	 * list register or waiting. A GIC's pair: ones written set, or clear;
	 * the timer's is its line. */
	ABI_EXTV_DIRECT_ISPEND = 0x200,
	ABI_EXTV_DIRECT_ICPEND = 0x201,
	/* + source: priority and group as in ICH_LR<n>_EL2; state pending: the
	 * guest has it enabled. */
	ABI_EXTV_DIRECT_CONF0 = 0x240,
};

/*
 * Direct interrupts: what these sources make pending needs no VMM. A source is
 * the number of the interrupt.
 *
 *   0-15   SGIs that a vCPU of the group sends (ICC_SGI1R_EL1, GICD_SGIR)
 *   27     the virtual timer, while enabled; else VPPIEvent as ever
 *   32-63  an SPI by a notification: each signal to that is an edge
 *
 * VCPU_SET_DIRECT: MR0 = number of list registers that the VMM gives up, the
 *   last ones, of which the very last is the timer's: 2 to all of them, or 0,
 *   which ends it all. MR1 = guest-physical address of GICD_SGIR (GICv2; only
 *   if the vCPU is its VM's only one: there are no pending SGIs by sender).
 *   Extra capabilities: a notification with Write, signalled when an enabled
 *   interrupt comes while the vCPU's thread waits for its handler (WFI);
 *   perhaps a direct VCPU, whose group this one joins. Bit n of an SGI's target
 *   list is the vCPU of the group whose VMPIDR_EL2 has n in Aff0.
 * VCPU_BIND_IRQ: MR0 = source, extra capability: a notification with Read
 *   that nobody waits for and no thread is bound to; none: unbind.
 *
 * A write to a list register that was given up may name a source only (the
 * last one: the timer), and never loses one that is pending there.
 */
#define ABI_DIRECT_NTFN0 32
#define ABI_DIRECT_SOURCES 64
#define ABI_DIRECT_GROUP 16 /* vCPUs */

/*
 * Doorbells. VCPU_SET_DOORBELL: MR0 = index, MR1 = guest-physical address,
 * MR2 = size of the access in bytes, 1, 2, 4, 8, or 0 for any, |
 * ABI_DOORBELL_MATCH if the value must be MR3; extra capability: a
 * notification with Write; none: no doorbell any more. A store of the guest
 * there, where no page is mapped, signals it, and the guest goes on behind the
 * store.
 */
#define ABI_DOORBELLS 8
#define ABI_DOORBELL_MATCH 16u

/*
 * Exit message, instead of the faults VM, VCPU and UnknownSyscall (HVC) of a
 * vCPU that has it switched on. All of it is in message registers, so that an
 * exit touches no IPC buffer. Label: bits 7:0 ABI_EXT_FAULT_EXIT, bits 39:8
 * ESR_EL2. Words:
 *
 *   HVC, SMC    MR0-MR3 = x0-x3
 *   all others  MR0 = the register that the access reads (store that has a
 *               syndrome, MSR), else 0; MR1 = guest-physical address
 *               (aborts); MR2 = guest-virtual address (aborts, watchpoints);
 *               MR3 = PC
 *
 * Reply: label ABI_EXIT_DONE (0): the instruction has been carried out. MR0
 * goes to the register that it writes (load that has a syndrome, MRS), as it
 * is: extended by the sender; or, HVC and SMC, MR0-MR3 go to x0-x3; as many as
 * the reply is long. Then the PC moves past the instruction. ABI_EXIT_AGAIN:
 * the vCPU goes on at its PC, whatever that is by then. Any other label leaves
 * it stopped.
 */
#define ABI_EXT_FAULT_EXIT 0x40u
#define ABI_EXIT_SYNDROME_SHIFT 8u
enum abi_exit_word {
	ABI_EXIT_VALUE,
	ABI_EXIT_GPA,
	ABI_EXIT_GVA,
	ABI_EXIT_PC,
	ABI_EXIT_WORDS
};
enum abi_exit_reply {
	ABI_EXIT_DONE = 0,
	ABI_EXIT_AGAIN = 1,
};
