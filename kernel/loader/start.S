/*
 * Entry of a system image, by the arm64 boot protocol: EL2, MMU off, x0 =
 * devicetree. Everything up to the MMU's start runs on Device memory, so no
 * access may be unaligned.
 */
#include "mmu.h"

.section .head, "ax"
.global _start
_start:
	b	start
	.word	0
	.quad	0x200000                /* text_offset: RAM + 2 MiB */
	.quad	__loader_end - _start   /* image_size, patched by the tool */
	.quad	2                       /* little endian, 4 KiB pages */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.word	0
.global loader_header
loader_header:
	.quad	0x4452444c564c4553      /* LOADER_MAGIC */
	.word	1, 0
	.quad	0, 0, 0, 0

start:
	msr	daifset, #15
	mov	x19, x0
	mrs	x0, CurrentEL
	cmp	x0, #(2 << 2)
	b.ne	not_el2
	adr	x0, _start
	ldr	x1, =_start
	cmp	x0, x1
	b.ne	wrong_place
	ldr	x0, =SCTLR_EL2_OFF
	msr	sctlr_el2, x0
	mov	x0, #CPTR_EL2_NO_TRAPS
	msr	cptr_el2, x0
	isb
	adr	x0, vectors
	msr	vbar_el2, x0

	bl	invalidate_bss
	ldr	x0, =__bss_start
	ldr	x1, =__bss_end
1:	stp	xzr, xzr, [x0], #16
	cmp	x0, x1
	b.lo	1b
	ldr	x0, =stack_top
	mov	sp, x0
	mov	x0, x19
	bl	mmu_build
	mov	x20, x0
	/* Lines that were fetched while we wrote past the cache are stale. */
	bl	invalidate_bss
	ldr	x0, =MAIR_EL2_VALUE
	msr	mair_el2, x0
	bl	mmu_tcr
	msr	tcr_el2, x0
	msr	ttbr0_el2, x20
	isb
	tlbi	alle2
	ic	iallu
	dsb	nsh
	isb
	ldr	x0, =SCTLR_EL2_ON
	msr	sctlr_el2, x0
	isb
	mov	x0, x19
	bl	loader_main
	b	.

invalidate_bss:
	mrs	x2, ctr_el0
	ubfx	x2, x2, #16, #4
	mov	x3, #4
	lsl	x3, x3, x2
	ldr	x0, =__bss_start
	ldr	x1, =__bss_end
1:	dc	ivac, x0
	add	x0, x0, x3
	cmp	x0, x1
	b.lo	1b
	dsb	sy
	ret

/* void loader_jump(entry, const uint64_t args[6]): to the kernel, for good */
.global loader_jump
loader_jump:
	mov	x9, x0
	mov	x10, x1
	ldp	x0, x1, [x10]
	ldp	x2, x3, [x10, #16]
	ldp	x4, x5, [x10, #32]
	dsb	sy
	ic	iallu
	dsb	nsh
	isb
	br	x9

/* Too early for C: say it by hand. */
not_el2:
	adr	x1, not_el2_text
	b	early_die
wrong_place:
	adr	x1, wrong_place_text
early_die:
	ldr	x2, =PLAT_UART_BASE
1:	ldrb	w3, [x1], #1
	cbz	w3, 2f
	str	w3, [x2]
	b	1b
2:	wfi
	b	2b
not_el2_text:
	.asciz	"selvage loader: not started at EL2 (QEMU: -M virt,virtualization=on)\r\n"
wrong_place_text:
	.asciz	"selvage loader: not loaded at 0x40200000\r\n"

.balign 2048
vectors:
.rept 16
.balign 128
	mrs	x0, esr_el2
	mrs	x1, elr_el2
	mrs	x2, far_el2
	b	loader_exception
.endr

.section .bss
.balign 4096
	.skip	16384
stack_top:
