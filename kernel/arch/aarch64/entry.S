/*
 * Exceptions. While a thread runs, SP_EL2 points at its struct arch_context,
 * which is where its TCB begins;
 * in the kernel it is the kernel stack.
 */
#include <arch/offsets.h>

.macro save_context
	stp	x0, x1, [sp, #0]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
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
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldp	x18, x19, [sp, #144]
	ldp	x20, x21, [sp, #160]
	ldp	x22, x23, [sp, #176]
	ldp	x24, x25, [sp, #192]
	ldp	x26, x27, [sp, #208]
	ldp	x28, x29, [sp, #224]
	eret
	/* No speculation past the return. */
	dsb	nsh
	isb

/* An exception of the kernel itself. x0 = which; its old value is in
 * TPIDRRO_EL0. All registers go to a stack that nobody else uses. */
panic_entry:
	msr	tpidr_el0, x1
	ldr	x1, =panic_stack_top - 288
	stp	x2, x3, [x1, #16]
	stp	x4, x5, [x1, #32]
	stp	x6, x7, [x1, #48]
	stp	x8, x9, [x1, #64]
	stp	x10, x11, [x1, #80]
	stp	x12, x13, [x1, #96]
	stp	x14, x15, [x1, #112]
	stp	x16, x17, [x1, #128]
	stp	x18, x19, [x1, #144]
	stp	x20, x21, [x1, #160]
	stp	x22, x23, [x1, #176]
	stp	x24, x25, [x1, #192]
	stp	x26, x27, [x1, #208]
	stp	x28, x29, [x1, #224]
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
