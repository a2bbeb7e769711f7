/*
 * As ref32.S, for AArch64: the instructions run at EL0. Addresses below 2^39:
 *
 *	0x40000000..0x7fffffff	this program, its tables, cases and results
 *	0x80000000..0xbfffffff	the code page, again and again, read-only
 *	all others		the data page
 */
	.equ	L1, 0x40100000
	.equ	L2_DATA, 0x40101000
	.equ	L3_DATA, 0x40102000
	.equ	L2_CODE, 0x40103000
	.equ	L3_CODE, 0x40104000
	.equ	DATA, 0x40110000
	.equ	CODE, 0x40111000
	.equ	CASES, 0x41000000
	.equ	FIRST, CASES + 0x3000
	.equ	RESULTS, 0x44000000
	.equ	CASE_SIZE, 320
	.equ	RESULT_SIZE, 512

	.macro	fill table, value
	ldr	x0, =\table
	mov	x1, #512
	ldr	x2, =\value
1:	str	x2, [x0], #8
	subs	x1, x1, #1
	b.ne	1b
	.endm

	/* x0, x1: to and from the registers x2 to x29 */
	.macro	all_pairs what, base
	\what	x2, x3, [\base, #16]
	\what	x4, x5, [\base, #32]
	\what	x6, x7, [\base, #48]
	\what	x8, x9, [\base, #64]
	\what	x10, x11, [\base, #80]
	\what	x12, x13, [\base, #96]
	\what	x14, x15, [\base, #112]
	\what	x16, x17, [\base, #128]
	\what	x18, x19, [\base, #144]
	\what	x20, x21, [\base, #160]
	\what	x22, x23, [\base, #176]
	\what	x24, x25, [\base, #192]
	\what	x26, x27, [\base, #208]
	\what	x28, x29, [\base, #224]
	.endm

	.text
start:	fill	L1, L2_DATA + 3
	fill	L2_DATA, L3_DATA + 3
	fill	L3_DATA, DATA + 0x60000000000743	/* EL0 too, XN */
	fill	L2_CODE, L3_CODE + 3
	fill	L3_CODE, CODE + 0x200000000007c3	/* read-only */
	ldr	x0, =L1
	ldr	x1, =0x40000701			/* a block, EL1 only */
	ldr	x2, =L2_CODE + 3
	stp	x1, x2, [x0, #8]
	msr	ttbr0_el1, x0
	mov	x0, #0xff
	msr	mair_el1, x0
	ldr	x0, =0x100803519		/* 39 bits, 4 KiB, no TTBR1 */
	msr	tcr_el1, x0
	adr	x0, vectors
	msr	vbar_el1, x0
	isb
	ldr	x0, =0x30d00801
	msr	sctlr_el1, x0
	isb
	ldr	x0, =CASES
	ldr	w19, [x0]			/* left */
	ldr	x20, =FIRST
	ldr	x21, =RESULTS
	ldr	x1, =DATA
	ldr	x0, =CASES + 0x1000
	mov	x2, #1024
1:	ldr	x3, [x0], #8
	str	x3, [x1], #8
	subs	x2, x2, #1
	b.ne	1b

next:	cbz	w19, finish
	sub	w19, w19, #1
	ldr	x1, [x20, #256]
	and	x2, x1, #0xfff
	ldr	x3, =CODE
	add	x3, x3, x2
	ldp	x4, x5, [x20, #280]
	stp	x4, x5, [x3]
	msr	elr_el1, x1
	ldp	x1, x2, [x20, #264]
	msr	spsr_el1, x1
	ldr	x0, =0x30d00801
	bfi	x0, x2, #24, #1			/* E0E */
	msr	sctlr_el1, x0
	dsb	sy
	isb
	ldr	x0, =state
	stp	x19, x20, [x0]
	str	x21, [x0, #16]
	ldp	x30, x0, [x20, #240]
	msr	sp_el0, x0
	mov	x1, x20
	all_pairs ldp, x1
	ldp	x0, x1, [x1]
	eret

	.balign	2048
vectors:
	b	.
	.balign	1024
	msr	tpidr_el1, x0
	ldr	x0, =state
	ldr	x0, [x0, #16]
	all_pairs stp, x0
	mrs	x2, tpidr_el1
	stp	x2, x1, [x0]
	mrs	x1, sp_el0
	stp	x30, x1, [x0, #240]
	mrs	x1, elr_el1
	mrs	x2, spsr_el1
	stp	x1, x2, [x0, #256]
	mrs	x1, esr_el1
	mrs	x2, far_el1
	stp	x1, x2, [x0, #272]
	mov	x21, x0
	ldr	x0, =state
	ldp	x19, x20, [x0]
	add	x6, x21, #296
	mov	w7, #0
	ldr	x1, =DATA
	ldr	x2, =CASES + 0x1000
	mov	x3, #0
1:	ldr	w4, [x1, x3]
	ldr	w8, [x2, x3]
	cmp	w4, w8
	b.eq	2f
	str	w8, [x1, x3]
	cmp	w7, #20
	b.eq	2f
	stp	w3, w4, [x6], #8
	add	w7, w7, #1
2:	add	x3, x3, #4
	cmp	x3, #4096
	b.ne	1b
	str	x7, [x21, #288]
	ldr	x0, [x20, #256]
	and	x0, x0, #0xfff
	ldr	x1, =CODE
	ldr	x2, =CASES + 0x2000
	add	x2, x2, x0
	add	x1, x1, x0
	ldp	x3, x4, [x2]
	stp	x3, x4, [x1]
	add	x20, x20, #CASE_SIZE
	add	x21, x21, #RESULT_SIZE
	b	next

finish:	ldr	x1, =arguments
	adr	x0, name
	mov	x2, #5				/* "wb" */
	mov	x3, #7
	stp	x0, x2, [x1]
	str	x3, [x1, #16]
	mov	w0, #1				/* SYS_OPEN */
	hlt	#0xf000
	ldr	x1, =arguments
	ldr	x2, =RESULTS
	sub	x3, x21, x2
	stp	x0, x2, [x1]
	str	x3, [x1, #16]
	mov	w0, #5				/* SYS_WRITE */
	hlt	#0xf000
	ldr	x1, =arguments
	ldr	x0, =0x20026
	stp	x0, xzr, [x1]
	mov	w0, #0x18			/* SYS_EXIT */
	hlt	#0xf000
	b	.
name:	.asciz	"results"
	.balign	8
	.equ	state, 0x40120000
	.equ	arguments, 0x40120100
	.ltorg
