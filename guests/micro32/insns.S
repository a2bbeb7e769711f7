/*
 * Loads and stores that the hardware does not describe, on the registers of
 * the PL011: multiple, double and written-back ones, in ARM and Thumb state,
 * in an IT block, big-endian, with banked registers, and one that is not
 * aligned and must leave all as it was. IBRD, FBRD, LCR_H and CR are at 0x24 to
 * 0x30; FR at 0x18; the identification registers at 0xfe0.
 */
#include "start.inc"

	VECTORS data_abort=data_abort

data_abort:
	mov	r10, #1
	sub	r11, lr, #4
	cps	#0x13
	bx	r11

reset:	ldr	sp, =stack_top
	adr	r0, vectors
	mcr	p15, 0, r0, c12, c0, 0
	PRINT	"micro32: insns\n"

	/* ldmia: the four identification bytes of PrimeCell, 0d f0 05 b1. */
	ldr	r7, =UART + 0xff0
	ldmia	r7!, {r2-r5}
	ldr	r0, =UART + 0x1000
	cmp	r7, r0
	cmpeq	r2, #0x0d
	cmpeq	r3, #0xf0
	cmpeq	r4, #0x05
	cmpeq	r5, #0xb1
	bne	2f
	PRINT	"micro32: ldm\n"

	/* stmdb, then ldrd with write-back. */
2:	ldr	r7, =UART + 0x2c
	mov	r2, #26
	mov	r3, #3
	stmdb	r7!, {r2, r3}
	mov	r2, #0
	mov	r3, #0
	mov	r6, r7
	ldrd	r2, r3, [r6], #8
	sub	r6, r6, #8
	cmp	r6, r7
	cmpeq	r2, #26
	cmpeq	r3, #3
	bne	2f
	PRINT	"micro32: stm, ldrd\n"

	/* Post-indexed store, pre-indexed load of a byte, by a register. */
2:	ldr	r7, =UART + 0x24
	mov	r2, #77
	str	r2, [r7], #-4
	mov	r3, #1
	ldrb	r4, [r7, r3, lsl #2]!
	ldr	r0, =UART + 0x24
	cmp	r4, #77
	cmpeq	r7, r0
	bne	2f
	PRINT	"micro32: write-back\n"

	/* Thumb: ldm, and a written-back load whose IT condition holds. */
2:	ldr	r7, =UART + 0xff0
	adr	r1, thumb + 1
	blx	r1
	cmp	r4, #0xf0
	cmpeq	r5, #0x05
	cmpeq	r6, #99
	bne	2f
	PRINT	"micro32: thumb\n"

	/* Big-endian: the bytes of FBRD's and IBRD's words turned around. */
2:	ldr	r7, =UART + 0x24
	mov	r2, #0x1200
	str	r2, [r7]
	setend	be
	ldm	r7, {r3}
	ldr	r4, [r7], #4
	setend	le
	ldr	r0, =0x00120000
	cmp	r4, r0
	cmpeq	r3, r0
	bne	2f
	PRINT	"micro32: big-endian\n"

	/* The stack pointer of this mode, and not the user's. */
2:	mov	r8, sp
	ldr	r7, =UART + 0xff0
	ldr	sp, [r7]
	mov	r9, sp
	mov	sp, r8
	cmp	r9, #0x0d
	bne	2f
	PRINT	"micro32: banked register\n"

	/* Not aligned: an abort, and nothing is written back. */
2:	mov	r10, #0
	ldr	r7, =UART + 0x25
	mov	r8, r7
	mov	r6, #5
	ldr	r6, [r7], #4
	cmp	r7, r8
	cmpeq	r6, #5
	cmpeq	r10, #1
	bne	2f
	PRINT	"micro32: half done, undone\n"
2:	PRINT	"micro32: insns done\n"
	ldr	r0, =0x84000008
	hvc	#0
	b	.

.thumb
.thumb_func
thumb:	mov	r3, r7
	ldm	r3!, {r2, r4, r5}
	movs	r6, #0
	cmp	r6, #1
	ittee	ne
	ldrne	r2, [r7], #4
	movne	r6, #99
	ldreq	r2, [r7], #4
	moveq	r6, #98
	bx	lr
.arm
.ltorg

.section .bss
	.balign	8
	.skip	1024
stack_top:
