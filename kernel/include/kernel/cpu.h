/* The state of one core. There is one so far; nothing else is global but the
 * interrupt table. */
#pragma once

#include <arch/types.h>
#include <kernel/options.h>
#include <kernel/tcb.h>

#define PRIO_WORDS (NUM_PRIORITIES / 64)

struct tcb_list {
	struct tcb *head, *tail;
};

/* The threads of a domain that could run. */
struct ready {
	int top;      /* best priority, -1: all empty */
	word_t words; /* bit w: map[w] is not zero */
	word_t map[PRIO_WORDS];
	struct tcb_list list[NUM_PRIORITIES];
};

struct cpu {
	struct arch_cpu arch;     /* first: TPIDR_EL2 or GS points here */
	struct tcb *current;      /* whose registers are restored; NULL: idle */
	struct sched_context *sc; /* charged for the time: of current, or NULL */
	struct tcb *candidate;    /* woken, in no queue: may run next */
	bool reschedule;          /* the current thread need not go on */
	bool timer_dirty;         /* the next deadline changed */
	ticks_t now;              /* time of this kernel entry */
	ticks_t used;             /* by cpu->sc, not yet charged to it */
	/* Until then cpu->sc has budget for an entry and no parked thread is due:
	 * an entry that ends in the fast path need not account for its time. */
	ticks_t quiet_until;
	struct tcb *release; /* parked threads, earliest first */
	/* With more than one domain (kernel/domains): whose turn it is, until when. */
	dom_t domain;
	ticks_t domain_end;
	struct ready ready[SELVAGE_DOMAINS];
};

extern struct cpu cpus[1];
static inline struct cpu *this_cpu(void) { return &cpus[0]; }
static inline dom_t domain_of(const struct tcb *t) { return SELVAGE_DOMAINS > 1 ? t->domain : 0; }
static inline dom_t domain_now(void) { return SELVAGE_DOMAINS > 1 ? this_cpu()->domain : 0; }
