/* Kernel entry from the loader: EL2, MMU and caches on, x0-x5 as boot_args. */
#include <arch/offsets.h>

.section .head, "ax"
.global _start
_start:
	msr	daifset, #15
	ldr	x9, =kernel_stack_top
	sub	sp, x9, #64
	stp	x0, x1, [sp]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	ldr	x9, =vectors
	msr	vbar_el2, x9
	mov	x9, #0x33ff     /* CPTR_EL2: nothing that the kernel uses traps */
	msr	cptr_el2, x9
	isb
	mov	x29, xzr
	mov	x30, xzr
	mov	x0, sp
	bl	arch_boot       /* returns the context to restore */
	b	arch_return_to_user

/*
 * void mmu_switch(ttbr, tcr, mair, sctlr): to other tables. The old and the
 * new ones map the same addresses with different block sizes, so the MMU is
 * off in between (D5.10.1, break before make). No data access until it is on
 * again; the code is clean to the point of coherency (loader).
 */
.text
.global mmu_switch
mmu_switch:
	dsb	sy
	mrs	x4, sctlr_el2
	bic	x4, x4, #1
	msr	sctlr_el2, x4
	isb
	msr	ttbr0_el2, x0
	msr	tcr_el2, x1
	msr	mair_el2, x2
	isb
	tlbi	alle2
	dsb	nsh
	isb
	msr	sctlr_el2, x3
	isb
	ret

.section .bss
.balign 4096
/* mmu.c leaves the page below the stack out: an overflow is a panic. */
.global kernel_stack_guard, kernel_stack_top
kernel_stack_guard:
	.skip	4096
	.skip	KERNEL_STACK_BYTES
kernel_stack_top:
