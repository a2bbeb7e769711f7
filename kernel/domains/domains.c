/*
 * Several domains (make DOMAINS=N). A domain's threads run only in its turns.
 * The schedule says whose turn it is for how long: entries from the start
 * index on, to the first end marker (duration 0), and again.
 */
#include <kernel/invoke.h>
#include <kernel/sched.h>

#define SCHEDULE_LENGTH 100 /* the last entry stays an end marker */
#define DURATION_BITS 56

static struct {
	ticks_t duration;
	dom_t domain;
} schedule[SCHEDULE_LENGTH] = { { (1ull << DURATION_BITS) - 1, 0 } };
static word_t start, at = ~0ull; /* the first entry is the next */

/* The entry's turn begins. Who ran goes back to the queue of his domain. */
static void begin(struct cpu *c)
{
	sched_reschedule();
	c->domain = schedule[at].domain;
	c->domain_end = c->now + schedule[at].duration;
	c->timer_dirty = true;
}

void domain_update(struct cpu *c)
{
	if (c->now < c->domain_end)
		return;
	if (schedule[++at].duration == 0)
		at = start;
	begin(c);
}

static int set(struct invocation *inv)
{
	struct cpu *c = this_cpu();
	struct tcb *t = cap_object(inv_extra(inv, 0));

	if (inv_arg(inv, 0) >= SELVAGE_DOMAINS)
		return inv_invalid_argument(inv, 0);
	if (cap_type(inv_extra(inv, 0)) != CAP_TCB)
		return inv_invalid_argument(inv, 1);
	bool queued = t->queue == QUEUE_READY || t == c->candidate;
	if (queued)
		sched_dequeue(t);
	t->domain = (dom_t)inv_arg(inv, 0);
	if (queued)
		sched_wake(t);
	if (t == c->current)
		sched_reschedule();
	return ABI_OK;
}

static int schedule_configure(struct invocation *inv)
{
	word_t i = inv_arg(inv, 0), domain = inv_arg(inv, 1), duration = inv_arg(inv, 2);

	if (i > SCHEDULE_LENGTH - 2)
		return inv_range(inv, 0, SCHEDULE_LENGTH - 2);
	if (domain >= SELVAGE_DOMAINS)
		return inv_range(inv, 0, SELVAGE_DOMAINS - 1);
	if (duration >> DURATION_BITS)
		return inv_invalid_argument(inv, 2);
	if (duration == 0 && domain != 0)
		return inv_invalid_argument(inv, 1);
	if (duration == 0 && i == start)
		return inv_invalid_argument(inv, 2);
	/* A turn that has begun is not changed. */
	schedule[i].duration = duration;
	schedule[i].domain = (dom_t)domain;
	return ABI_OK;
}

static int schedule_set_start(struct invocation *inv)
{
	word_t i = inv_arg(inv, 0);

	if (i > SCHEDULE_LENGTH - 1)
		return inv_range(inv, 0, SCHEDULE_LENGTH - 1);
	if (schedule[i].duration == 0)
		return inv_invalid_argument(inv, 0);
	start = at = i;
	begin(this_cpu());
	return ABI_OK;
}

int domain_invoke(struct invocation *inv)
{
	switch (inv->label) {
	case ABI_INV_DOMAIN_SET_SET: return set(inv);
	case ABI_INV_DOMAIN_SET_SCHEDULE_CONFIGURE: return schedule_configure(inv);
	default: /* ABI_INV_DOMAIN_SET_SCHEDULE_SET_START */
		return schedule_set_start(inv);
	}
}
