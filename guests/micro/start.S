/*
 * A bare guest with an arm64 Linux Image header (Documentation/arm64/booting:
 * the boot loader enters at the first byte, x0 = devicetree, MMU off).
 */
.section .text.head, "ax"
	b	1f
	.word	0
	.quad	0			/* text_offset */
	.quad	image_size		/* micro.ld */
	.quad	0xa			/* little-endian, 4 KiB pages, anywhere */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.word	0
1:	adr	x1, stack_top
	mov	sp, x1
	adr	x1, micro_devicetree
	str	x0, [x1]
	bl	micro_main
2:	wfi
	b	2b

.section .bss
	.balign	16
	.skip	16384
.global stack_top
stack_top:
.global micro_devicetree
micro_devicetree:
	.skip	8
