/*
 * Executes the cases of the reference test, one instruction each, on a machine
 * without a hypervisor, AArch32 (ref.c has the layouts). Every virtual page is
 * the one data page, but for those below; results go to the host's file.
 *
 *	0x2007e000..0x20082fff	the code page, again and again, read-only
 *	0x40000000..0x4fffffff	this program, its tables, cases and results
 *
 * An instruction ends at the undefined ones behind it, or where a loaded PC
 * leads: data is not executable.
 */
	.syntax unified
	.arch	armv7-a
	.arch_extension virt
	.equ	L1, 0x40100000
	.equ	L2_DATA, 0x40104000
	.equ	L2_CODE, 0x40104400
	.equ	DATA, 0x40110000
	.equ	CODE, 0x40111000
	.equ	CASES, 0x41000000	/* count, then at 0x1000 both pages' contents */
	.equ	FIRST, CASES + 0x3000
	.equ	RESULTS, 0x44000000
	.equ	CASE_SIZE, 128
	.equ	RESULT_SIZE, 256
	.equ	UND, 0xdb
	.equ	SVC, 0xd3
	.equ	SYS, 0xdf

	.macro	fill table, count, value
	ldr	r0, =\table
	ldr	r1, =\count
	ldr	r2, =\value
1:	str	r2, [r0], #4
	subs	r1, r1, #1
	bne	1b
	.endm

	.text
	.arm
start:	fill	L1, 4096, (L2_DATA | 1)
	fill	L2_DATA, 256, (DATA | 0x7f)	/* normal, all may read and write, XN */
	fill	L2_CODE, 256, (DATA | 0x7f)
	fill	L2_CODE + 4 * 0x7e, 5, (CODE | 0x27e)	/* all may read, executable */
	ldr	r0, =L1 + 4 * 0x200
	ldr	r1, =L2_CODE | 1
	str	r1, [r0]
	ldr	r0, =L1 + 4 * 0x400
	ldr	r1, =0x4000140e			/* normal, privileged only */
	mov	r2, #256
1:	str	r1, [r0], #4
	add	r1, r1, #0x100000
	subs	r2, r2, #1
	bne	1b
	ldr	r0, =L1
	mcr	p15, 0, r0, c2, c0, 0		/* TTBR0 */
	mov	r0, #0
	mcr	p15, 0, r0, c2, c0, 2		/* TTBCR */
	mov	r0, #1
	mcr	p15, 0, r0, c3, c0, 0		/* DACR: checked */
	adr	r0, vectors
	mcr	p15, 0, r0, c12, c0, 0		/* VBAR */
	mrc	p15, 0, r0, c1, c0, 0
	bic	r0, r0, #2			/* no alignment check */
	orr	r0, r0, #1
	mcr	p15, 0, r0, c1, c0, 0
	isb
	ldr	r0, =CASES
	ldr	r1, [r0]
	str	r1, left
	ldr	r2, =FIRST
	str	r2, this_case
	ldr	r3, =RESULTS
	str	r3, this_result
	ldr	r1, =DATA			/* both pages as they shall be */
	ldr	r0, =CASES + 0x1000
	mov	r2, #2048
1:	ldr	r3, [r0], #4
	str	r3, [r1], #4
	subs	r2, r2, #1
	bne	1b

next:	ldr	r0, left
	subs	r0, r0, #1
	bmi	finish
	str	r0, left
	ldr	r0, this_case
	ldr	r1, [r0, #68]			/* where, then 16 bytes of code */
	bfc	r1, #12, #20
	ldr	r2, =CODE
	add	r1, r1, r2
	add	r2, r0, #72
	mov	r5, #8
1:	ldrh	r4, [r2], #2
	strh	r4, [r1], #2
	subs	r5, r5, #1
	bne	1b
	isb
	ldr	r1, this_result
	str	r1, [r0, #60]
	msr	cpsr_c, #SYS
	ldr	sp, [r0, #88]
	ldr	lr, [r0, #92]
	ldr	r1, [r0, #64]			/* the mode's own registers */
	and	r1, r1, #0x1f
	cmp	r1, #0x10
	moveq	r1, #0x1f
	orr	r1, r1, #0xc0
	msr	cpsr_c, r1
	add	r2, r0, #32
	ldmia	r2, {r8-r14}
	msr	cpsr_c, #UND
	mov	sp, r0
	ldr	r1, [sp, #64]
	msr	spsr_fsxc, r1
	ldr	lr, [sp, #68]
	ldmia	sp, {r0-r7}
	ldr	sp, [sp, #60]
	movs	pc, lr

	.balign	32
vectors:
	b	.
	b	undefined
	b	.
	b	prefetch_abort
	b	data_abort
	b	.
	b	.
	b	.

	.macro	save kind, back
	ldr	sp, this_result
	stmia	sp, {r0-r7}
	mov	r0, sp
	mrs	r1, spsr
	sub	r2, lr, #\back
	mov	r3, #\kind
	b	saved
	.endm

undefined:
	ldr	sp, this_result
	stmia	sp, {r0-r7}
	mov	r0, sp
	mrs	r1, spsr
	tst	r1, #0x20
	subeq	r2, lr, #4
	subne	r2, lr, #2
	mov	r3, #1
	b	saved
prefetch_abort:
	save	2, 4
data_abort:
	save	3, 8
saved:	and	r4, r1, #0x1f
	cmp	r4, #0x10
	moveq	r4, #0x1f
	orr	r4, r4, #0xc0
	msr	cpsr_c, r4
	add	r5, r0, #32
	stmia	r5!, {r8-r14}
	msr	cpsr_c, #SYS
	stmia	r5!, {r1-r3}
	stmia	r5!, {r13-r14}
	msr	cpsr_c, #SVC
	mrc	p15, 0, r1, c6, c0, 0		/* DFAR, DFSR */
	mrc	p15, 0, r2, c5, c0, 0
	stmia	r5!, {r1-r2}
	/* What changed in the data page; it is put back. */
	add	r6, r5, #4
	mov	r7, #0
	ldr	r1, =DATA
	ldr	r2, =CASES + 0x1000
	mov	r3, #0
1:	ldr	r4, [r1, r3]
	ldr	r8, [r2, r3]
	cmp	r4, r8
	beq	2f
	str	r8, [r1, r3]
	cmp	r7, #20
	beq	2f
	str	r3, [r6], #4
	str	r4, [r6], #4
	add	r7, r7, #1
2:	add	r3, r3, #4
	cmp	r3, #4096
	bne	1b
	str	r7, [r5]
	/* And the code page. */
	ldr	r0, this_case
	ldr	r1, [r0, #68]
	bfc	r1, #12, #20
	ldr	r2, =CODE
	add	r2, r2, r1
	ldr	r3, =CASES + 0x2000
	add	r3, r3, r1
	mov	r5, #8
1:	ldrh	r4, [r3], #2
	strh	r4, [r2], #2
	subs	r5, r5, #1
	bne	1b
	add	r0, r0, #CASE_SIZE
	str	r0, this_case
	ldr	r0, this_result
	add	r0, r0, #RESULT_SIZE
	str	r0, this_result
	b	next

finish:	adr	r0, name
	mov	r1, #5				/* "wb" */
	mov	r2, #7
	adr	r3, arguments
	stmia	r3, {r0-r2}
	mov	r0, #1				/* SYS_OPEN */
	mov	r1, r3
	svc	0x123456
	ldr	r1, =RESULTS
	ldr	r2, this_result
	sub	r2, r2, r1
	adr	r3, arguments
	stmia	r3, {r0-r2}
	mov	r0, #5				/* SYS_WRITE */
	mov	r1, r3
	svc	0x123456
	mov	r0, #0x18			/* SYS_EXIT */
	ldr	r1, =0x20026
	svc	0x123456
	b	.
left:	.word	0
this_case:
	.word	0
this_result:
	.word	0
arguments:
	.skip	12
name:	.asciz	"results"
	.balign	4
	.ltorg
