/*
 * Entry of the root task: RDI = boot information, neither stack nor TLS from
 * the kernel.
 */
	.section .text.start, "ax"
	.global _start
	.type _start, %function
_start:
	xor	%ebp, %ebp
	mov	rt_root_stack_end(%rip), %rsi
	sub	$__tls_block_bytes, %rsi
	mov	%rsi, %rsp
	call	rt_start_root
	ud2
	.size _start, . - _start

	.section .note.GNU-stack, "", %progbits
