/* As svc.S, from Thumb state, and with no memory at 0 ever. */
.syntax unified
.arch armv7-a
.arm

.section .text.head, "ax"
.global vectors
vectors:
	adr	r0, thumb + 1
	bx	r0
.thumb
.thumb_func
thumb:	movs	r1, #1
	svc	#7
	b	.
