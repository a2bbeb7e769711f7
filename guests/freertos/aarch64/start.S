/* Entry and vectors in AArch64, at EL1. Tasks run with SP_EL0. */
	.section .start, "ax"
	.global _start
	.global _freertos_vector_table
_start:
	msr	daifset, #15
	msr	spsel, #1
	ldr	x0, =stack_el1
	mov	sp, x0
	/* Floating point: CPACR_EL1.FPEN. */
	mov	x0, #3 << 20
	msr	cpacr_el1, x0
	ldr	x0, =_freertos_vector_table
	msr	vbar_el1, x0
	isb
	ldr	x0, =bss_start
	ldr	x1, =bss_end
1:	cmp	x0, x1
	b.hs	2f
	str	xzr, [x0], #8
	b	1b
2:	bl	main
	b	.
	.ltorg

/* What the port calls to start the first task (linked with --wrap). */
	.global	__wrap_vPortRestoreTaskContext
__wrap_vPortRestoreTaskContext:
	svc	#0
	b	.

/* From EL1 with its own stack pointer, which no task has: the first one. */
first_svc:
	mrs	x0, esr_el1
	lsr	x0, x0, #26
	cmp	x0, #0x15
	b.ne	1f
	ldr	x0, =app_started
	mov	w1, #1
	str	w1, [x0]
	b	__real_vPortRestoreTaskContext
1:	mov	x0, #4
	mrs	x1, elr_el1
	b	app_exception
	.ltorg

.macro vector kind, handler=0
	.balign	0x80
	.ifc	\handler, 0
	mov	x0, #\kind
	mrs	x1, elr_el1
	b	app_exception
	.else
	b	\handler
	.endif
.endm

	.text
	.balign	0x800
_freertos_vector_table:
	vector	0, FreeRTOS_SWI_Handler
	vector	1, FreeRTOS_IRQ_Handler
	vector	2
	vector	3
	vector	4, first_svc
	vector	5, FreeRTOS_IRQ_Handler
	vector	6
	vector	7
	.irp	n, 8, 9, 10, 11, 12, 13, 14, 15
	vector	\n
	.endr

	.bss
	.balign	16
	.space	8192
stack_el1:
