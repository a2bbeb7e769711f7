/* Into guests and back. RDI is the thread. */
#include <arch/offsets.h>

/* The general registers but RAX and RSP and, last or first, RDI, which is the VCPU. */
.macro guest_registers op
	\op	%rcx, 1
	\op	%rdx, 2
	\op	%rbx, 3
	\op	%rbp, 5
	\op	%rsi, 6
	.irp n, 8, 9, 10, 11, 12, 13, 14, 15
	\op	%r\n, \n
	.endr
.endm
.macro load_one reg, i
	mov	ARCH_VCPU_GPR + 8 * \i(%rdi), \reg
.endm
.macro save_one reg, i
	mov	\reg, ARCH_VCPU_GPR + 8 * \i(%rdi)
.endm

/*
 * Into a guest and back (AMD64 APM 2, 15.5). While GIF is
 * clear nothing interrupts; IF is set for the guest's time, so that physical
 * interrupts end it, and is clear again before GIF is set.
 */
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
	guest_registers load_one
	mov	ARCH_VCPU_GPR + 56(%rdi), %rdi
	vmrun	%rax
	cli
	vmsave	%rax
	xchg	%rdi, (%rsp)
	guest_registers save_one
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

/*
 * Into a guest of VT-x and back (Intel SDM 3, chapters 27 and 28). Interrupts
 * stay masked: physical ones end the guest's time whatever IF is. Behind
 * HOST_RSP is the VCPU.
 */
.global vmx_enter, vmx_exit
vmx_enter:
	mov	%gs:ARCH_CPU_STACK, %rsp
	mov	ARCH_TCB_VCPU(%rdi), %rbx
	mov	%rbx, %rdi
	call	vmx_before
	test	%rax, %rax
	jnz	leave
	push	%rbx
	mov	ARCH_VCPU_CR2(%rbx), %rax
	mov	%rax, %cr2
	mov	ARCH_VCPU_KERNEL_GS(%rbx), %rax
	swapgs
	wrgsbase %rax
	swapgs
	mov	%rbx, %rdi
	cmpq	$0, ARCH_VCPU_LAUNCHED(%rdi) /* the flags stay */
	mov	ARCH_VCPU_GPR(%rdi), %rax
	guest_registers load_one
	mov	ARCH_VCPU_GPR + 56(%rdi), %rdi
	jne	1f
	vmlaunch
	jmp	2f
1:	vmresume
2:	xchg	%rdi, (%rsp)            /* it did not: nothing has changed */
	movq	$1, ARCH_VCPU_FAILED(%rdi)
	jmp	save
.balign 16
vmx_exit:
	xchg	%rdi, (%rsp)
	lgdt	gdt_pointer(%rip)
save:
	mov	%rax, ARCH_VCPU_GPR(%rdi)
	guest_registers save_one
	pop	%rcx
	mov	%rcx, ARCH_VCPU_GPR + 56(%rdi)
	mov	%cr2, %rax
	mov	%rax, ARCH_VCPU_CR2(%rdi)
	swapgs
	rdgsbase %rax
	swapgs
	mov	%rax, ARCH_VCPU_KERNEL_GS(%rdi)
	mov	%db6, %rax
	mov	%rax, ARCH_VCPU_DR6(%rdi)
	xor	%ebp, %ebp
	call	vmx_exited
leave:
	mov	%rax, %rdi
	jmp	return_to_user
