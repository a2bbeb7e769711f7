/*
 * Entry of the root task: x0 = boot information, neither stack nor TLS from
 * the kernel.
 */
	.section .text.start, "ax"
	.global _start
	.type _start, %function
_start:
	mov	x29, xzr
	mov	x30, xzr
	adrp	x9, rt_root_stack_end
	ldr	x9, [x9, :lo12:rt_root_stack_end]
	ldr	x10, =__tls_block_bytes
	sub	x1, x9, x10
	mov	sp, x1
	b	rt_start_root
	.size _start, . - _start
