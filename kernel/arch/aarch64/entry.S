/*
 * Exceptions. While a thread runs, SP_EL2 points at its struct arch_context,
 * which is where its TCB begins;
 * in the kernel it is the kernel stack.
 */
#include <arch/offsets.h>

/* x2 to x29 as struct arch_context has them. */
.macro pair op, base, a, b
	\op	x\a, x\b, [\base, #8 * \a]
.endm
.macro pairs op, base
	.irp	ab, "2,3", "4,5", "6,7", "8,9", "10,11", "12,13", "14,15", "16,17", "18,19", \
		"20,21", "22,23", "24,25", "26,27", "28,29"
	pair	\op, \base, \ab
	.endr
.endm

.macro save_context
	stp	x0, x1, [sp, #0]
	pairs	stp, sp
	mrs	x9, sp_el0
	stp	x30, x9, [sp, #240]
	mrs	x10, elr_el2
	mrs	x11, spsr_el2
	stp	x10, x11, [sp, #ARCH_CONTEXT_ELR]
	mrs	x12, tpidr_el0
	str	x12, [sp, #ARCH_CONTEXT_TPIDR]
	mov	x0, sp
	mrs	x9, tpidr_el2
	ldr	x9, [x9, #ARCH_CPU_STACK]
	mov	sp, x9
	mov	x29, xzr
.endm

/* To C code that gets the thread and returns the one to run: fills its vector. */
.macro entry_to function
	.balign	128
	save_context
	bl	\function
	b	arch_return_to_user
.endm

.macro entry_bad kind
	.balign	128
	b	2f
	.pushsection .text
2:	msr	tpidrro_el0, x0  /* the thread's value is lost: we stop anyway */
	mov	x0, #\kind
	b	panic_entry
	.popsection
.endm

.section .text.vectors, "ax"
.balign 2048
.global vectors
vectors:
	entry_bad 0
	entry_bad 1
	entry_bad 2
	entry_bad 3
	entry_bad 4
	entry_bad 5
	entry_bad 6
	entry_bad 7
	entry_to trap_sync
	entry_to trap_irq
	entry_to trap_irq
	entry_to trap_serror
	entry_to trap_sync
	entry_to trap_irq
	entry_to trap_irq
	entry_to trap_serror

.text
/* x0 = the thread to run. */
.global arch_return_to_user
arch_return_to_user:
	mov	sp, x0
	ldp	x10, x11, [sp, #ARCH_CONTEXT_ELR]
	msr	elr_el2, x10
	msr	spsr_el2, x11
	ldr	x12, [sp, #ARCH_CONTEXT_TPIDR]
	msr	tpidr_el0, x12
	ldp	x30, x9, [sp, #240]
	msr	sp_el0, x9
	ldp	x0, x1, [sp, #0]
	pairs	ldp, sp
	eret
	/* No speculation past the return. */
	dsb	nsh
	isb

/* An exception of the kernel itself. x0 = which; its old value is in
 * TPIDRRO_EL0. All registers go to a stack that nobody else uses. */
panic_entry:
	msr	tpidr_el0, x1
	ldr	x1, =panic_stack_top - 288
	pairs	stp, x1
	mov	x2, sp
	stp	x30, x2, [x1, #240]
	mrs	x2, elr_el2
	mrs	x3, spsr_el2
	stp	x2, x3, [x1, #256]
	mrs	x2, tpidrro_el0
	mrs	x3, tpidr_el0
	stp	x2, x3, [x1]
	mov	sp, x1
	bl	panic_exception  /* (kind, frame) */
	b	.

/* The same entries while they are traced (trace.c). x19 is saved by then. */
.macro entry_traced function, sync
	.balign	128
	b	3f
	.pushsection .text
3:	save_context
	mov	x19, x0
	mov	w1, #\sync
	bl	trace_enter
	mov	x0, x19
	bl	\function
	bl	trace_return
	b	arch_return_to_user
	.popsection
.endm

.section .text.vectors, "ax"
.balign 2048
.global vectors_traced
vectors_traced:
	.irp	kind, 0, 1, 2, 3, 4, 5, 6, 7
	entry_bad \kind
	.endr
	.rept	2
	entry_traced trap_sync, 1
	entry_traced trap_irq, 0
	entry_traced trap_irq, 0
	entry_traced trap_serror, 1
	.endr

.section .bss
.balign 4096
	.skip	8192
panic_stack_top:
