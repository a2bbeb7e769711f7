/* The scheduler: priorities, ready and release queues, time accounting. */
#pragma once

#include <kernel/cpu.h>
#include <kernel/sched_context.h>

/* Runnable, has a configured context, and is not parked. */
bool sched_can_run(const struct tcb *t);
/* A thread became ready: it may preempt (strictly higher priority). */
void sched_wake(struct tcb *t);
/* The current thread may have to give way. */
void sched_reschedule(void);
void sched_enqueue_head(struct tcb *t);
/* Off the ready or release queue, and no candidate any more. */
void sched_dequeue(struct tcb *t);
/* Parks a thread until its context's next refill is due. */
void sched_park(struct tcb *t);

/* Takes the time of this entry. */
void sched_time_enter(void);
/* Whether the current context has budget for another kernel entry; if not, it
 * is charged and its thread is queued, parked or raises a timeout fault. */
bool sched_check_budget(void);
/* Charges the time used so far to the current context. */
void sched_commit_time(void);
/* Current thread gives up its head refill. */
void sched_give_up(void);
/* The current thread gives way to a better one, whose context has budget; the
 * time of this entry has been taken. */
void sched_preempt(struct tcb *to);
/* Wakes parked threads whose refill is due; picks and switches the thread;
 * sets the timer. The last act of every kernel entry. */
void sched_finish(void);
/* The end of a domain's time: the next one's turn (kernel/domains). */
void domain_update(struct cpu *c);

/* Boot: the thread (state RUNNING, with a context) is what the core runs. */
void sched_start(struct tcb *t);

uint64_t sched_min_budget_us(void); /* 20 */
ticks_t sched_min_budget(void);     /* in ticks */
ticks_t sched_wcet(void);           /* 10 us in ticks */
