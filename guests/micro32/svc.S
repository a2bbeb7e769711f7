/*
 * The founding failure: a bare 32-bit image that keeps its vectors where it is
 * linked, sets neither VBAR nor SCTLR.V, and executes SVC. With memory at 0 and
 * the vectors there (`low_vectors: default`) it says so and powers off.
 */
.syntax unified
.arch armv7-a
.arch_extension virt
.arm
.equ UART, 0x09000000

.section .text.head, "ax"
.global vectors
vectors:
	b	reset
	b	.
	b	supervisor
	b	.
	b	.
	nop
	b	.
	b	.

supervisor:
	movs	pc, lr

print:	ldr	r1, =UART
1:	ldrb	r2, [r0], #1
	cmp	r2, #0
	bxeq	lr
	str	r2, [r1]
	b	1b

reset:	ldr	sp, =stack_top
	adr	r0, hello
	bl	print
	mov	r0, #0
	.global the_svc
the_svc:
	svc	#0
	adr	r0, back
	bl	print
	ldr	r0, =0x84000008
	hvc	#0
	b	.
hello:	.asciz	"micro32: svc\n"
back:	.asciz	"micro32: svc taken\n"
	.balign	4
	.ltorg

.section .bss
	.balign	8
	.skip	256
stack_top:
