/*
 * Extension: exits of a thread that has no VCPU, for guests that run at user level.
 *
 * TCB_SET_SYSCALL_FAULT with MR0 = ABI_THREAD_EXITS: whatever the thread does that is no plain
 * execution, every system call included, is one message to its fault handler with all that its
 * monitor needs. Label: ABI_EXT_FAULT_THREAD. Timeout faults stay what they are.
 *
 *   MR0   vector: of an exception; n of INT n; ABI_THREAD_SYSCALL
 *   MR1   exception: error code, if it has one
 *   MR2   page fault: address (CR2); SYSCALL: number (RDX)
 *   MR3   RIP, and the other registers in the order of TCB_ReadRegisters. RIP is where the thread
 *         goes on: at the instruction of a fault, behind SYSCALL, INT n and a trap. RCX and R11
 *         are as SYSCALL leaves them
 *
 * INT n is one itself for n = 3 and from 158 to 254; 255 does nothing, and others are general
 * protection (error code 8 n + 2), at the instruction. A call whose message nobody has received
 * is made again when the thread goes on otherwise (its budget was at its end, it was suspended
 * and resumed), as seL4's calls are; a breakpoint is not.
 *
 * Reply: label 0: the thread goes on. Words from MR3 on are its registers, as many as the reply
 * is long, with what TCB_WriteRegisters makes of them (RFLAGS has no TF, AC, NT, ID); those
 * before are ignored. With an extra capability, to an address space with an ASID, it goes on in
 * that one, as if TCB_SetSpace had been called; no right of the reply's is asked for, for the
 * thread gets no capability of its own. If the slot holds none such the thread stays stopped, with
 * these registers, as by any other label; if there is no such slot, the reply itself fails.
 */
#pragma once

#include <abi/regs.h>

#define ABI_EXTF_THREAD_EXIT (1u << 15) /* of ABI_EXT_QUERY: ABI_THREAD_EXITS works */
#define ABI_THREAD_EXITS 2u
#define ABI_EXT_FAULT_THREAD 0x41u
#define ABI_THREAD_SYSCALL 256u
enum abi_thread_exit_word {
	ABI_THREAD_VECTOR,
	ABI_THREAD_ERROR,
	ABI_THREAD_ADDRESS,
	ABI_THREAD_REGS,
	ABI_THREAD_WORDS = ABI_THREAD_REGS + ABI_CTX_COUNT
};
