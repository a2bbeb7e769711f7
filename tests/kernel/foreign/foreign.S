/* Entered in the midst of the image, with x0 = boot information alone. */
.section .text.entry, "ax"
	.skip	0x2f4
.global _start
_start:
	adrp	x1, stack_top
	add	x1, x1, :lo12:stack_top
	mov	sp, x1
	bl	foreign_main
	b	.

.section .bss
.balign 16
	.skip	16384
stack_top:

/* What a loader of everything carries along. */
.section .rodata.blob, "a"
.balign 8
.global blob
blob:
	.quad	1
	.rept	0x100000 - 2
	.quad	0x5e1fa9e05e1fa9e0
	.endr
	.quad	2
