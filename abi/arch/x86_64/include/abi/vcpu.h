/*
 * Guests on x86-64, whatever the processor's extension for them: state and
 * exits of a VCPU with the exit message on (abi/ext.h). Its thread is the
 * guest, as on AArch64; docs/kernel-interface.md. Under VT-x it is lib/vcpu that
 * speaks so.
 */
#pragma once

#include <abi/ext.h>

/* The system call by which a thread runs its VCPU's guest, of VT-x. */
#define ABI_SYS_VM_ENTER (-32)

/*
 * State: X(name), at most 64, so that a set of them is one word. General
 * registers are in the order of instruction encodings. A segment or
 * descriptor table is two: the base, and SEG: selector (15:0), attributes
 * (27:16: type, S, DPL, P, AVL, L, D/B, G, without a gap), limit in bytes
 * (63:32; tables have nothing else).
 */
/* clang-format off */
#define ABI_VCPU_REGS(X)                                                       \
	X(RAX) X(RCX) X(RDX) X(RBX) X(RSP) X(RBP) X(RSI) X(RDI)                \
	X(R8) X(R9) X(R10) X(R11) X(R12) X(R13) X(R14) X(R15)                  \
	X(RIP) X(RFLAGS) X(CR0) X(CR3) X(CR4) X(EFER) X(CS)                    \
	X(ES) X(SS) X(DS) X(FS) X(GS) X(LDTR) X(TR) X(GDTR) X(IDTR)            \
	X(CS_BASE) X(ES_BASE) X(SS_BASE) X(DS_BASE) X(FS_BASE) X(GS_BASE)      \
	X(LDTR_BASE) X(TR_BASE) X(GDTR_BASE) X(IDTR_BASE)                      \
	X(CR2) X(CR8) X(DR0) X(DR1) X(DR2) X(DR3) X(DR6) X(DR7)                \
	X(SYSENTER_CS) X(SYSENTER_ESP) X(SYSENTER_EIP)                         \
	X(STAR) X(LSTAR) X(CSTAR) X(SFMASK) X(KERNEL_GS_BASE) X(PAT)           \
	X(SHADOW) X(EVENT) X(IRQ) X(TSC_OFFSET)
/* clang-format on */

enum abi_vcpu_reg {
#define X(name) ABI_VCPU_##name,
	ABI_VCPU_REGS(X)
#undef X
		ABI_VCPU_REG_COUNT
};
_Static_assert(ABI_VCPU_REG_COUNT <= 63, "63 is no register");

/* SHADOW: STI or MOV SS comes first: no interrupt before the next instruction. */
#define ABI_VCPU_SHADOW_ON 1ull
/*
 * EVENT is delivered before the next instruction. Vector (7:0), kind (10:8),
 * with an error code (11), valid (31), error code (63:32). After an exit that
 * broke off a delivery it is that one again.
 */
#define ABI_VCPU_EVENT_VALID (1ull << 31)
#define ABI_VCPU_EVENT_HAS_CODE (1ull << 11)
#define ABI_VCPU_EVENT_KIND_SHIFT 8
enum abi_vcpu_event_kind {
	ABI_VCPU_EVENT_IRQ = 0,
	ABI_VCPU_EVENT_NMI = 2,
	ABI_VCPU_EVENT_EXCEPTION = 3,
	ABI_VCPU_EVENT_SOFT = 4, /* INT n, of which RIP is behind it */
};
/*
 * IRQ: as soon as the guest takes interrupts it gets this vector (7:0), if
 * PENDING, and PENDING is clear then; or, with WINDOW, there is an exit of
 * reason ABI_EXIT_WINDOW instead. Written with NOW it is IllegalOperation, and
 * nothing changes, unless the guest takes interrupts, with none and no EVENT
 * on its way, and is not in an exit.
 */
#define ABI_VCPU_IRQ_PENDING (1ull << 8)
#define ABI_VCPU_IRQ_WINDOW (1ull << 9)
#define ABI_VCPU_IRQ_NOW (1ull << 10)

/*
 * X86_VCPU_ReadVMCS: MR0 = ABI_VCPU_SET, MR1 = set of registers (bit = enum
 * abi_vcpu_reg); their values in MR0 and on, lowest number first.
 * X86_VCPU_WriteVMCS: the same and, from MR2 on, the values. A set with what
 * is no register: InvalidArgument 1; values missing: TruncatedMessage.
 */
#define ABI_VCPU_SET 0x10000u
/* Fields of their own. Exceptions that are exits (bit = vector). */
#define ABI_VCPU_EXCEPTIONS 0x10001u
/* Accesses that are exits: reads of CR0-15 (15:0), writes (31:16); the same of
 * DR0-15. */
#define ABI_VCPU_CR_ACCESSES 0x10002u
#define ABI_VCPU_DR_ACCESSES 0x10003u
/*
 * VT-x. ABI_VCPU_SET has registers that no VMCS field has: the general ones but
 * RSP, CR2, CR8, DR0 to DR3, DR6, STAR to KERNEL_GS_BASE, TSC_OFFSET; written, IRQ, as
 * with NOW; with any other: InvalidArgument 1. CR8 and CSTAR are words for the monitor's use.
 * Lists of fields, as ReadVMCS and WriteVMCS have them one by one: read, MR1 and
 * on = fields, and their values in MR0 and on; write, fields and values in turn.
 * What cannot be ends the list: IllegalOperation. lib/vcpu makes of both what
 * the rest of this file says.
 */
#define ABI_VCPU_FIELDS 0x10004u
/*
 * Either: x87 and SSE. MR1 = part; its two words in MR0 and MR1, or from MR2 on. Part n is bytes
 * 16 n and on of FXSAVE's area in 64-bit mode (SDM 1, 10.5.1). There is no such part, or MXCSR's
 * is to be written: InvalidArgument 1.
 */
#define ABI_VCPU_FPU 0x10005u
#define ABI_VCPU_FPU_CONTROL 0u /* FCW, FSW, tags, opcode, instruction */
#define ABI_VCPU_FPU_MXCSR 1u   /* operand, MXCSR and its mask */
#define ABI_VCPU_FPU_ST 2u      /* to 9: ST(0) to ST(7) */
#define ABI_VCPU_FPU_XMM 10u    /* to 25 */
#define ABI_VCPU_FPU_PARTS 26u

/*
 * The exit message's label: bits 7:0 ABI_EXT_FAULT_EXIT, 13:8 the reason, 17:14
 * the instruction's length if known, else 0, 19:18 flags, 50:20 details, 51 a flag.
 */
#define ABI_EXIT_REASON_SHIFT 8
#define ABI_EXIT_REASON_MASK 63u
#define ABI_EXIT_BYTES_SHIFT 14
#define ABI_EXIT_BYTES_MASK 15u
#define ABI_EXIT_IRQ_PENDING (1ull << 18) /* as IRQ says */
#define ABI_EXIT_OPEN (1ull << 19)        /* IF is set, SHADOW not */
#define ABI_EXIT_DETAIL_SHIFT 20
#define ABI_EXIT_DETAIL_MASK 0x7fffffffu
#define ABI_EXIT_STEPPED (1ull << 51) /* RFLAGS.TF is set */

/*
 * Words: of most MR0-MR3 = RAX, RCX, RDX, RBX. ABI_EXIT_DONE's reply has as
 * many of them as it is long, and RIP moves past the instruction.
 *
 * Those marked "access" have MR0 = guest-physical address (PAGE), else the
 * processor's first word of detail; MR1 = its second one; MR2 = guest-virtual
 * address where known, else 0; MR3 = RIP; and in the handler's IPC buffer
 * words 4 and on the first ABI_EXIT_STATE registers (enum abi_vcpu_reg).
 * ABI_EXIT_DONE's reply: MR0 = new RIP, then perhaps MR1 = number of a general
 * register and MR2 = its value, then perhaps MR3 = RFLAGS.
 */
enum abi_exit_reason {
	ABI_EXIT_OTHER, /* detail: the processor's own code, its low 31 bits */
	ABI_EXIT_PORT,  /* detail: ABI_EXIT_PORT_* */
	ABI_EXIT_CPUID,
	ABI_EXIT_MSR_READ,
	ABI_EXIT_MSR_WRITE,
	ABI_EXIT_HLT,
	ABI_EXIT_HYPERCALL, /* VMMCALL, VMCALL */
	ABI_EXIT_WINDOW,
	ABI_EXIT_SHUTDOWN, /* triple fault */
	ABI_EXIT_INVALID,  /* the processor refuses the guest's state */
	ABI_EXIT_XSETBV,
	ABI_EXIT_RDPMC,
	ABI_EXIT_INVD, /* and WBINVD */
	ABI_EXIT_MONITOR,
	ABI_EXIT_MWAIT,
	ABI_EXIT_NESTED,      /* the instructions of SVM or VT-x itself */
	ABI_EXIT_EXCEPTION,   /* detail: vector; MR0: error code, MR1: address; access */
	ABI_EXIT_PAGE,        /* detail: ABI_EXIT_PAGE_*; access */
	ABI_EXIT_STRING_PORT, /* detail as PORT; access */
	ABI_EXIT_CR,          /* detail: number, ABI_EXIT_CR_*; access */
	ABI_EXIT_DR,
	ABI_EXIT_TASK, /* task switch; detail: selector; access */
	ABI_EXIT_REASONS,
	/* VT-x: the words are VMEnter's, of CPUID, HLT, VMCALL, RDMSR and WRMSR without words
	 * 6, 9 and those from 14 on; the answer as of most. EPT violations: behind them
	 * the values of ABI_VCPU_PAGE_FIELDS, and the answer as of "access". */
	ABI_EXIT_VMX = 63,
};
/* RSP; CR0, its mask and shadow; the same of CR4; EFER; CS: limit, rights, selector; the event
 * that was being delivered, its error code; the linear address. */
#define ABI_VCPU_PAGE_FIELDS                                                                   \
	0x681c, 0x6800, 0x6000, 0x6004, 0x6804, 0x6002, 0x6006, 0x2806, 0x4802, 0x4816, 0x802, \
		0x4408, 0x440a, 0x640a
#define ABI_VCPU_N_PAGE 14u
#define ABI_EXIT_FIRST_ACCESS ABI_EXIT_EXCEPTION
#define ABI_EXIT_STATE (ABI_VCPU_CS + 1)
#define ABI_EXIT_STATE_WORD 4
/* PORT: port (15:0), bytes (18:16), and these. */
#define ABI_EXIT_PORT_BYTES_SHIFT 16
#define ABI_EXIT_PORT_IN (1u << 19)
#define ABI_EXIT_PORT_REP (1u << 20)
#define ABI_EXIT_PORT_ADDRESS_SHIFT 21 /* bytes of the address, 2, 4, 8 */
#define ABI_EXIT_PORT_SEGMENT_SHIFT 25 /* ES CS SS DS FS GS; 7: not known */
/* PAGE. */
#define ABI_EXIT_PAGE_PRESENT 1u /* mapped, but not so */
#define ABI_EXIT_PAGE_WRITE 2u
#define ABI_EXIT_PAGE_FETCH 16u
#define ABI_EXIT_PAGE_TABLES 32u /* of the guest's own page tables */
/* CR, DR: number (3:0), and these. */
#define ABI_EXIT_CR_WRITE (1u << 4)
#define ABI_EXIT_CR_KNOWN (1u << 5) /* the general register is at 11:8 */
#define ABI_EXIT_CR_REG_SHIFT 8

/* VCPU_SET_DOORBELL, MR2: the address is an I/O port (the only kind there is:
 * a store would have to be decoded). */
#define ABI_DOORBELL_PORT 32u
