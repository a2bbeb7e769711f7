/* The root task's first objects, for boot. */
#include <kernel/boot.h>

#include <kernel/arch.h>

void boot_sched_context(struct sched_context *sc, unsigned size_bits, uint64_t budget_us)
{
	(void)size_bits;
	refill_reset(sc, 2, arch_us_to_ticks(budget_us), 0, this_cpu()->now);
}

void boot_bind(struct tcb *t, struct sched_context *sc, prio_t prio, prio_t mcp)
{
	t->priority = prio;
	t->mcp = mcp;
	t->state = THREAD_RUNNING;
	sc->tcb = t;
	t->sc = sc;
}
