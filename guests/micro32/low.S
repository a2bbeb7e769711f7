/*
 * A bare 32-bit guest whose vectors stand at its start, wherever that is, and
 * which never sets VBAR: it takes an undefined instruction and a supervisor
 * call through the vectors at 0. Then what a 32-bit guest does to a monitor:
 * identification registers, the physical counter, loads and stores of each
 * size, conditional and Thumb instructions, PSCI. Prints a line for each.
 * With COPY it fills the page at 0 itself.
 */
#include "start.inc"

	VECTORS undefined=undefined, supervisor=supervisor, data_abort=data_abort

/*
 * r4 counts the exceptions taken, r5 what an abort reports. Those that the
 * monitor injects do not return by SPSR, which QEMU does not load when the
 * mode changes on a return from EL2 (docs/emulators.md).
 */
undefined:
	add	r4, r4, #1
	mov	r8, lr
	cps	#0x13
	bx	r8
supervisor:
	add	r4, r4, #0x100
	movs	pc, lr
data_abort:
	mrc	p15, 0, r5, c6, c0, 0	/* DFAR */
	sub	r8, lr, #4
	cps	#0x13
	bx	r8

reset:	mov	r7, r2			/* devicetree */
#ifdef COPY				/* its own table into the page at 0 */
	mov	r0, #0
	ldr	r1, =vectors
	ldr	r2, =0xe59ff018		/* ldr pc, [pc, #24] */
1:	str	r1, [r0, #32]
	str	r2, [r0], #4
	add	r1, r1, #4
	cmp	r0, #32
	bne	1b
#endif
	mrs	r6, cpsr
	ldr	sp, =stack_top
	cps	#0x1b			/* undefined */
	ldr	sp, =stack_top
	cps	#0x13
	mov	r4, #0
	PRINT	"micro32: low\n"
	ldr	r0, =0x1d3		/* A, I, F masked, supervisor mode */
	bic	r6, r6, #0xf8000000
	cmp	r0, r6
	bne	2f
	PRINT	"micro32: started in supervisor mode\n"
2:	cmp	r7, #0
	ldrne	r0, [r7]
	ldr	r1, =0xedfe0dd0
	cmpne	r0, r1
	bne	2f
	PRINT	"micro32: r2 is a devicetree\n"

	/* Through 0x4 and 0x8. */
2:	udf	#0
	svc	#0
	ldr	r0, =0x101
	cmp	r4, r0
	bne	2f
	PRINT	"micro32: vectors at 0 work\n"

	/* Trapped registers: ID_PFR0, ID_ISAR0, MVFR0; ACTLR; DBGDIDR. */
2:	mrc	p15, 0, r0, c0, c1, 0
	and	r0, r0, #0xff
	cmp	r0, #0x31		/* A32, Thumb-2 */
	mrceq	p15, 0, r1, c0, c2, 0
	cmpeq	r1, #0
	beq	2f
	mrc	p15, 0, r0, c1, c0, 1
	orr	r0, r0, #0x40
	mcr	p15, 0, r0, c1, c0, 1
	mrc	p14, 0, r0, c0, c0, 0
	PRINT	"micro32: identification registers\n"

	/* The physical counter goes on; the performance monitors are none. */
2:	mrrc	p15, 0, r0, r1, c14
	mrrc	p15, 0, r2, r3, c14
	subs	r2, r2, r0
	sbcs	r3, r3, r1
	blo	2f
	mov	r4, #0
	mrc	p15, 0, r0, c9, c13, 0
	cmp	r4, #1
	bne	2f
	PRINT	"micro32: counter, no performance monitors\n"

	/* What is not aligned aborts, with its address: pl011 FR + 1. */
2:	mov	r5, #0
	ldr	r0, =UART + 0x19
	ldr	r1, [r0]
	cmp	r5, r0
	bne	2f
	PRINT	"micro32: data abort\n"

	/* Conditional accesses in an IT block of Thumb state. */
2:	ldr	r0, =UART + 0xfe0	/* PeriphID0 is 0x11 */
	adr	r1, thumb + 1
	blx	r1
	cmp	r2, #0x11
	bne	2f
	PRINT	"micro32: thumb\n"

	/* PSCI: version 1.1 by a 32-bit call; a 64-bit one is not known. */
2:	ldr	r0, =0x84000000
	hvc	#0
	ldr	r1, =0x10001
	cmp	r0, r1
	bne	2f
	ldr	r0, =0xc4000003
	hvc	#0
	cmn	r0, #1
	bne	2f
	PRINT	"micro32: psci\n"
	/* CPU_ON of vCPU 1, if there is one, into Thumb state, r0 = 0x77. */
	ldr	r0, =0x84000003
	mov	r1, #1
	ldr	r2, =second + 1
	mov	r3, #0x77
	hvc	#0
	cmp	r0, #0
	bne	2f
	ldr	r1, =word
3:	ldr	r2, [r1]
	cmp	r2, #0x77
	bne	3b
	PRINT	"micro32: second vcpu\n"
	/* With GICv3 (ID_PFR1): an SGI, by MCRR, ends its WFI, and nothing before. */
	mrc	p15, 0, r0, c0, c1, 1
	tst	r0, #0xf0000000
	beq	2f
	mov	r0, #0x12		/* GICD_CTLR: ARE, group 1 */
	ldr	r1, =0x08000000
	str	r0, [r1]
	mov	r0, #0x20		/* SGI 5 of vCPU 1: group 1, enabled */
	ldr	r1, =0x080d0000
	str	r0, [r1, #0x80]
	str	r0, [r1, #0x100]
	ldr	r1, =word
	mov	r0, #0x80000
3:	subs	r0, r0, #1
	bne	3b
	ldr	r2, [r1]
	cmp	r2, #0x77
	bne	2f
	ldr	r2, =5 << 24 | 1 << 1
	mov	r3, #0
	mcrr	p15, 0, r2, r3, c12	/* ICC_SGI1R */
3:	ldr	r2, [r1]
	cmp	r2, #0x78
	bne	3b
	PRINT	"micro32: sgi\n"
2:	PRINT	"micro32: low done\n"
	ldr	r0, =0x84000008
	hvc	#0
	b	.

.thumb
.thumb_func
thumb:	movs	r2, #0
	cmp	r2, #1
	ite	eq
	ldreq	r2, [r0, #4]
	ldrne	r2, [r0]
	bx	lr
.thumb_func
second:	ldr	r1, =word
	str	r0, [r1]
	wfi
	adds	r0, r0, #1
	str	r0, [r1]
	b	.
.arm
.ltorg

.section .bss
	.balign	8
	.skip	1024
stack_top:
word:	.skip	4
