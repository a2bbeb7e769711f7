/*
 * Entries from user level, and back. TSS.RSP0 and arch_cpu.context name the
 * struct arch_context of the thread that runs, which is where its TCB begins.
 */
#include <arch/offsets.h>

.macro general_registers op, base, skip_rcx_r11=0
	\op	%rax, 0, \base
	\op	%rbx, 8, \base
	.if \skip_rcx_r11 == 0
	\op	%rcx, 16, \base
	\op	%r11, 80, \base
	.endif
	\op	%rdx, 24, \base
	\op	%rsi, 32, \base
	\op	%rbp, 48, \base
	.irp n, 8, 9, 10, 12, 13, 14, 15
	\op	%r\n, 8*\n-8, \base
	.endr
.endm
.macro save reg, offset, base
	mov	\reg, \offset(\base)
.endm
.macro load reg, offset, base
	mov	\offset(\base), \reg
.endm

.text
.global syscall_entry, return_to_user
/* RCX is the next instruction, R11 the flags; the number is in RDX. */
syscall_entry:
	swapgs
	mov	%rsp, %gs:ARCH_CPU_USER_RSP
	mov	%gs:ARCH_CPU_CONTEXT, %rsp
	mov	%rdi, 40(%rsp)
	general_registers save, %rsp, 1
	mov	%rcx, ARCH_CONTEXT_RIP(%rsp)
	mov	%r11, ARCH_CONTEXT_RFLAGS(%rsp)
	mov	%gs:ARCH_CPU_USER_RSP, %rax
	mov	%rax, ARCH_CONTEXT_RSP(%rsp)
	movq	$1, ARCH_CONTEXT_BY_SYSCALL(%rsp)
	mov	%rsp, %rdi
	mov	%rdx, %rsi
	mov	%gs:ARCH_CPU_STACK, %rsp
	xor	%ebp, %ebp
	call	trap_syscall
	mov	%rax, %rdi
/* RDI is the thread. */
return_to_user:
	cmpq	$0, ARCH_CONTEXT_BY_SYSCALL(%rdi)
	je	return_by_iret
	mov	ARCH_CONTEXT_RIP(%rdi), %rcx
	mov	ARCH_CONTEXT_RFLAGS(%rdi), %r11
	mov	ARCH_CONTEXT_RSP(%rdi), %rsp
	general_registers load, %rdi, 1
	mov	40(%rdi), %rdi
	swapgs
	sysretq

return_by_iret:
	cmpb	$0, ARCH_TCB_GUEST(%rdi)
	jne	guest
	movq	$SEL_USER_CODE, ARCH_CONTEXT_CS(%rdi)
	movq	$SEL_USER_DATA, ARCH_CONTEXT_SS(%rdi)
	orq	$0x202, ARCH_CONTEXT_RFLAGS(%rdi)
	lea	ARCH_CONTEXT_RIP(%rdi), %rsp
	general_registers load, %rdi
	mov	40(%rdi), %rdi
	swapgs
	iretq
guest:
	jmp	*guest_entry(%rip)

/* The hardware has pushed SS to RIP, and an error code or the stub a zero. */
vector_common:
	testb	$3, 24(%rsp)
	jz	from_kernel
	swapgs
	sub	$ARCH_CONTEXT_VECTOR, %rsp
	mov	%rdi, 40(%rsp)
	general_registers save, %rsp
	movq	$0, ARCH_CONTEXT_BY_SYSCALL(%rsp)
	cld
	mov	%rsp, %rdi
	mov	%gs:ARCH_CPU_STACK, %rsp
	xor	%ebp, %ebp
	call	trap_vector
	mov	%rax, %rdi
	jmp	return_to_user

/* An interrupt that the kernel waited for, or its own failure. */
from_kernel:
	sub	$ARCH_CONTEXT_VECTOR, %rsp
	mov	%rdi, 40(%rsp)
	general_registers save, %rsp
	cld
	mov	%rsp, %rdi
	mov	%rsp, %rbx
	and	$-16, %rsp
	call	trap_kernel
	mov	%rbx, %rdi
	lea	ARCH_CONTEXT_RIP(%rdi), %rsp
	general_registers load, %rdi
	mov	40(%rdi), %rdi
	iretq

/* #DF, #TS, #NP, #SS, #GP and #PF push an error code. So would #AC and #CP, which
 * are off: at 17 and 21, as at any vector from 16 on, comes what a device sends. */
.balign 16
.global vector_stubs
vector_stubs:
.set vector, 0
.rept 256
	.balign 16
	.if (vector == 8) || (vector >= 10 && vector <= 14)
	.else
	push	$0
	.endif
	push	$vector
	/* NMI and #DF have a stack of their own, whoever ran: the end. */
	.if (vector == 2) || (vector == 8)
	jmp	from_kernel
	.else
	jmp	vector_common
	.endif
	.set vector, vector + 1
.endr
	.balign 16
