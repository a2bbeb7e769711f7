/* The state of one core. There is one so far; nothing else is global but the
 * interrupt table. */
#pragma once

#include <arch/types.h>
#include <kernel/tcb.h>

#define PRIO_WORDS (NUM_PRIORITIES / 64)

struct tcb_list {
	struct tcb *head, *tail;
};

struct cpu {
	struct arch_cpu arch;     /* first: TPIDR_EL2 or GS points here */
	struct tcb *current;      /* whose registers are restored; NULL: idle */
	struct sched_context *sc; /* charged for the time: of current, or NULL */
	struct tcb *candidate;    /* woken, in no queue: may run next */
	bool reschedule;          /* the current thread need not go on */
	bool timer_dirty;         /* the next deadline changed */
	unsigned index;
	int top;      /* best priority in the ready queues, -1: all empty */
	ticks_t now;  /* time of this kernel entry */
	ticks_t used; /* by cpu->sc, not yet charged to it */
	/* Until then cpu->sc has budget for an entry and no parked thread is due:
	 * an entry that ends in the fast path need not account for its time. */
	ticks_t quiet_until;
	struct tcb *release; /* parked threads, earliest first */
	word_t ready_words;  /* bit w: ready_map[w] is not zero */
	word_t ready_map[PRIO_WORDS];
	struct tcb_list ready[NUM_PRIORITIES];
};

extern struct cpu cpus[1];
static inline struct cpu *this_cpu(void) { return &cpus[0]; }
