/* Exceptions from user level; entry.S calls the trap_ functions. */
#pragma once

#include <arch/types.h>

struct arch_context *trap_sync(struct arch_context *ctx);
struct arch_context *trap_irq(struct arch_context *ctx);
struct arch_context *trap_serror(struct arch_context *ctx);
/* While entries are traced (trace.c). */
void trace_enter(const struct arch_context *ctx, bool sync);
struct arch_context *trace_return(struct arch_context *ctx);
/* After boot: the root task's context. */
struct arch_context *trap_first(void);
/* An exception of the kernel itself. */
_Noreturn void panic_exception(unsigned kind, const struct arch_context *ctx);
/* The current thread gets the FPU registers (cpu.c). */
void fpu_take(struct tcb *t);
