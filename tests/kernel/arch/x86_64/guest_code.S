/* What the guests of guest.c run, copied to GUEST_CODE in their memory. */
.section .rodata
.balign 4096
.global guest_code, guest_code_end
guest_code:

.macro piece name, bits
.code\bits
.global guest_\name
guest_\name:
.endm

piece hlt, 16
	hlt
	hlt
	vmmcall
piece ports, 16
	mov	$0x11223344, %eax
	mov	$0x3f8, %dx
	outb	%al, %dx
	outw	%ax, $0x70
	outl	%eax, %dx
	inb	$0x60, %al
	in	%dx, %ax
	inl	%dx, %eax
	vmmcall
piece string, 16
	mov	$3, %cx
	mov	$0x100, %si
	mov	$0x1f0, %dx
	rep outsw
	hlt
piece irq, 16
	sti
	nop
	hlt
1:	jmp	1b
piece held, 16
	cli
	nop
	vmmcall
	sti
	nop
	vmmcall
piece spin, 16
1:	inc	%ax
	jmp	1b
piece bell, 16
	mov	$7, %al
	outb	%al, $0x50
	outw	%ax, $0x50
	mov	$8, %al
	outb	%al, $0x50
	hlt
piece handler, 16
	outb	%al, $0x99
	iretw

piece cpuid, 64
	mov	$0x40000000, %eax
	mov	$5, %ecx
	cpuid
	vmmcall
piece msr, 64
	mov	$0xc0000080, %ecx
	rdmsr
	mov	$0x1b, %ecx
	wrmsr
	vmmcall
piece mmio, 64
	movabs	$0x40001234, %rax
	mov	(%rax), %ecx
	mov	%ecx, 4(%rax)
	vmmcall
piece sse, 64
	movq	%rax, %xmm0
	vmmcall
	movq	%xmm0, %rax
	vmmcall
	jmp	guest_sse
piece debugs, 64
	mov	%rax, %dr0
	mov	%rcx, %dr3
	vmmcall
	mov	%dr0, %rax
	mov	%dr3, %rcx
	vmmcall
piece xcr0, 64
	xor	%ecx, %ecx
	xor	%edx, %edx
	mov	$1, %eax
	xsetbv
	vmmcall
piece privileged, 64
	wbinvd
	monitor	%rax, %rcx, %rdx
	mwait
	rdpmc
	vmrun	%rax
	stgi
	vmload	%rax
	invd
	hlt
piece cr4, 64
	mov	%rax, %cr4
	vmmcall
piece cr0, 64
	mov	%rax, %cr0
	vmmcall
piece reads, 64
	mov	%rax, %cr8
	mov	%cr0, %rcx
	mov	%cr8, %rdx
	vmmcall
piece syscall, 64
	syscall
	ud2
piece swapgs, 64
	swapgs
	rdgsbase %rax
	vmmcall
piece ud, 64
	ud2
piece flat, 32
	mov	$0x12345678, %eax
	cpuid
	hlt
.code64
.balign 4096
guest_code_end:
