/*
 * memcpy, memmove and memset: string instructions, eight bytes a turn, which is as
 * fast as it gets where the processor knows them (ERMS), and needs no SIMD register.
 */
	.section .text.memcpy, "ax"
	.global memcpy
	.type memcpy, @function
memcpy: /* RDI to, RSI from, RDX bytes */
	mov	%rdi, %rax
	mov	%rdx, %rcx
	shr	$3, %rcx
	rep movsq
	mov	%edx, %ecx
	and	$7, %ecx
	rep movsb
	ret
	.size memcpy, . - memcpy

	.section .text.memmove, "ax"
	.global memmove
	.type memmove, @function
memmove: /* the same; they may overlap */
	mov	%rdi, %rax
	mov	%rdi, %rcx
	sub	%rsi, %rcx
	cmp	%rdx, %rcx /* unsigned: `to` inside what is still to be read? */
	jae	memcpy
	std
	lea	-1(%rsi,%rdx), %rsi
	lea	-1(%rdi,%rdx), %rdi
	mov	%edx, %ecx
	and	$7, %ecx
	rep movsb
	mov	%rdx, %rcx
	shr	$3, %rcx
	sub	$7, %rsi
	sub	$7, %rdi
	rep movsq
	cld
	ret
	.size memmove, . - memmove

	.section .text.memset, "ax"
	.global memset
	.type memset, @function
memset: /* RDI to, ESI byte, RDX bytes */
	mov	%rdi, %r8
	movzbl	%sil, %eax
	mov	$0x0101010101010101, %rcx
	imul	%rcx, %rax
	mov	%rdx, %rcx
	shr	$3, %rcx
	rep stosq
	mov	%edx, %ecx
	and	$7, %ecx
	rep stosb
	mov	%r8, %rax
	ret
	.size memset, . - memset

	.section .note.GNU-stack, "", %progbits
