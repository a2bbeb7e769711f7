/*
 * memcpy and memset without SIMD registers, 64 bytes a turn: picolibc's take
 * five instructions a byte, and a VMM copies guest images of megabytes.
 */
	.section .text.memcpy, "ax"
	.global memcpy
	.type memcpy, %function
memcpy: /* x0 to, x1 from, x2 bytes */
	mov	x3, x0
1:	subs	x2, x2, #64
	b.lo	2f
	ldp	x4, x5, [x1]
	ldp	x6, x7, [x1, #16]
	ldp	x8, x9, [x1, #32]
	ldp	x10, x11, [x1, #48]
	add	x1, x1, #64
	stp	x4, x5, [x3]
	stp	x6, x7, [x3, #16]
	stp	x8, x9, [x3, #32]
	stp	x10, x11, [x3, #48]
	add	x3, x3, #64
	b	1b
2:	tbz	x2, #5, 3f /* the low six bits are what is left */
	ldp	x4, x5, [x1]
	ldp	x6, x7, [x1, #16]
	add	x1, x1, #32
	stp	x4, x5, [x3]
	stp	x6, x7, [x3, #16]
	add	x3, x3, #32
3:	tbz	x2, #4, 4f
	ldp	x4, x5, [x1], #16
	stp	x4, x5, [x3], #16
4:	tbz	x2, #3, 5f
	ldr	x4, [x1], #8
	str	x4, [x3], #8
5:	tbz	x2, #2, 6f
	ldr	w4, [x1], #4
	str	w4, [x3], #4
6:	tbz	x2, #1, 7f
	ldrh	w4, [x1], #2
	strh	w4, [x3], #2
7:	tbz	x2, #0, 8f
	ldrb	w4, [x1]
	strb	w4, [x3]
8:	ret
	.size memcpy, . - memcpy

	.section .text.memset, "ax"
	.global memset
	.type memset, %function
memset: /* x0 to, w1 byte, x2 bytes */
	and	x1, x1, #0xff
	mov	x3, #0x0101010101010101
	mul	x1, x1, x3
	mov	x3, x0
1:	subs	x2, x2, #64
	b.lo	2f
	stp	x1, x1, [x3]
	stp	x1, x1, [x3, #16]
	stp	x1, x1, [x3, #32]
	stp	x1, x1, [x3, #48]
	add	x3, x3, #64
	b	1b
2:	add	x2, x2, #64
3:	subs	x2, x2, #8
	b.lo	4f
	str	x1, [x3], #8
	b	3b
4:	adds	x2, x2, #8
5:	b.eq	6f
	strb	w1, [x3], #1
	subs	x2, x2, #1
	b	5b
6:	ret
	.size memset, . - memset

	.section .note.GNU-stack, "", %progbits
