/*
 * Kernel entry and exit: the contract between core and architecture.
 *
 * On an exception the architecture saves the registers of
 * this_cpu()->current (if it is not NULL: idle) into its arch_tcb:
 *   - `pc` where the thread goes on: after the SVC, or at the instruction
 *     that faulted or was interrupted;
 *   - the restart PC: the SVC itself, or the same as pc.
 * Then it calls exactly one of the functions below. Each does the accounting
 * of time, its work, and the scheduling; arch_switch_to (or
 * arch_switch_to_idle) has been called whenever the thread changed. When it
 * returns, the architecture restores the thread returned, or arch_next().
 *
 * The kernel itself runs with interrupts masked throughout.
 */
#pragma once

#include <kernel/fault.h>
#include <kernel/types.h>

struct tcb;

/* SVC of the current thread (never a guest's HVC): nr is x7. Unknown numbers
 * become faults. */
struct tcb *syscall_handle(struct tcb *t, int64_t nr);
/* The current thread faulted (arch kinds: abi/fault.h and abi/ext.h). */
struct tcb *fault_current(struct tcb *t, unsigned kind, word_t a, word_t b, word_t c);
/*
 * The same in two steps, for events that are told only once: between them the
 * caller marks the event as told. False: the thread is out of budget, nothing
 * was sent and the kernel is done; the event has to come again.
 */
bool fault_begin(void);
void fault_commit(const struct fault *f);
/* A device's interrupt, acknowledged at the controller (IAR read) but not
 * ended; the core masks it if needed and calls arch_irq_ack. Interrupts that
 * the architecture itself serves (maintenance, virtual timer) do not come
 * here: it calls irq_other (nothing to do) or fault_current instead. */
void irq_handle(irq_t irq);
/* The timer set by arch_timer_set fired (the architecture has ended it). */
void timer_handle(void);
/* Any other interrupt: only accounting and scheduling. */
void irq_other(void);
