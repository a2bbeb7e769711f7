/* From user level; entry.S calls the trap_ functions. */
#pragma once

#include <arch/types.h>
#include <kernel/debug.h>
#include <kernel/trace.h>

#define IRQ_VECTOR 48u    /* to 155: interrupts of users */
#define VECTOR_TIMER 157u /* the kernel's own */
#define VECTOR_SPURIOUS 255u

/* The last thing that an entry does. */
static inline struct tcb *checked(struct tcb *next)
{
	invariants_check();
	if (unlikely(trace_is_on()))
		trace_event(next, ABI_TRACE_RETURN, 0);
	return next;
}

/* The thread that was running; the one that runs next. */
struct tcb *trap_syscall(struct tcb *t, word_t nr);
struct tcb *trap_vector(struct tcb *t);
/* Boot is over: the first thread. */
struct tcb *trap_first(void);
/* An interrupt while the kernel waits for one, or an exception of its own. */
void trap_kernel(struct arch_context *frame);
/* Takes the interrupt that waits, if any: the thread that runs next. */
struct tcb *trap_interrupt(struct tcb *t);
/* The same of one that is acknowledged. */
struct tcb *trap_taken(struct tcb *t, unsigned vector);
/* The thread's FS and GS bases are in its context, no longer in the registers. */
void cpu_sync_bases(struct tcb *t);
/* The current thread, or its guest, gets the FPU registers (cpu.c). */
void fpu_take(struct fpu_state *f);
/* If they are its, they are nobody's then, and hold nothing; it goes, or `save`: it is kept. */
void fpu_leave(struct fpu_state *f, bool save);
/* The same, its words for a user to read and write; MXCSR only to read (SDM 1, 10.5.1). */
word_t *fpu_words(struct fpu_state *f);
/* Where an exit of VT-x finds GDT, IDT and TSS. */
extern const word_t cpu_tables[3];
