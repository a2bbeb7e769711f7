/*
 * Who has the scheduling context: calls of passive servers, broken in every
 * place. The client calls `middle`, which calls `server`; both are passive.
 */
#include "kt.h"

static struct {
	cap_t ep, ep2, reply, reply2, ntfn;
	struct kt_thread client, middle, server;
	volatile unsigned answered, served, passed, hold;
	volatile uint64_t got;
	cap_t sc;
} s;

static void client(void *arg)
{
	uint64_t mr[SEL4_MSG_REGS] = { 1 };

	(void)arg;
	for (;;) {
		(void)sel4_call(s.ep2, msginfo(0, 0, 1), mr);
		s.got = mr[0];
		s.answered++;
		(void)sel4_wait(s.ntfn);
	}
}

static void middle(void *arg)
{
	uint64_t badge, mr[SEL4_MSG_REGS] = { 0 };

	(void)arg;
	(void)sel4_recv(s.ep2, &badge, mr, s.reply2);
	for (;;) {
		s.passed++;
		(void)sel4_call(s.ep, msginfo(0, 0, 1), mr);
		mr[0] += 10;
		(void)sel4_reply_recv(s.ep2, msginfo(0, 0, 1), &badge, mr, s.reply2);
	}
}

/* Told to hold, it waits for a signal before it answers. */
static void server(void *arg)
{
	uint64_t badge, mr[SEL4_MSG_REGS] = { 0 };

	(void)arg;
	(void)sel4_recv(s.ep, &badge, mr, s.reply);
	for (;;) {
		s.served++;
		if (s.hold)
			(void)sel4_wait(s.ntfn);
		mr[0] += 100;
		(void)sel4_reply_recv(s.ep, msginfo(0, 0, 1), &badge, mr, s.reply);
	}
}

static struct kt_thread passive(unsigned index, void (*entry)(void *))
{
	struct kt_thread t = kt_start(index, entry, NULL, KT_HIGH);

	CHECK_OK(sel4_sched_context_unbind(t.sc));
	return t;
}

/* The chain with the server holding the client's context. */
static void make_chain(unsigned hold)
{
	s.ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	s.ep2 = kt_make(ABI_OBJ_ENDPOINT, 0);
	s.reply = kt_make(ABI_OBJ_REPLY, 0);
	s.reply2 = kt_make(ABI_OBJ_REPLY, 0);
	s.ntfn = kt_make(ABI_OBJ_NOTIFICATION, 0);
	s.answered = s.served = s.passed = 0;
	s.hold = hold;
	s.server = passive(0, server);
	s.middle = passive(1, middle);
	s.client = kt_start(2, client, NULL, KT_HIGH);
	s.sc = s.client.sc;
	CHECK_EQ(s.passed, 1);
	CHECK_EQ(s.served, 1);
	CHECK_EQ(s.answered, !hold);
}

/* The context is bound to this thread, and to no other. */
static void check_holder(struct kt_thread t)
{
	const struct kt_thread all[] = { s.client, s.middle, s.server };

	for (unsigned i = 0; i < 3; i++)
		if (all[i].index != t.index)
			CHECK_EQ(sel4_sched_context_unbind_object(s.sc, all[i].tcb),
				 ABI_ILLEGAL_OPERATION);
	CHECK_OK(sel4_sched_context_unbind_object(s.sc, t.tcb));
	CHECK_OK(sel4_sched_context_bind(s.sc, t.tcb));
}

static void there_and_back(void)
{
	make_chain(0);
	CHECK_EQ(s.got, 111);
	check_holder(s.client);
	for (unsigned i = 2; i < 5; i++) {
		sel4_signal(s.ntfn);
		CHECK_EQ(s.answered, i);
	}
	check_holder(s.client);
}

static void held_by_the_server(void)
{
	make_chain(1);
	CHECK_EQ(sel4_sched_context_unbind_object(s.sc, s.client.tcb), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_sched_context_bind(s.sc, kt_make(ABI_OBJ_TCB, 0)), ABI_ILLEGAL_OPERATION);
	sel4_signal(s.ntfn);
	CHECK_EQ(s.answered, 1);
	check_holder(s.client);
}

static void server_time_is_the_clients(void)
{
	uint64_t used = 0;

	make_chain(1);
	CHECK_OK(sel4_sched_context_consumed(s.sc, &used));
	CHECK(used > 0);
	sel4_signal(s.ntfn);
	CHECK_EQ(s.answered, 1);
	CHECK_OK(sel4_sched_context_consumed(s.sc, &used));
	CHECK(used < 50);
}

/* The reply object of the last call goes: the context goes to its caller, who
 * is stopped. */
static void last_reply_deleted(void)
{
	make_chain(1);
	CHECK_OK(kt_delete(s.reply));
	check_holder(s.middle);
	sel4_signal(s.ntfn);
	CHECK_EQ(s.answered, 0);
	/* Resumed, it calls again, and nobody serves. */
	CHECK_OK(sel4_tcb_resume(s.middle.tcb));
	CHECK_EQ(s.answered, 0);
}

/* The reply object of the first call goes: the server keeps the context, and
 * gives it back to the middle only. */
static void first_reply_deleted(void)
{
	make_chain(1);
	CHECK_OK(kt_delete(s.reply2));
	CHECK_EQ(sel4_sched_context_unbind_object(s.sc, s.client.tcb), ABI_ILLEGAL_OPERATION);
	sel4_signal(s.ntfn);
	CHECK_EQ(s.answered, 0);
	check_holder(s.middle);
}

static void client_deleted(void)
{
	make_chain(1);
	CHECK_OK(kt_delete(s.client.tcb));
	sel4_signal(s.ntfn);
	CHECK_OK(sel4_sched_context_unbind_object(s.sc, s.middle.tcb));
}

static void client_suspended(void)
{
	make_chain(1);
	CHECK_OK(sel4_tcb_suspend(s.client.tcb));
	sel4_signal(s.ntfn);
	CHECK_EQ(s.answered, 0);
	check_holder(s.middle);
	/* It has none any more. */
	CHECK_OK(sel4_tcb_resume(s.client.tcb));
	CHECK_EQ(s.answered, 0);
	CHECK_OK(sel4_sched_context_unbind(s.sc));
	CHECK_OK(sel4_sched_context_bind(s.sc, s.client.tcb));
}

static void middle_suspended(void)
{
	make_chain(1);
	CHECK_OK(sel4_tcb_suspend(s.middle.tcb));
	sel4_signal(s.ntfn); /* the server answers nobody, and keeps the context */
	check_holder(s.server);
	CHECK_EQ(s.answered, 0);
}

static void middle_deleted(void)
{
	make_chain(1);
	CHECK_OK(kt_delete(s.middle.tcb));
	sel4_signal(s.ntfn);
	CHECK_OK(sel4_sched_context_unbind_object(s.sc, s.server.tcb));
	CHECK_EQ(s.answered, 0);
}

static void server_suspended(void)
{
	make_chain(1);
	CHECK_OK(sel4_tcb_suspend(s.server.tcb));
	check_holder(s.server);
	/* It does not answer; deleting its reply object gives the context on. */
	CHECK_OK(kt_delete(s.reply));
	check_holder(s.middle);
}

static void server_deleted(void)
{
	make_chain(1);
	CHECK_OK(kt_delete(s.server.tcb));
	CHECK_EQ(sel4_sched_context_unbind_object(s.sc, s.middle.tcb), ABI_ILLEGAL_OPERATION);
	CHECK_OK(kt_delete(s.reply));
	CHECK_OK(sel4_sched_context_unbind_object(s.sc, s.middle.tcb));
}

static void unbound_while_lent(void)
{
	make_chain(1);
	CHECK_OK(sel4_sched_context_unbind(s.sc));
	sel4_signal(s.ntfn);
	CHECK_EQ(s.answered, 0); /* the server has no time */
	/* With it, it answers, but the way back is forgotten. */
	CHECK_OK(sel4_sched_context_bind(s.sc, s.server.tcb));
	check_holder(s.server);
	CHECK_EQ(s.answered, 0);
}

static void deleted_while_lent(void)
{
	make_chain(1);
	CHECK_OK(kt_delete(s.sc));
	sel4_signal(s.ntfn);
	CHECK_EQ(s.answered, 0);
	/* With new ones the chain ends as if nothing had been. */
	const struct kt_thread all[] = { s.server, s.middle, s.client };
	for (unsigned i = 0; i < 3; i++) {
		cap_t sc = kt_make(ABI_OBJ_SCHED_CONTEXT, 8);

		CHECK_OK(sel4_sched_control_configure(kt_sched_control(), sc, 1000, 1000, 0, 0, 0));
		CHECK_OK(sel4_sched_context_bind(sc, all[i].tcb));
	}
	CHECK_EQ(s.answered, 1);
	CHECK_EQ(s.got, 111);
}

/* The server asks for another message with the object that a caller waits for. */
static void reply_object_used_again(void)
{
	uint64_t badge = 1, mr[SEL4_MSG_REGS] = { 0 };

	make_chain(1);
	(void)sel4_nb_recv(s.ep, &badge, mr, s.reply);
	CHECK_EQ(badge, 0);
	sel4_signal(s.ntfn);
	CHECK_EQ(s.answered, 0);
	check_holder(s.server);
}

static void an_active_middle_keeps_its_own(void)
{
	make_chain(0);
	cap_t sc = kt_make(ABI_OBJ_SCHED_CONTEXT, 8);

	CHECK_OK(sel4_sched_control_configure(kt_sched_control(), sc, 1000, 1000, 0, 0, 0));
	CHECK_OK(sel4_sched_context_bind(sc, s.middle.tcb));
	s.hold = 1;
	sel4_signal(s.ntfn);
	CHECK_EQ(s.served, 2);
	CHECK_OK(sel4_sched_context_unbind_object(s.sc, s.client.tcb)); /* it kept its own */
	CHECK_OK(sel4_sched_context_unbind_object(sc, s.server.tcb));   /* the middle's */
}

/* --- Send and the combined calls --- */

static void takes_one(void *arg)
{
	uint64_t badge, mr[SEL4_MSG_REGS] = { 0 };

	(void)arg;
	(void)sel4_recv(s.ep, &badge, mr, s.reply);
	s.got = mr[0];
	s.served++;
	(void)sel4_wait(s.ntfn);
	s.served++;
	kt_stop();
}

static void send_does_not_lend(void)
{
	uint64_t mr[SEL4_MSG_REGS] = { 77 };

	s.ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	s.reply = kt_make(ABI_OBJ_REPLY, 0);
	s.ntfn = kt_make(ABI_OBJ_NOTIFICATION, 0);
	s.served = 0;
	struct kt_thread t = passive(0, takes_one);
	sel4_send(s.ep, msginfo(0, 0, 1), mr);
	CHECK_EQ(s.served, 0); /* it has the message, but no time */
	CHECK_OK(sel4_sched_context_bind(t.sc, t.tcb));
	CHECK_EQ(s.served, 1);
	CHECK_EQ(s.got, 77);
}

static void lends_and_waits(void *arg)
{
	uint64_t badge, mr[SEL4_MSG_REGS] = { 55 };

	(void)arg;
	(void)sel4_nb_send_wait(s.ep, msginfo(0, 0, 1), mr, s.ntfn, &badge);
	s.answered++;
	kt_stop();
}

static void nb_send_wait_lends(void)
{
	s.ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	s.reply = kt_make(ABI_OBJ_REPLY, 0);
	s.ntfn = kt_make(ABI_OBJ_NOTIFICATION, 0);
	s.served = s.answered = 0;
	struct kt_thread t = passive(0, takes_one);
	struct kt_thread u = kt_start(1, lends_and_waits, NULL, KT_HIGH);
	CHECK_EQ(s.served, 1);
	CHECK_EQ(s.got, 55);
	CHECK_OK(sel4_sched_context_unbind_object(u.sc, t.tcb)); /* it is the other's now */
	CHECK_OK(sel4_sched_context_bind(u.sc, t.tcb));
	CHECK_EQ(s.answered, 0);
}

/* --- a notification's own context --- */

static void bound_server(void *arg)
{
	uint64_t badge, mr[SEL4_MSG_REGS] = { 0 };

	(void)arg;
	for (;;) {
		(void)sel4_recv(s.ep, &badge, mr, s.reply);
		s.got = badge;
		s.served++;
	}
}

static void a_bound_notification_lends_its_context(void)
{
	s.ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	s.reply = kt_make(ABI_OBJ_REPLY, 0);
	s.ntfn = kt_make(ABI_OBJ_NOTIFICATION, 0);
	s.served = 0;
	cap_t sc = kt_make(ABI_OBJ_SCHED_CONTEXT, 8), badged = kt_mint(s.ntfn, KT_ALL, 6);
	struct kt_thread t = kt_thread(0, bound_server, NULL, KT_HIGH, 0, true);

	CHECK_OK(sel4_tcb_bind_notification(t.tcb, s.ntfn));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_OK(sel4_sched_context_unbind(t.sc));
	sel4_signal(badged);
	CHECK_EQ(s.served, 0);
	CHECK_OK(sel4_sched_context_bind(t.sc, t.tcb));
	CHECK_EQ(s.served, 1);
	CHECK_OK(sel4_sched_context_unbind(t.sc));
	CHECK_OK(sel4_sched_control_configure(kt_sched_control(), sc, 1000, 1000, 0, 0, 0));
	CHECK_OK(sel4_sched_context_bind(sc, s.ntfn));
	for (unsigned i = 2; i < 5; i++) {
		sel4_signal(badged);
		CHECK_EQ(s.served, i);
		CHECK_EQ(s.got, 6);
		/* Blocked again, it has given the context back. */
		CHECK_EQ(sel4_sched_context_unbind_object(sc, t.tcb), ABI_ILLEGAL_OPERATION);
	}
	CHECK_OK(sel4_sched_context_unbind_object(sc, s.ntfn));
	sel4_signal(badged);
	CHECK_EQ(s.served, 4);
}

/* --- yielding to a thread --- */

static void waits_twice(void *arg)
{
	(void)arg;
	s.served++;
	(void)sel4_wait(s.ntfn);
	s.served++;
	kt_stop();
}

static void yields_to(void *arg)
{
	uint64_t used = ~0ull;

	s.got = (uint64_t)sel4_sched_context_yield_to(*(cap_t *)arg, &used);
	s.passed = used != ~0ull;
	s.answered++;
	kt_stop();
}

static struct kt_thread ready_target(unsigned prio, void (*entry)(void *))
{
	struct kt_thread t = kt_thread(0, entry, NULL, prio, 0, true);

	s.ntfn = kt_make(ABI_OBJ_NOTIFICATION, 0);
	s.served = s.answered = s.passed = 0;
	s.got = 99;
	CHECK_OK(sel4_tcb_resume(t.tcb));
	return t;
}

/* The target blocks at once: the yielder goes on. */
static void yield_until_it_blocks(void)
{
	struct kt_thread t = ready_target(KT_PRIO, waits_twice);
	uint64_t used = ~0ull;

	CHECK_EQ(s.served, 0);
	CHECK_OK(sel4_sched_context_yield_to(t.sc, &used));
	CHECK_EQ(s.served, 1);
	CHECK(used < 100);
}

static void spins(void *arg)
{
	(void)arg;
	for (;;)
		s.served++;
}

static void start_yielder(struct kt_thread *target)
{
	static cap_t sc;

	*target = ready_target(KT_LOW, spins);
	sc = target->sc;
	(void)kt_start(1, yields_to, &sc, KT_LOW);
	kt_sleep_us(1500);
}

static void yielder_of_equal_priority(void)
{
	struct kt_thread t;

	start_yielder(&t);
	CHECK(s.served > 0);
	kt_sleep_us(12000); /* the target's 5 ms pass */
	CHECK_EQ(s.answered, 1);
	CHECK_EQ(s.got, ABI_OK);
	CHECK_EQ(s.passed, 1);
}

static void target_unbound_under_a_yielder(void)
{
	struct kt_thread t = ready_target(KT_LOW, spins), u;
	cap_t sc = t.sc;

	u = kt_thread(1, yields_to, &sc, KT_LOW, 0, true);
	CHECK_OK(sel4_sched_control_configure(kt_sched_control(), t.sc, 100000, 100000, 0, 0, 0));
	CHECK_OK(sel4_tcb_resume(u.tcb));
	kt_sleep_us(1500);
	CHECK_OK(sel4_sched_context_yield_to(u.sc, &(uint64_t){ 0 })); /* its turn */
	kt_sleep_us(1500);
	CHECK_EQ(s.answered, 0);
	CHECK_OK(sel4_sched_context_unbind(t.sc));
	kt_sleep_us(1500);
	CHECK_EQ(s.answered, 1);
	CHECK_EQ(s.got, ABI_OK);
}

static void yielder_suspended(void)
{
	struct kt_thread t = ready_target(KT_LOW, spins), u;
	cap_t sc = t.sc;

	u = kt_thread(1, yields_to, &sc, KT_LOW, 0, true);
	CHECK_OK(sel4_sched_control_configure(kt_sched_control(), t.sc, 100000, 100000, 0, 0, 0));
	CHECK_OK(sel4_tcb_resume(u.tcb));
	CHECK_OK(sel4_sched_context_yield_to(u.sc, &(uint64_t){ 0 }));
	kt_sleep_us(1500);
	CHECK_OK(sel4_tcb_suspend(u.tcb));
	CHECK_OK(sel4_sched_context_unbind(t.sc));
	kt_sleep_us(1500);
	CHECK_EQ(s.answered, 0);
}

static const struct kt_case cases[] = {
	{ "donation: through two servers and back", there_and_back },
	{ "donation: while the server has it", held_by_the_server },
	{ "donation: the server's time is the client's", server_time_is_the_clients },
	{ "donation: the last reply object deleted", last_reply_deleted },
	{ "donation: the first reply object deleted", first_reply_deleted },
	{ "donation: the client deleted", client_deleted },
	{ "donation: the client suspended", client_suspended },
	{ "donation: the middle suspended", middle_suspended },
	{ "donation: the middle deleted", middle_deleted },
	{ "donation: the server suspended", server_suspended },
	{ "donation: the server deleted", server_deleted },
	{ "donation: the context unbound while lent", unbound_while_lent },
	{ "donation: the context deleted while lent", deleted_while_lent },
	{ "donation: the reply object used again", reply_object_used_again },
	{ "donation: an active middle keeps its own", an_active_middle_keeps_its_own },
	{ "donation: Send lends nothing", send_does_not_lend },
	{ "donation: NBSendWait lends", nb_send_wait_lends },
	{ "donation: a bound notification's context", a_bound_notification_lends_its_context },
	{ "donation: YieldTo until the target blocks", yield_until_it_blocks },
	{ "donation: YieldTo until the target's time is up", yielder_of_equal_priority },
	{ "donation: the target of YieldTo unbound", target_unbound_under_a_yielder },
	{ "donation: suspended in YieldTo", yielder_suspended },
};
KT_GROUP(kt_donation);
