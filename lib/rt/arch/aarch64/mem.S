/*
 * memcpy and memset without SIMD registers, 128 and 64 bytes a turn: picolibc's take
 * five instructions a byte, and servers copy what disks and networks carry.
 */
	.section .text.memcpy, "ax"
	.global memcpy
	.type memcpy, %function
memcpy: /* x0 to, x1 from, x2 bytes */
	mov	x3, x0
	subs	x2, x2, #128
	b.lo	2f
1:	ldp	x6, x7, [x1, #16]
	ldp	x8, x9, [x1, #32]
	ldp	x10, x11, [x1, #48]
	ldp	x12, x13, [x1, #64]
	ldp	x14, x15, [x1, #80]
	ldp	x16, x17, [x1, #96]
	ldp	x4, x5, [x1], #112
	stp	x6, x7, [x3, #16]
	stp	x8, x9, [x3, #32]
	stp	x10, x11, [x3, #48]
	stp	x12, x13, [x3, #64]
	ldp	x12, x13, [x1], #16
	stp	x14, x15, [x3, #80]
	stp	x16, x17, [x3, #96]
	stp	x12, x13, [x3, #112]
	stp	x4, x5, [x3], #128
	subs	x2, x2, #128
	b.hs	1b
2:	tbz	x2, #6, 3f /* the low seven bits are what is left */
	ldp	x6, x7, [x1, #16]
	ldp	x8, x9, [x1, #32]
	ldp	x10, x11, [x1, #48]
	ldp	x4, x5, [x1], #64
	stp	x6, x7, [x3, #16]
	stp	x8, x9, [x3, #32]
	stp	x10, x11, [x3, #48]
	stp	x4, x5, [x3], #64
3:	tbz	x2, #5, 4f
	ldp	x6, x7, [x1, #16]
	ldp	x4, x5, [x1], #32
	stp	x6, x7, [x3, #16]
	stp	x4, x5, [x3], #32
4:	tbz	x2, #4, 5f
	ldp	x4, x5, [x1], #16
	stp	x4, x5, [x3], #16
5:	tst	x2, #15
	b.eq	9f
	tbz	x2, #3, 6f
	ldr	x4, [x1], #8
	str	x4, [x3], #8
6:	tbz	x2, #2, 7f
	ldr	w4, [x1], #4
	str	w4, [x3], #4
7:	tbz	x2, #1, 8f
	ldrh	w4, [x1], #2
	strh	w4, [x3], #2
8:	tbz	x2, #0, 9f
	ldrb	w4, [x1]
	strb	w4, [x3]
9:	ret
	.size memcpy, . - memcpy

	.section .text.memset, "ax"
	.global memset
	.type memset, %function
memset: /* x0 to, w1 byte, x2 bytes */
	and	x1, x1, #0xff
	mov	x3, #0x0101010101010101
	mul	x1, x1, x3
	mov	x3, x0
	subs	x2, x2, #64
	b.lo	2f
1:	stp	x1, x1, [x3, #16]
	stp	x1, x1, [x3, #32]
	stp	x1, x1, [x3, #48]
	stp	x1, x1, [x3], #64
	subs	x2, x2, #64
	b.hs	1b
2:	tbz	x2, #5, 3f /* the low six bits are what is left */
	stp	x1, x1, [x3, #16]
	stp	x1, x1, [x3], #32
3:	tbz	x2, #4, 4f
	stp	x1, x1, [x3], #16
4:	tbz	x2, #3, 5f
	str	x1, [x3], #8
5:	tbz	x2, #2, 6f
	str	w1, [x3], #4
6:	tbz	x2, #1, 7f
	strh	w1, [x3], #2
7:	tbz	x2, #0, 8f
	strb	w1, [x3]
8:	ret
	.size memset, . - memset

	.section .note.GNU-stack, "", %progbits
