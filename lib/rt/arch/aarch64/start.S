/*
 * Entry of a process that init started: x0 = PROC_INFO_VADDR, no stack. The
 * top of the stack holds the thread's TLS block. start.c asserts that the
 * constant here is PROC_STACK_TOP.
 */
	.section .text.start, "ax"
	.global _start
	.type _start, %function
_start:
	mov	x29, xzr
	mov	x30, xzr
	mov	x9, #0x11000000
	ldr	x10, =__tls_block_bytes
	sub	x1, x9, x10
	mov	sp, x1
	b	rt_start_process
	.size _start, . - _start
