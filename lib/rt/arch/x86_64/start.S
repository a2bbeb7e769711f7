/*
 * Entry of a process that init started: RDI = PROC_INFO_VADDR, no stack. The
 * top of the stack holds the thread's TLS block. start.c asserts that the
 * constant here is PROC_STACK_TOP.
 */
	.section .text.start, "ax"
	.global _start
	.type _start, %function
_start:
	xor	%ebp, %ebp
	mov	$0x11000000, %esi
	sub	$__tls_block_bytes, %rsi
	mov	%rsi, %rsp
	call	rt_start_process
	ud2
	.size _start, . - _start

	.section .note.GNU-stack, "", %progbits
