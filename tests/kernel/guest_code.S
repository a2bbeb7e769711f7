/*
 * What the vCPU tests run at EL1, MMU off, at guest-physical 0x40000000.
 * Position-independent; every piece ends in an exit.
 */
.section .rodata.guest, "a"
.balign 4096
.global guest_code, guest_code_end
guest_code:

.macro entry name
.global guest_\name
guest_\name:
.endm

/* HVC with the numbers of system calls; then a store and a load outside. */
entry hvc
	mov	x0, #0x11
	mov	x7, #-1
	hvc	#0
	mov	x9, #0x50000000
	str	w0, [x9, #0x14]         /* w0 is what the reply gave */
	ldrsh	x10, [x9, #0x28]
	mov	x0, x10
	hvc	#1
	b	.

/* What exit messages carry: an MRS and an MSR that trap on demand, an SMC. */
entry exits
	mov	x4, #0x44
	mrs	x4, actlr_el1
	msr	actlr_el1, x4
	mov	x2, #0x20
	mov	x3, #0x30
	smc	#5
	hvc	#6
	b	.

/* The zero register in what traps, and an access without a syndrome. x0 comes
 * back as it was; SP_EL0, whose number the zero register has, too. */
entry zeros
	mov	x1, #0x1234
	msr	sp_el0, x1
	mov	x2, #0x20
	mov	x3, #0x30
	mov	x9, #0x50000000
	str	wzr, [x9]
	ldr	xzr, [x9, #8]
	msr	actlr_el1, xzr
	mrs	xzr, actlr_el1
	ldp	x2, x3, [x9, #16]
	mrs	x1, sp_el0
	hvc	#0
	b	.

/* Stores to x0: zero, of every size; a pair; one that changes the address. */
entry stores
	strb	wzr, [x0]
	strh	wzr, [x0]
	str	wzr, [x0]
	str	xzr, [x0]
	hvc	#0
	stp	xzr, xzr, [x0]
	str	xzr, [x0], #8
	hvc	#1
	b	.

/* SGI 0 to nobody. */
entry sgi_zero
	msr	s3_0_c12_c11_5, xzr     /* ICC_SGI1R_EL1 */
	hvc	#0
	b	.

/* Traps: SMC, WFI, debug, PMU, SVE, an ID register (opt-in). */
entry traps
	mov	x0, #0x22
	smc	#0
	wfi
	mrs	x1, mdscr_el1
	mrs	x1, pmcr_el0
	.inst	0x04bf5000      /* rdvl x0, #0 */
	mrs	x1, id_aa64pfr0_el1
	msr	actlr_el1, x1
	hvc	#0
	b	.

/* Which processor it is told that it runs on. */
entry midr
	mrs	x0, midr_el1
	hvc	#0
	b	.

/* RAS: the deferred-error register, written and read; an error record. */
entry ras_write
	msr	s3_0_c12_c1_1, x0       /* DISR_EL1 */
entry ras_read
	mrs	x0, s3_0_c12_c1_1
	hvc	#0
	mrs	x1, s3_0_c5_c3_0        /* ERRIDR_EL1 */
	hvc	#0
	b	.

/* Registers that act on EL0 left in the worst state, then out. */
entry hostile
	mrs	x0, sctlr_el1
	orr	x0, x0, #(1 << 24)      /* E0E */
	bic	x0, x0, #(1 << 14)      /* DZE */
	bic	x0, x0, #(1 << 15)      /* UCT */
	bic	x0, x0, #(1 << 26)      /* UCI */
	orr	x0, x0, #(1 << 4)
	msr	sctlr_el1, x0
	msr	cpacr_el1, xzr
	msr	cntkctl_el1, xzr
	mov	x1, #-1
	msr	tpidrro_el0, x1
	msr	tpidr_el0, x1
	msr	ttbr0_el1, x1
	msr	cntv_cval_el0, xzr
	mov	x1, #3
	msr	cntv_ctl_el0, x1        /* masked, expired */
	isb
	hvc	#0
	mrs	x0, sctlr_el1
	mrs	x1, tpidrro_el0
	mrs	x2, tpidr_el0
	mrs	x3, cntv_ctl_el0
	mrs	x4, cpacr_el1
	hvc	#0
	b	.

/* SIMD registers over exits: x0 is a tag from the VMM. */
entry simd
	mov	x1, #(3 << 20)
	msr	cpacr_el1, x1
	isb
	fmov	d0, x0
	dup	v31.2d, x0
	msr	tpidr_el1, x0
	msr	ttbr1_el1, x0
1:	hvc	#0
	fmov	x0, d0
	mov	x1, v31.d[1]
	mrs	x2, tpidr_el1
	mrs	x3, ttbr1_el1
	b	1b

/* Virtual timer: fires at once, spins until the VMM moves the PC. */
entry timer
	msr	cntv_cval_el0, xzr
	mov	x0, #1
	msr	cntv_ctl_el0, x0
	isb
	b	.
entry timer_off
	mrs	x0, cntv_ctl_el0
	msr	cntv_ctl_el0, xzr
	isb
	hvc	#0
	b	.

/* Interrupts. x0: GIC version. Takes one, reports its number by HVC, ends it. */
entry irq
	mov	x20, x0
	adr	x1, 3f
	msr	vbar_el1, x1
	mov	x2, #0x40000000
	orr	x2, x2, #0x10000        /* GICC, version 2 */
	mov	w3, #0xff
	mov	w4, #1
	cmp	x20, #3
	b.ne	1f
	msr	s3_0_c4_c6_0, x3        /* ICC_PMR_EL1 */
	msr	s3_0_c12_c12_7, x4      /* ICC_IGRPEN1_EL1 */
	isb
	b	2f
1:	str	w3, [x2, #4]            /* GICC_PMR */
	mov	w4, #1
	str	w4, [x2]                /* GICC_CTLR */
2:	msr	daifclr, #2
	isb
4:	hvc	#7                      /* nothing was pending */
	b	4b
	.balign	2048
3:	.skip	0x280
	cmp	x20, #3
	b.ne	5f
	mrs	x0, s3_0_c12_c12_0      /* ICC_IAR1_EL1 */
	mov	x21, x0
	hvc	#1
	b	6f
5:	ldr	w0, [x2, #0xc]         /* GICC_IAR */
	mov	x21, x0
	hvc	#1
6:	cmp	x20, #3
	b.ne	7f
	msr	s3_0_c12_c12_1, x21     /* ICC_EOIR1_EL1 */
	isb
	b	8f
7:	str	w21, [x2, #0x10]        /* GICC_EOIR */
8:	dsb	sy
	isb
	mov	x0, #64                 /* the maintenance interrupt comes first */
9:	sub	x0, x0, #1
	cbnz	x0, 9b
	mov	x0, #0x99
	hvc	#2
	b	.

/* AArch32 (A32 words; the assembler is for AArch64), entered in SVC mode.
 * x0 is a tag from the VMM. */
entry a32
	.word	0xee030f10      /* mcr  p15, 0, r0, c3, c0, 0   DACR */
	.word	0xee0d0f50      /* mcr  p15, 0, r0, c13, c0, 2  TPIDRURW */
	.word	0xf1020012      /* cps  #0x12                   IRQ mode */
	.word	0xe1a0d000      /* mov  sp, r0 */
	.word	0xe3a010d3      /* mov  r1, #0xd3 */
	.word	0xe169f001      /* msr  spsr_fc, r1             SPSR_irq */
	.word	0xf1020013      /* cps  #0x13                   SVC mode */
	.word	0xe3a01205      /* mov  r1, #0x50000000 */
entry a32_loop
	.word	0xe1400070      /* hvc  #0 */
	.word	0xe5810014      /* str  r0, [r1, #0x14] */
	.word	0xe1d122f8      /* ldrsh r2, [r1, #0x28] */
	.word	0xee133f10      /* mrc  p15, 0, r3, c3, c0, 0   DACR */
	.word	0xe1600070      /* smc  #0 */
	.word	0xe1400071      /* hvc  #1 */
	.word	0xeafffff8      /* b    a32_loop */
/* Active priorities as the guest has them (GICv3), and changed by it. */
entry active
	mrs	x0, s3_0_c12_c8_4       /* ICC_AP0R0_EL1 */
	mrs	x1, s3_0_c12_c9_0       /* ICC_AP1R0_EL1 */
	hvc	#0
	msr	s3_0_c12_c8_4, x0
	msr	s3_0_c12_c9_0, x1
	hvc	#0
	b	.
/* FPEXC written once, then read for ever. */
entry a32_fp
	.word	0xeee80a10      /* vmsr fpexc, r0 */
	.word	0xe1400070      /* hvc  #0 */
	.word	0xeef80a10      /* vmrs r0, fpexc */
	.word	0xeafffffc      /* b    the hvc */
/* T32: in an IT block, a load that is skipped by its VMM. */
	.balign	4
entry t32
	.hword	0x2005          /* movs r0, #5 */
	.hword	0xf04f, 0x41a0  /* mov.w r1, #0x50000000 */
	.hword	0x2805          /* cmp  r0, #5 */
	.hword	0xbf0c          /* ite  eq */
	.hword	0x6808          /* ldreq r0, [r1] */
	.hword	0x2077          /* movne r0, #0x77 */
	.hword	0xf7e0, 0x8000  /* hvc  #0 */
	.hword	0xe7fe          /* b    . */
	.balign	4

/* For the debugger: a breakpoint at `debug_here`, a watched address in x1. */
entry debug
	mov	x0, #1
entry debug_here
	add	x0, x0, #1
	add	x0, x0, #1
	str	x0, [x1]
	ldr	x2, [x1, #8]
	brk	#0x123
	hvc	#0
	b	.
/* For the debugger: a long way to step. */
entry steps
	.rept 63
	add	x0, x0, #1
	.endr
	b	guest_steps
/*
 * Direct interrupts. x0: GIC version, x1: what enables the CPU interface. Does
 * what x3 says with x0 and x4, waits a little for interrupts, and exits with
 * x0 = interrupts taken, x1 = the last one's number, for ever. The handler
 * exits too (hvc #9, x25 = number) if x24 is set; it stops the timer unless x23
 * is.
 */
entry direct
	mov	x20, x0
	adr	x5, 3f
	msr	vbar_el1, x5
	mov	x2, #0x40000000
	orr	x2, x2, #0x10000        /* GICC, version 2 */
	mov	w5, #0xff
	mov	w6, #1
	mov	x22, #0
	mov	x19, #0
	cmp	x20, #3
	b.ne	1f
	msr	s3_0_c4_c6_0, x5        /* ICC_PMR_EL1 */
	msr	s3_0_c12_c12_7, x6      /* ICC_IGRPEN1_EL1 */
	isb
	b	2f
1:	str	w5, [x2, #4]
	str	w6, [x2]
2:	msr	daifclr, #2
4:	mov	x0, x22
	mov	x1, x19
	hvc	#0
	mov	x24, x5                 /* x5, x6: flags of the handler */
	mov	x23, x6
	cmp	x3, #1
	b.eq	11f
	cmp	x3, #2
	b.eq	12f
	cmp	x3, #3
	b.eq	13f
	cmp	x3, #4
	b.eq	14f
	cmp	x3, #5
	b.eq	15f
	cmp	x3, #6
	b.eq	16f
	cmp	x3, #7
	b.eq	17f
	cmp	x3, #8
	b.eq	19f
10:	mov	x9, #64
9:	sub	x9, x9, #1
	cbnz	x9, 9b
	b	4b
11:	msr	s3_0_c12_c11_5, x0      /* ICC_SGI1R_EL1 */
	b	10b
12:	str	w0, [x4]
	b	10b
13:	msr	cntv_cval_el0, xzr      /* due at once */
	mov	x9, #1
	msr	cntv_ctl_el0, x9
	isb
	b	10b
14:	strb	w0, [x4]
	b	10b
15:	str	x0, [x4]
	b	10b
16:	msr	daifset, #2             /* due, and off again, not taken */
	msr	cntv_cval_el0, xzr
	mov	x9, #1
	msr	cntv_ctl_el0, x9
	isb
	mov	x9, #64
18:	sub	x9, x9, #1
	cbnz	x9, 18b
	msr	cntv_ctl_el0, xzr
	isb
	hvc	#3
	msr	daifclr, #2
	b	10b
19:	ldr	w9, [x4]
	b	10b
17:	msr	daifset, #2             /* until told otherwise */
	cbnz	x0, 4b
	msr	daifclr, #2
	b	10b
	.balign	2048
3:	.skip	0x280
	add	x22, x22, #1
	cbnz	x23, 5f
	msr	cntv_ctl_el0, xzr
	isb
5:	cmp	x20, #3
	b.ne	6f
	mrs	x19, s3_0_c12_c12_0
	b	7f
6:	ldr	w19, [x2, #0xc]
7:	cbz	x24, 8f
	hvc	#9
8:	cmp	x20, #3
	b.ne	9f
	msr	s3_0_c12_c12_1, x19
	isb
	eret
9:	str	w19, [x2, #0x10]
	dsb	sy
	eret

/* Never leaves by itself. */
entry spin
	b	.
/* Events at a time. x0, bit by bit: 0 its timer is due then; 1 it ends an
 * interrupt that its VMM wants to hear of; 2 the GIC is of version 3; 3 it
 * makes a hypercall first. x1: ticks from now. */
entry expiry
	mrs	x23, cntvct_el0
	add	x23, x23, x1
	mov	x21, x0
	tbz	x21, #0, 1f
	msr	cntv_cval_el0, x23
	mov	x3, #1
	msr	cntv_ctl_el0, x3
	isb
1:	tbz	x21, #3, 2f
	hvc	#0
2:	tbz	x21, #1, 8f
	mov	x2, #0x40000000
	orr	x2, x2, #0x10000
	mov	w3, #0xff
	mov	w4, #1
	tbz	x21, #2, 3f
	msr	s3_0_c4_c6_0, x3        /* ICC_PMR_EL1 */
	msr	s3_0_c12_c12_7, x4      /* ICC_IGRPEN1_EL1 */
	isb
	mrs	x5, s3_0_c12_c12_0      /* ICC_IAR1_EL1 */
	b	4f
3:	str	w3, [x2, #4]            /* GICC_PMR */
	str	w4, [x2]                /* GICC_CTLR */
	ldr	w5, [x2, #0xc]          /* GICC_IAR */
4:	mrs	x6, cntvct_el0
	cmp	x6, x23
	b.lo	4b
	tbz	x21, #2, 5f
	msr	s3_0_c12_c12_1, x5      /* ICC_EOIR1_EL1 */
	b	8f
5:	str	w5, [x2, #0x10]         /* GICC_EOIR */
8:	b	8b

/* Hypercalls that are counted. */
entry counts
	mov	x20, #0
1:	add	x20, x20, #1
	mov	x0, x20
	hvc	#0
	b	1b

/* One register that acts on EL0: set to x0, out; back, what it holds, out. */
.macro act name, register
entry act_\name
	msr	\register, x0
	isb
	hvc	#0
	mrs	x0, \register
	hvc	#0
	b	.
.endm
	act	sctlr, sctlr_el1
	act	cpacr, cpacr_el1
	act	tcr, tcr_el1
	act	mair, mair_el1
	act	cntkctl, cntkctl_el1
	act	cntv_ctl, cntv_ctl_el0
	act	tpidr, tpidr_el0
	act	tpidrro, tpidrro_el0
	act	contextidr, contextidr_el1
	act	mdscr, mdscr_el1
	act	osdlr, osdlr_el1
	act	dbgbcr, dbgbcr0_el1
	act	pmuserenr, pmuserenr_el0
	act	pmcr, pmcr_el0
	act	pmcntenset, pmcntenset_el0
	act	pmselr, pmselr_el0
	act	pmintenset, pmintenset_el1
	act	cntp_ctl, cntp_ctl_el0

.balign 4096
guest_code_end:
