/* Scheduling control: the parameters of a scheduling context. */
#include <abi/ext.h>
#include <kernel/invoke.h>
#include <kernel/sched.h>
#include <kernel/trace.h>

struct configure {
	struct sched_context *sc;
	uint64_t budget_us, period_us;
	word_t extra_refills, badge, flags;
};

static int check(struct invocation *inv, struct configure *p)
{
	uint64_t min = sched_min_budget_us(), max = arch_max_us();
	struct cap c;
	word_t limit;

	p->budget_us = inv_arg(inv, 0);
	p->period_us = inv_arg(inv, 1);
	p->extra_refills = inv_arg(inv, 2);
	p->badge = inv_arg(inv, 3);
	p->flags = inv_arg(inv, 4);
	if (p->budget_us > max || p->budget_us < min || p->period_us > max || p->period_us < min)
		return inv_range(inv, min, max);
	if (p->budget_us > p->period_us)
		return inv_range(inv, min, p->period_us);
	c = inv_extra(inv, 0);
	if (cap_type(c) != CAP_SCHED_CONTEXT)
		return inv_invalid_cap(inv, 1);
	limit = sc_refill_limit((unsigned)cap_sub_field(c, 0, 6)) - 2;
	if (p->extra_refills > limit)
		return inv_range(inv, 0, limit);
	p->sc = cap_object(c);
	return ABI_OK;
}

static void commit(const struct configure *p)
{
	struct sched_context *sc = p->sc;
	struct cpu *c = this_cpu();
	ticks_t budget = arch_us_to_ticks(p->budget_us);
	ticks_t period = p->budget_us == p->period_us ? 0 : arch_us_to_ticks(p->period_us);
	unsigned max = period ? (unsigned)p->extra_refills + 2 : 2;

	if (sc == c->sc)
		sched_commit_time();
	if (sc->tcb)
		sched_dequeue(sc->tcb);
	sc->badge = p->badge;
	sc->sporadic = p->flags & ABI_SC_FLAG_SPORADIC;
	if (sc_is_configured(sc) && sc->tcb && tcb_is_runnable(sc->tcb))
		refill_update(sc, max, budget, period, c->now);
	else
		refill_reset(sc, max, budget, period, c->now);
	c->timer_dirty = true;
	sc_resume(sc);
}

int sched_control_invoke(struct invocation *inv)
{
	struct configure p = { 0 };
	int error;

	if (inv->label == ABI_EXT_SCHED_CONTROL_SET_TRACE)
		return trace_set(inv);
	error = check(inv, &p);
	if (!error)
		commit(&p);
	return error;
}
