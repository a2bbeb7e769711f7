/*
 * Into a guest and back (AMD64 APM 2, 15.5). RDI is the thread. While GIF is
 * clear nothing interrupts; IF is set for the guest's time, so that physical
 * interrupts end it, and is clear again before GIF is set.
 */
#include <arch/offsets.h>

.text
.global guest_enter
guest_enter:
	mov	ARCH_TCB_VCPU(%rdi), %rdi
	cmpq	$0, ARCH_VCPU_UNCHECKED(%rdi)
	jne	check
enter:
	clgi
	sti                             /* early: not in its shadow */
	mov	host_vmcb_paddr(%rip), %rax
	vmsave	%rax
	mov	ARCH_VCPU_VMCB(%rdi), %rax
	vmload	%rax
	push	%rdi
	mov	ARCH_VCPU_GPR + 8(%rdi), %rcx
	mov	ARCH_VCPU_GPR + 16(%rdi), %rdx
	mov	ARCH_VCPU_GPR + 24(%rdi), %rbx
	mov	ARCH_VCPU_GPR + 40(%rdi), %rbp
	mov	ARCH_VCPU_GPR + 48(%rdi), %rsi
	mov	ARCH_VCPU_GPR + 64(%rdi), %r8
	mov	ARCH_VCPU_GPR + 72(%rdi), %r9
	mov	ARCH_VCPU_GPR + 80(%rdi), %r10
	mov	ARCH_VCPU_GPR + 88(%rdi), %r11
	mov	ARCH_VCPU_GPR + 96(%rdi), %r12
	mov	ARCH_VCPU_GPR + 104(%rdi), %r13
	mov	ARCH_VCPU_GPR + 112(%rdi), %r14
	mov	ARCH_VCPU_GPR + 120(%rdi), %r15
	mov	ARCH_VCPU_GPR + 56(%rdi), %rdi
	vmrun	%rax
	cli
	vmsave	%rax
	xchg	%rdi, (%rsp)
	mov	%rcx, ARCH_VCPU_GPR + 8(%rdi)
	mov	%rdx, ARCH_VCPU_GPR + 16(%rdi)
	mov	%rbx, ARCH_VCPU_GPR + 24(%rdi)
	mov	%rbp, ARCH_VCPU_GPR + 40(%rdi)
	mov	%rsi, ARCH_VCPU_GPR + 48(%rdi)
	mov	%r8, ARCH_VCPU_GPR + 64(%rdi)
	mov	%r9, ARCH_VCPU_GPR + 72(%rdi)
	mov	%r10, ARCH_VCPU_GPR + 80(%rdi)
	mov	%r11, ARCH_VCPU_GPR + 88(%rdi)
	mov	%r12, ARCH_VCPU_GPR + 96(%rdi)
	mov	%r13, ARCH_VCPU_GPR + 104(%rdi)
	mov	%r14, ARCH_VCPU_GPR + 112(%rdi)
	mov	%r15, ARCH_VCPU_GPR + 120(%rdi)
	pop	%rcx
	mov	%rcx, ARCH_VCPU_GPR + 56(%rdi)
	mov	host_vmcb_paddr(%rip), %rax
	vmload	%rax
	xor	%ebp, %ebp
	stgi
	call	trap_guest
	mov	%rax, %rdi
	jmp	return_to_user

check:
	push	%rdi
	sub	$8, %rsp
	call	guest_check
	add	$8, %rsp
	pop	%rdi
	test	%rax, %rax
	jz	enter
	mov	%rax, %rdi
	jmp	return_to_user
