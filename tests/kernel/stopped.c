/*
 * Long calls that an interrupt stops, at any of their steps: run again, they
 * go on where they were, and in the end all is done.
 */
#include "kt.h"

#include <selvage/clock.h>

#define PERIOD_US 100u
#define SWEEP 250u /* times 20 ns */
#define SENDERS (KT_THREADS - 2)

static struct {
	cap_t outer, memory[2], ep, badged[2], ntfn;
	void (*act)(void);
	struct kt_thread acts, wakes;
	uint64_t until;             /* when it acts */
	volatile uint64_t released; /* when the periodic thread began last */
	volatile unsigned cancelled, done;
	volatile int error; /* of the call */
} n;

static void acts(void *arg)
{
	(void)arg;
	while (clock_now() < n.until)
		;
	n.act();
	n.done = 1;
	sel4_signal(n.ntfn);
	kt_stop();
}

static void wakes_each_period(void *arg)
{
	(void)arg;
	for (;;) {
		n.released = clock_now();
		sel4_signal(n.ntfn);
		sel4_yield();
	}
}

static void start_again(const struct kt_thread *t)
{
	CHECK_OK(sel4_tcb_write_registers(t->tcb, 1, ABI_CTX_COUNT, kt_registers(t->index)));
}

static void sweep_begin(void (*act)(void))
{
	n.act = act;
	n.ntfn = kt_make(ABI_OBJ_NOTIFICATION, 0);
	n.acts = kt_thread(0, acts, NULL, KT_LOW, 0, true);
	n.wakes = kt_thread(1, wakes_each_period, NULL, KT_HIGH, 0, true);
	CHECK_OK(sel4_sched_control_configure(kt_sched_control(), n.wakes.sc, PERIOD_US / 2,
					      PERIOD_US, 0, 0, 0));
	CHECK_OK(sel4_tcb_resume(n.wakes.tcb));
}

/* The call begins a little before a release that stops it; returns behind that. */
static void sweep_step(unsigned i)
{
	uint64_t us = kt_ticks(1), next = n.released;

	while (next < clock_now() + 20 * us)
		next += PERIOD_US * us;
	n.until = next - i * us / 50;
	n.done = 0;
	(void)sel4_poll(n.ntfn);
	start_again(&n.acts);
	while (n.released < next - us)
		(void)sel4_wait(n.ntfn);
}

/* The same, until the call is done. */
static void sweep_to_the_end(unsigned i)
{
	n.error = -1;
	sweep_step(i);
	while (!n.done)
		(void)sel4_wait(n.ntfn);
	CHECK_OK(n.error);
}

static void delete_inner(void) { (void)sel4_cnode_delete(n.outer, 1, 1); }

/* The last capability to a full CNode of two slots, in a slot of another. */
static void make_two(cap_t inner)
{
	CHECK_OK(sel4_untyped_retype(n.memory[0], KT_CNODE, ABI_OBJ_CNODE, 1, 0, 0, n.outer, 1));
	CHECK_OK(sel4_untyped_retype(n.memory[1], KT_CNODE, ABI_OBJ_CNODE, 1, 0, 0, inner, 1));
	for (unsigned i = 0; i < 2; i++)
		CHECK_OK(sel4_cnode_copy(inner, i, 1, KT_CNODE, ABI_ROOT_TCB, 64, KT_ALL));
	CHECK_OK(sel4_cnode_move(n.outer, 1, 1, KT_CNODE, inner, 64));
}

/* Whatever the state in which it is left: the outer one's deletion ends it, and
 * nothing points into its memory any more. */
static void deletion_stopped_at_any_step(void)
{
	cap_t inner = kt_slot(), ep = kt_slots(4);

	n.outer = kt_slot();
	for (unsigned i = 0; i < 2; i++)
		n.memory[i] = kt_make(ABI_OBJ_UNTYPED, 6);
	sweep_begin(delete_inner);
	for (unsigned i = 0; i < SWEEP; i++) {
		make_two(inner);
		sweep_step(i);
		CHECK_OK(kt_delete(n.outer));
		CHECK_OK(sel4_tcb_suspend(n.acts.tcb));
		/* Other objects in their place. */
		CHECK_OK(sel4_untyped_retype(n.memory[0], KT_CNODE, ABI_OBJ_ENDPOINT, 0, 0, 0, ep,
					     4));
		CHECK_OK(kt_revoke(n.memory[1]));
		CHECK_OK(kt_revoke(n.memory[0]));
	}
}

static void cancel(void)
{
	n.error = sel4_cnode_cancel_badged_sends(KT_CNODE, n.badged[0], 64);
}

static void sends_until_cancelled(void *arg)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	(void)arg;
	sel4_send(n.badged[1], msginfo(0, 0, 0), mr);
	n.cancelled++;
	kt_stop();
}

/* Every sender of the badge, though the call goes on later. */
static void cancellation_stopped_at_any_step(void)
{
	struct kt_thread sender[SENDERS];

	n.ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	n.badged[0] = kt_mint(n.ep, KT_ALL, 1);
	n.badged[1] = kt_slot();
	for (unsigned i = 0; i < SENDERS; i++)
		sender[i] = kt_thread(2 + i, sends_until_cancelled, NULL, KT_HIGH - 1, 0, true);
	sweep_begin(cancel);
	for (unsigned i = 0; i < SWEEP; i++) {
		CHECK_OK(sel4_cnode_mint(KT_CNODE, n.badged[1], 64, KT_CNODE, n.ep, 64, KT_ALL,
					 1));
		n.cancelled = 0;
		for (unsigned k = 0; k < SENDERS; k++)
			start_again(&sender[k]);
		/* Their calls, run again, find nothing. */
		CHECK_OK(kt_delete(n.badged[1]));
		CHECK_EQ(n.cancelled, 0);
		sweep_to_the_end(i);
		CHECK_EQ(n.cancelled, SENDERS);
	}
}

/* --- what waits for an object that goes --- */

static void sends(void *arg)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	(void)arg;
	sel4_send(n.ep, msginfo(0, 0, 0), mr);
	kt_stop();
}

static void waits(void *arg)
{
	(void)arg;
	(void)sel4_wait(n.ep);
	kt_stop();
}

static void delete_object(void) { n.error = kt_delete(n.ep); }

/* It is gone when the call returns, whoever waited for it. */
static void object_gone(enum abi_object type, void (*wait)(void *))
{
	cap_t faults = kt_make(ABI_OBJ_ENDPOINT, 0);
	struct kt_thread waiter[SENDERS];

	/* Their calls, run again, find nothing: where that fault ends does not matter. */
	for (unsigned i = 0; i < SENDERS; i++)
		waiter[i] = kt_thread(2 + i, wait, NULL, KT_HIGH - 1, faults, true);
	sweep_begin(delete_object);
	for (unsigned i = 0; i < SWEEP; i++) {
		n.ep = kt_make(type, 0);
		for (unsigned k = 0; k < SENDERS; k++)
			start_again(&waiter[k]);
		sweep_to_the_end(i);
		CHECK(kt_is_empty(n.ep));
	}
}

static void endpoint_with_receivers(void) { object_gone(ABI_OBJ_ENDPOINT, waits); }
static void endpoint_with_senders(void) { object_gone(ABI_OBJ_ENDPOINT, sends); }
static void notification_with_waiters(void) { object_gone(ABI_OBJ_NOTIFICATION, waits); }

/* --- address spaces, descendants, memory --- */

#define SPACES 6

static void pool_with_spaces(void)
{
	cap_t memory = kt_make(ABI_OBJ_UNTYPED, 12), spaces = kt_make(ABI_OBJ_UNTYPED, 17);
	cap_t first = kt_slots(SPACES), frame = kt_make(ABI_OBJ_SMALL_PAGE, 0);

	n.ep = kt_slot();
	sweep_begin(delete_object);
	for (unsigned i = 0; i < SWEEP; i++) {
		CHECK_OK(sel4_asid_control_make_pool(ABI_ROOT_ASID_CONTROL, memory, KT_CNODE, n.ep,
						     64));
		CHECK_OK(sel4_untyped_retype(spaces, KT_CNODE, ABI_OBJ_VSPACE, 0, 0, 0, first,
					     SPACES));
		for (unsigned k = 0; k < SPACES; k++)
			CHECK_OK(sel4_asid_pool_assign(n.ep, first + k));
		sweep_to_the_end(i);
		CHECK(kt_is_empty(n.ep));
		for (unsigned k = 0; k < SPACES; k++)
			CHECK_EQ(sel4_page_map(frame, first + k, 0, KT_ALL, 0), ABI_FAILED_LOOKUP);
		CHECK_OK(kt_revoke(spaces));
	}
}

static void revoke_object(void) { n.error = kt_revoke(n.ep); }

static void revocation(void)
{
	cap_t copy = kt_slots(SPACES);

	n.ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	sweep_begin(revoke_object);
	for (unsigned i = 0; i < SWEEP; i++) {
		for (unsigned k = 0; k < SPACES; k++)
			CHECK_OK(sel4_cnode_mint(KT_CNODE, copy + k, 64, KT_CNODE, n.ep, 64, KT_ALL,
						 k));
		sweep_to_the_end(i);
		for (unsigned k = 0; k < SPACES; k++)
			CHECK(kt_is_empty(copy + k));
		CHECK(!kt_is_empty(n.ep));
	}
}

#define PAGES 16
#define WINDOW 0x3a800000ull

static void map_there(cap_t page)
{
	while (sel4_page_map(page, ABI_ROOT_VSPACE, WINDOW, KT_ALL, ABI_VM_DEFAULT) ==
	       ABI_FAILED_LOOKUP)
		CHECK_OK(kt_map_table(ABI_ROOT_VSPACE, WINDOW));
}

static void retype_page(void)
{
	n.error = sel4_untyped_retype(n.memory[0], KT_CNODE, ABI_OBJ_SMALL_PAGE, 0, 0, 0, n.ep, 1);
}

/* What was written there before is cleared from the end, in steps. */
static void retype_of_used_memory(void)
{
	volatile uint64_t *word = (volatile uint64_t *)WINDOW;
	cap_t page = kt_slots(PAGES);

	n.memory[0] = kt_make(ABI_OBJ_UNTYPED, 16);
	n.ep = page;
	sweep_begin(retype_page);
	for (unsigned i = 0; i < SWEEP; i++) {
		CHECK_OK(sel4_untyped_retype(n.memory[0], KT_CNODE, ABI_OBJ_SMALL_PAGE, 0, 0, 0,
					     page, PAGES));
		map_there(page);
		*word = 0x5a5a5a5a5a5a5a5aull;
		CHECK_OK(kt_revoke(n.memory[0]));
		sweep_to_the_end(i);
		map_there(page);
		CHECK_EQ(*word, 0);
		CHECK_OK(kt_revoke(n.memory[0]));
	}
}

static const struct kt_case cases[] = {
	{ "stopped: a deletion of nested CNodes", deletion_stopped_at_any_step },
	{ "stopped: a cancellation of badged sends", cancellation_stopped_at_any_step },
	{ "stopped: an endpoint's deletion, receivers", endpoint_with_receivers },
	{ "stopped: an endpoint's deletion, senders", endpoint_with_senders },
	{ "stopped: a notification's deletion", notification_with_waiters },
	{ "stopped: the deletion of an ASID pool", pool_with_spaces },
	{ "stopped: a revocation", revocation },
	{ "stopped: a retype that clears memory", retype_of_used_memory },
};
KT_GROUP(kt_stopped);
