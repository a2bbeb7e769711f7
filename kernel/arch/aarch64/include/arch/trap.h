/* Exceptions from user level; entry.S calls the trap_ functions. */
#pragma once

#include <arch/types.h>

/* The thread that was running; the one that runs next. */
struct tcb *trap_sync(struct tcb *t);
struct tcb *trap_irq(struct tcb *t);
struct tcb *trap_serror(struct tcb *t);
/* While entries are traced (trace.c). */
void trace_enter(const struct tcb *t, bool sync);
struct tcb *trace_return(struct tcb *t);
/* After boot: the root task. */
struct tcb *trap_first(void);
/* An exception of the kernel itself. */
_Noreturn void panic_exception(unsigned kind, const struct arch_context *ctx);
/* The current thread gets the FPU registers (cpu.c). */
void fpu_take(struct tcb *t);
