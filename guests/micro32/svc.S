/*
 * The founding failure: a bare 32-bit image that keeps its vectors where it is
 * linked, sets neither VBAR nor SCTLR.V, and executes SVC. With memory at 0 and
 * the vectors there (`low_vectors: default`) it says so and powers off.
 */
#include "start.inc"

	VECTORS supervisor=supervisor

supervisor:
	movs	pc, lr

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
