/*
 * Entry and vectors in AArch32. The image begins with its exception vectors,
 * its first word is its entry. The port expects them in force, at 0 as after
 * reset: SCTLR.V and VBAR are left alone. On `virt` whoever starts the image
 * puts vectors there that lead here (README.md). On `vexpress-a9` address 0 is
 * RAM or flash, as the board is set up: RAM gets them, over flash VBAR does it.
 */
#include "board.h"

	.syntax unified
	.arm
	.section .start, "ax"
	.global _start
	.global _freertos_vector_table
_start:
_freertos_vector_table:
	b	reset
	b	undefined
	b	swi
	b	prefetch_abort
	b	data_abort
	b	.
	b	irq
	b	.
/* A task's goes to the port; the first one starts the first task. */
swi:
	push	{r0, r1}
	ldr	r0, =app_started
	ldr	r1, [r0]
	cmp	r1, #0
	pop	{r0, r1}
	ldrne	pc, =FreeRTOS_SWI_Handler
	ldr	r0, =app_started
	mov	r1, #1
	str	r1, [r0]
	b	__real_vPortRestoreTaskContext
irq:
	ldr	pc, =FreeRTOS_IRQ_Handler

/* An exception that ends it: its kind and where. */
undefined:
	sub	r1, lr, #4
	mov	r0, #1
	b	exception
prefetch_abort:
	sub	r1, lr, #4
	mov	r0, #3
	b	exception
data_abort:
	sub	r1, lr, #8
	mov	r0, #4
exception:
	ldr	sp, =stack_abort
	bl	app_exception

.macro stack mode, top
	cps	#\mode
	ldr	sp, =\top
.endm

/* What the port calls to start the first task (linked with --wrap). */
	.global	__wrap_vPortRestoreTaskContext
__wrap_vPortRestoreTaskContext:
	svc	#0
	b	.

reset:
	cpsid	if
	stack	0x17, stack_abort
	stack	0x1b, stack_abort
	stack	0x12, stack_irq
	stack	0x13, stack_svc
	stack	0x1f, stack_main
	/* Floating point: CPACR.cp10 and cp11, FPEXC.EN. */
	mrc	p15, 0, r0, c1, c0, 2
	orr	r0, r0, #0xf00000
	mcr	p15, 0, r0, c1, c0, 2
	isb
	mov	r0, #0x40000000
	vmsr	fpexc, r0
	ldr	r0, =bss_start
	ldr	r1, =bss_end
	mov	r2, #0
1:	cmp	r0, r1
	strlo	r2, [r0], #4
	blo	1b
#ifdef BOARD_VEXPRESS
	/* Branches with their targets: they hold wherever they stand. */
	mov	r0, #0
	ldr	r1, =low_table
	ldr	r3, [r1]
	str	r3, [r0]
	dsb
	ldr	r2, [r0]
	cmp	r2, r3
	bne	3f
	mov	r2, #16
2:	ldr	r3, [r1], #4
	str	r3, [r0], #4
	subs	r2, r2, #1
	bne	2b
	dsb
	mcr	p15, 0, r2, c7, c5, 0	/* ICIALLU */
	b	4f
3:	ldr	r0, =_freertos_vector_table
	mcr	p15, 0, r0, c12, c0, 0	/* VBAR */
4:	isb
#endif
	bl	main
	b	.

#ifdef BOARD_VEXPRESS
low_table:
	.rept	8
	ldr	pc, [pc, #24]
	.endr
	.irp	n, 0, 4, 8, 12, 16, 20, 24, 28
	.word	_start + \n
	.endr
#endif
	.ltorg

	.bss
	.balign	8
	.space	1024
stack_abort:
	.space	1024
stack_irq:
	.space	2048
stack_svc:
	.space	2048
stack_main:
