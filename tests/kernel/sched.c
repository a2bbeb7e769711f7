/* Scheduling contexts: parameters, budgets, timeouts, YieldTo. */
#include "kt.h"

#include <abi/invocation.h>

static struct {
	volatile unsigned count, other;
	volatile uint64_t consumed;
	cap_t sc, ep, reply, wait_ep[4], wait_reply, ntfn;
} s;

static int configure(cap_t sc, uint64_t budget, uint64_t period, uint64_t extra)
{
	return sel4_sched_control_configure(kt_sched_control(), sc, budget, period, extra, 0xb, 0);
}

static void configure_errors(void)
{
	uint64_t mr[4] = { 1000, 1000, 0, 0 };
	cap_t sc = kt_make(ABI_OBJ_SCHED_CONTEXT, 8);

	CHECK_EQ(sel4_invoke(kt_sched_control(), ABI_INV_SCHED_CONTROL_CONFIGURE_FLAGS, 0, 5, mr),
		 ABI_TRUNCATED_MESSAGE);
	sel4_ipcbuf->caps_or_badges[0] = sc;
	CHECK_EQ(sel4_invoke(kt_sched_control(), ABI_INV_SCHED_CONTROL_CONFIGURE_FLAGS, 1, 4, mr),
		 ABI_TRUNCATED_MESSAGE);
	CHECK_ERROR1(configure(sc, 19, 1000, 0), ABI_RANGE_ERROR, 20);
	CHECK_ERROR1(configure(sc, 100, 19, 0), ABI_RANGE_ERROR, 20);
	CHECK_ERROR1(configure(sc, ~0ull, ~0ull, 0), ABI_RANGE_ERROR, 20);
	CHECK_ERROR2(configure(sc, 2000, 1000, 0), ABI_RANGE_ERROR, 20, 1000);
	CHECK_ERROR1(configure(kt_make(ABI_OBJ_TCB, 0), 100, 1000, 0), ABI_INVALID_CAPABILITY, 1);
	CHECK_ERROR2(configure(sc, 100, 1000, 9), ABI_RANGE_ERROR, 0, 8);
	CHECK_OK(configure(sc, 100, 1000, 8));
	CHECK_OK(configure(sc, 20, 20, 0));
	CHECK_ERROR2(configure(kt_make(ABI_OBJ_SCHED_CONTEXT, 7), 100, 1000, 1), ABI_RANGE_ERROR, 0,
		     0);
}

/* Years, not hours: an eighth of what 64 bits of counter ticks hold. */
static void longest_budget(void)
{
	cap_t sc = kt_make(ABI_OBJ_SCHED_CONTEXT, 8);
	uint64_t max, hour = 3600000000ull;

	CHECK_EQ(configure(sc, ~0ull, ~0ull, 0), ABI_RANGE_ERROR);
	max = sel4_error_word(1);
	CHECK(max > 24 * 365 * hour);
	CHECK_OK(configure(sc, max, max, 0));
	CHECK_OK(configure(sc, 20, max, 8));
	CHECK_ERROR2(configure(sc, max, max + 1, 0), ABI_RANGE_ERROR, 20, max);
}

static void bind_errors(void)
{
	uint64_t mr[4] = { 0 };
	cap_t sc = kt_make(ABI_OBJ_SCHED_CONTEXT, 8), other = kt_make(ABI_OBJ_SCHED_CONTEXT, 8);
	cap_t a = kt_make(ABI_OBJ_TCB, 0), b = kt_make(ABI_OBJ_TCB, 0);
	cap_t n = kt_make(ABI_OBJ_NOTIFICATION, 0);

	CHECK_EQ(sel4_invoke(sc, ABI_INV_SCHED_CONTEXT_BIND, 0, 0, mr), ABI_TRUNCATED_MESSAGE);
	CHECK_ERROR1(sel4_sched_context_bind(sc, KT_CNODE), ABI_INVALID_CAPABILITY, 1);
	CHECK_OK(sel4_sched_context_bind(sc, a));
	CHECK_EQ(sel4_sched_context_bind(sc, b), ABI_ILLEGAL_OPERATION);
	/* A bound context is refused before anyone looks at the other side. */
	CHECK_EQ(sel4_sched_context_bind(sc, KT_CNODE), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_sched_context_bind(sc, n), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_sched_context_bind(other, a), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_sched_context_unbind_object(sc, b), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_sched_context_unbind_object(sc, n), ABI_ILLEGAL_OPERATION);
	CHECK_ERROR1(sel4_sched_context_unbind_object(sc, KT_CNODE), ABI_INVALID_CAPABILITY, 1);
	CHECK_OK(sel4_sched_context_unbind_object(sc, a));
	CHECK_OK(sel4_sched_context_bind(sc, n));
	CHECK_EQ(sel4_sched_context_bind(other, n), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_sched_context_bind(sc, a), ABI_ILLEGAL_OPERATION);
	CHECK_OK(sel4_sched_context_unbind(sc));
	CHECK_OK(sel4_sched_context_bind(other, n));
	CHECK_EQ(sel4_sched_context_unbind(ABI_ROOT_SCHED_CONTEXT), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_sched_context_unbind_object(ABI_ROOT_SCHED_CONTEXT, ABI_ROOT_TCB),
		 ABI_ILLEGAL_OPERATION);
}

enum wait { ON_RECEIVE,
	    ON_SEND,
	    ON_REPLY,
	    ON_NOTIFICATION,
	    WAITS };

static void waits(void *arg)
{
	uint64_t badge, mr[SEL4_MSG_REGS] = { 0 };

	switch ((enum wait)(uintptr_t)arg) {
	case ON_RECEIVE: (void)sel4_recv(s.wait_ep[ON_RECEIVE], &badge, mr, s.wait_reply); break;
	case ON_SEND: sel4_send(s.wait_ep[ON_SEND], msginfo(0, 0, 0), mr); break;
	case ON_REPLY: (void)sel4_call(s.ep, msginfo(0, 0, 0), mr); break;
	default: (void)sel4_wait(s.ntfn);
	}
	kt_stop();
}

static void spends(void *arg)
{
	(void)arg;
	for (;;)
		;
}

/* Whatever a thread waits for: a context whose budget is spent it cannot get
 * meanwhile, as nobody would see to it that it waits for its next period. */
static void no_spent_context_for_waiting_threads(void)
{
	struct kt_thread spender = kt_thread(0, spends, NULL, KT_HIGH, 0, true), t[WAITS];
	uint64_t badge, mr[SEL4_MSG_REGS] = { 0 };

	s.ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	s.reply = kt_make(ABI_OBJ_REPLY, 0);
	s.wait_reply = kt_make(ABI_OBJ_REPLY, 0);
	s.ntfn = kt_make(ABI_OBJ_NOTIFICATION, 0);
	for (unsigned i = 0; i < WAITS; i++) {
		s.wait_ep[i] = kt_make(ABI_OBJ_ENDPOINT, 0);
		t[i] = kt_start(1 + i, waits, (void *)(uintptr_t)i, KT_HIGH);
		if (i == ON_REPLY)
			(void)sel4_nb_recv(s.ep, &badge, mr, s.reply);
		else
			CHECK_OK(sel4_sched_context_unbind(t[i].sc));
	}
	CHECK_OK(sel4_sched_context_unbind(t[ON_REPLY].sc)); /* here it was with us */
	/* Not less than a debug kernel takes more: that would cost periods. */
	CHECK_OK(configure(spender.sc, 5000, 40000, 0));
	CHECK_OK(sel4_tcb_resume(spender.tcb)); /* until its budget ends */
	CHECK_OK(sel4_tcb_suspend(spender.tcb));
	CHECK_OK(sel4_sched_context_unbind(spender.sc));
	for (unsigned i = 0; i < WAITS; i++) {
		CHECK_EQ(sel4_sched_context_bind(spender.sc, t[i].tcb), ABI_ILLEGAL_OPERATION);
		CHECK_EQ(sel4_tcb_set_sched_params(t[i].tcb, ABI_ROOT_TCB, spender.sc, 0, 255,
						   KT_HIGH),
			 ABI_ILLEGAL_OPERATION);
	}
	CHECK_OK(sel4_sched_context_bind(spender.sc, spender.tcb)); /* does not wait */
	CHECK_OK(sel4_sched_context_unbind(spender.sc));
	kt_sleep_us(50000);
	for (unsigned i = 0; i < WAITS; i++) {
		CHECK_OK(sel4_sched_context_bind(spender.sc, t[i].tcb));
		CHECK_OK(sel4_sched_context_unbind(spender.sc));
	}
}

static void spins(void *arg)
{
	volatile unsigned *count = arg;

	for (;;)
		(*count)++;
}

static struct kt_thread spinner(unsigned index, volatile unsigned *count, unsigned prio,
				uint64_t budget, uint64_t period)
{
	struct kt_thread t = kt_thread(index, spins, (void *)count, prio, 0, true);

	*count = 0;
	CHECK_OK(configure(t.sc, budget, period, 0));
	return t;
}

static void budget_limits(void)
{
	uint64_t used = 0;

	/* 2 of 10 ms at a higher priority than ours: we go on meanwhile. */
	struct kt_thread t = spinner(0, &s.count, KT_HIGH, 2000, 10000);
	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK(s.count > 0);
	kt_sleep_us(50000);
	CHECK_OK(sel4_sched_context_consumed(t.sc, &used));
	CHECK_BETWEEN(used, 8000, 14500);
	CHECK_OK(sel4_sched_context_consumed(t.sc, &used));
	CHECK(used < 3000);
}

static void round_robin(void)
{
	struct kt_thread a = spinner(0, &s.count, KT_LOW, 1000, 1000);
	struct kt_thread b = spinner(1, &s.other, KT_LOW, 1000, 1000);

	CHECK_OK(sel4_tcb_resume(a.tcb));
	CHECK_OK(sel4_tcb_resume(b.tcb));
	kt_sleep_us(20000);
	CHECK(s.count > 0 && s.other > 0);
	CHECK(s.count < s.other * 4 && s.other < s.count * 4);
}

static void higher_starves_lower(void)
{
	struct kt_thread a = spinner(0, &s.count, KT_LOW + 1, 5000, 5000);
	struct kt_thread b = spinner(1, &s.other, KT_LOW, 5000, 5000);

	CHECK_OK(sel4_tcb_resume(b.tcb));
	CHECK_OK(sel4_tcb_resume(a.tcb));
	kt_sleep_us(10000);
	CHECK(s.count > 0);
	CHECK_EQ(s.other, 0);
	/* Raised, it runs. */
	CHECK_OK(sel4_tcb_set_priority(b.tcb, ABI_ROOT_TCB, KT_LOW + 2));
	kt_sleep_us(5000);
	CHECK(s.other > 0);
}

static void not_configured_does_not_run(void)
{
	s.count = 0;
	cap_t sc = kt_make(ABI_OBJ_SCHED_CONTEXT, 8);
	struct kt_thread t = kt_thread(0, spins, (void *)&s.count, KT_LOW, 0, false);
	CHECK_OK(sel4_sched_context_bind(sc, t.tcb));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	kt_sleep_us(3000);
	CHECK_EQ(s.count, 0);
	CHECK_OK(configure(sc, 1000, 1000, 0));
	kt_sleep_us(3000);
	CHECK(s.count > 0);
	CHECK_OK(sel4_sched_context_unbind(sc));
	unsigned before = s.count;
	kt_sleep_us(3000);
	CHECK_EQ(s.count, before);
}

static void deleting_the_context_stops(void)
{
	struct kt_thread t = spinner(0, &s.count, KT_LOW, 1000, 1000);

	CHECK_OK(sel4_tcb_resume(t.tcb));
	kt_sleep_us(3000);
	CHECK_OK(kt_delete(t.sc));
	unsigned before = s.count;
	kt_sleep_us(3000);
	CHECK_EQ(s.count, before);
}

static void deletes_own_context(void *arg)
{
	(void)arg;
	s.count = 1;
	(void)kt_delete(s.sc);
	s.count = 2;
	kt_stop();
}

static void own_context_deleted(void)
{
	struct kt_thread t = kt_thread(0, deletes_own_context, NULL, KT_HIGH, 0, true);

	s.sc = t.sc;
	s.count = 0;
	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_EQ(s.count, 1);
	cap_t sc = kt_make(ABI_OBJ_SCHED_CONTEXT, 8);
	CHECK_OK(configure(sc, 1000, 1000, 0));
	CHECK_OK(sel4_sched_context_bind(sc, t.tcb));
	CHECK_EQ(s.count, 2);
}

static void timeout_fault(void)
{
	uint64_t badge = 0, mr[4] = { 0 };
	msginfo_t info;
	cap_t ep = kt_make(ABI_OBJ_ENDPOINT, 0), reply = kt_make(ABI_OBJ_REPLY, 0);

	struct kt_thread t = spinner(0, &s.count, KT_HIGH, 1000, 10000);
	CHECK_OK(sel4_tcb_set_timeout_endpoint(t.tcb, kt_mint(ep, KT_ALL, 0x70)));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	info = sel4_recv(ep, &badge, mr, reply);
	CHECK_EQ(badge, 0x70);
	CHECK_EQ(msginfo_label(info), ABI_FAULT_TIMEOUT);
	CHECK_EQ(msginfo_words(info), 2);
	CHECK_EQ(mr[ABI_TIMEOUT_DATA], 0xb);
	CHECK_BETWEEN(mr[ABI_TIMEOUT_CONSUMED], 970, 3000);
	/* Answered: it goes on when its budget is back, and times out again. */
	unsigned before = s.count;
	sel4_send(reply, msginfo(0, 0, 0), mr);
	info = sel4_recv(ep, &badge, mr, reply);
	CHECK_EQ(msginfo_label(info), ABI_FAULT_TIMEOUT);
	CHECK(s.count > before);
	/* Label 1: it stays where it is. */
	sel4_send(reply, msginfo(1, 0, 0), mr);
	before = s.count;
	kt_sleep_us(12000);
	CHECK_EQ(s.count, before);
}

static void burns(void *arg)
{
	uint64_t badge, mr[4] = { 0 };

	(void)sel4_recv(s.ep, &badge, mr, s.reply);
	spins(arg);
}

static void calls_once(void *arg)
{
	uint64_t mr[4] = { 0 };

	(void)arg;
	(void)sel4_call(s.ep, msginfo(0, 0, 1), mr);
	s.consumed = mr[0];
	kt_stop();
}

/* A passive server uses up the caller's budget; the answer comes from someone
 * else. The caller's timeout fault then stands behind its call. */
static void timeout_after_call(void)
{
	uint64_t badge = 0, mr[4] = { 0 };
	cap_t timeouts = kt_make(ABI_OBJ_ENDPOINT, 0), reply = kt_make(ABI_OBJ_REPLY, 0);

	s.ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	s.reply = kt_make(ABI_OBJ_REPLY, 0);
	s.consumed = 0;
	struct kt_thread server = kt_start(0, burns, (void *)&s.count, KT_HIGH);
	CHECK_OK(sel4_sched_context_unbind(server.sc));
	struct kt_thread t = kt_thread(1, calls_once, NULL, KT_HIGH, 0, true);
	CHECK_OK(configure(t.sc, 1000, 20000, 0));
	CHECK_OK(sel4_tcb_set_timeout_endpoint(t.tcb, timeouts));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	mr[0] = 77;
	sel4_send(s.reply, msginfo(0, 0, 1), mr);
	CHECK_EQ(s.consumed, 0);
	CHECK_EQ(msginfo_label(sel4_recv(timeouts, &badge, mr, reply)), ABI_FAULT_TIMEOUT);
	sel4_send(reply, msginfo(0, 0, 0), mr);
	kt_sleep_us(25000);
	CHECK_EQ(s.consumed, 77);
}

static void no_timeout_for_round_robin(void)
{
	uint64_t badge = 1, mr[4] = { 0 };
	cap_t ep = kt_make(ABI_OBJ_ENDPOINT, 0), reply = kt_make(ABI_OBJ_REPLY, 0);

	struct kt_thread t = spinner(0, &s.count, KT_LOW, 1000, 1000);
	CHECK_OK(sel4_tcb_set_timeout_endpoint(t.tcb, ep));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	kt_sleep_us(5000);
	(void)sel4_nb_recv(ep, &badge, mr, reply);
	CHECK_EQ(badge, 0);
}

static void new_parameters(void)
{
	struct kt_thread t = spinner(0, &s.count, KT_HIGH, 1000, 1000000);
	unsigned before;

	CHECK_OK(sel4_tcb_resume(t.tcb));
	kt_sleep_us(3000);
	before = s.count;
	kt_sleep_us(3000);
	CHECK_EQ(s.count, before); /* parked for a second */
	/* What it has used stays used while it could run... */
	CHECK_OK(configure(t.sc, 1000, 4000, 0));
	kt_sleep_us(20000);
	CHECK_EQ(s.count, before);
	/* ...and is forgotten when it could not. */
	CHECK_OK(sel4_tcb_suspend(t.tcb));
	CHECK_OK(configure(t.sc, 1000, 4000, 0));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	kt_sleep_us(20000);
	CHECK(s.count > before);
}

static void yields(void *arg)
{
	(void)arg;
	for (;;) {
		s.count++;
		sel4_yield();
	}
}

static void yield_gives_up_the_budget(void)
{
	struct kt_thread t = kt_thread(0, yields, NULL, KT_HIGH, 0, true);

	s.count = 0;
	CHECK_OK(configure(t.sc, 1000, 10000, 0));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	kt_sleep_us(45000);
	CHECK(s.count >= 4 && s.count <= 6);
}

static void own_consumption(void)
{
	uint64_t used = 0, before = kt_now_us();

	CHECK_OK(sel4_sched_context_consumed(ABI_ROOT_SCHED_CONTEXT, &used));
	while (kt_now_us() - before < 1000)
		;
	CHECK_OK(sel4_sched_context_consumed(ABI_ROOT_SCHED_CONTEXT, &used));
	CHECK_BETWEEN(used, 500, 20000);
}

static void yield_to_errors(void)
{
	uint64_t used;
	cap_t sc = kt_make(ABI_OBJ_SCHED_CONTEXT, 8);

	CHECK_EQ(sel4_sched_context_yield_to(sc, &used), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_sched_context_yield_to(ABI_ROOT_SCHED_CONTEXT, &used), ABI_ILLEGAL_OPERATION);
	struct kt_thread t = spinner(0, &s.count, 200, 1000, 10000);
	CHECK_OK(sel4_sched_context_yield_to(t.sc, &used)); /* not running: returns */
}

static void yield_to_above_mcp(void *arg)
{
	uint64_t used;

	s.consumed = (uint64_t)sel4_sched_context_yield_to(*(cap_t *)arg, &used);
	kt_stop();
}

static void yield_to_needs_mcp(void)
{
	struct kt_thread target = spinner(0, &s.count, 120, 1000, 10000);
	struct kt_thread t = kt_thread(1, yield_to_above_mcp, &target.sc, 110, 0, true);

	s.consumed = 0;
	CHECK_OK(sel4_tcb_set_mc_priority(t.tcb, ABI_ROOT_TCB, 119));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_EQ(s.consumed, ABI_ILLEGAL_OPERATION);
}

static void yield_to_lower(void)
{
	uint64_t used = 99;
	struct kt_thread a = spinner(0, &s.count, KT_LOW, 1000, 1000);
	struct kt_thread b = spinner(1, &s.other, KT_LOW, 1000, 1000);

	CHECK_OK(sel4_tcb_resume(a.tcb));
	CHECK_OK(sel4_tcb_resume(b.tcb));
	CHECK_OK(sel4_sched_context_yield_to(b.sc, &used));
	CHECK_EQ(used, 0);
	CHECK_EQ(s.other, 0); /* it is only the first of its queue now */
}

static void yield_to_equal(void)
{
	uint64_t used = 0;
	struct kt_thread t = spinner(0, &s.count, KT_PRIO, 1000, 10000);

	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_EQ(s.count, 0);
	CHECK_OK(sel4_sched_context_yield_to(t.sc, &used));
	CHECK(s.count > 0);
	CHECK_BETWEEN(used, 900, 3000);
}

/* The whole answer: no badge, no error, one word. */
static void yield_to_answer(void)
{
	struct kt_thread t = spinner(0, &s.count, KT_PRIO, 1000, 10000);
	uint64_t mr[SEL4_MSG_REGS] = { 0 };
	struct sel4_trap call = {
		.cap = t.sc, .info = msginfo(ABI_INV_SCHED_CONTEXT_YIELD_TO, 0, 0), .mr = mr
	};

	CHECK_OK(sel4_tcb_resume(t.tcb));
	sel4_arch_trap(ABI_SYS_CALL, &call);
	CHECK_EQ(call.cap, 0);
	CHECK_EQ(call.info, msginfo(0, 0, 1));
	CHECK_BETWEEN(mr[0], 900, 3000);
}

static void sporadic_flag(void)
{
	uint64_t used;
	struct kt_thread t = spinner(0, &s.count, KT_HIGH, 1000, 5000);

	CHECK_OK(sel4_sched_control_configure(kt_sched_control(), t.sc, 1000, 5000, 4, 0,
					      ABI_SC_FLAG_SPORADIC));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	kt_sleep_us(26000);
	CHECK_OK(sel4_sched_context_consumed(t.sc, &used));
	CHECK_BETWEEN(used, 4000, 8000);
}

static const struct kt_case cases[] = {
	{ "sched: ConfigureFlags' errors", configure_errors },
	{ "sched: the longest budget and period", longest_budget },
	{ "sched: errors of Bind and Unbind", bind_errors },
	{ "sched: no spent context for a thread that waits", no_spent_context_for_waiting_threads },
	{ "sched: a budget limits a higher thread", budget_limits },
	{ "sched: round robin", round_robin },
	{ "sched: a higher thread starves a lower", higher_starves_lower },
	{ "sched: a context not configured does not run", not_configured_does_not_run },
	{ "sched: deleting the context stops its thread", deleting_the_context_stops },
	{ "sched: a thread deletes its own context", own_context_deleted },
	{ "sched: timeout faults", timeout_fault },
	{ "sched: a timeout fault behind a call does not repeat it", timeout_after_call },
	{ "sched: no timeout faults for round robin", no_timeout_for_round_robin },
	{ "sched: new parameters for a parked and a stopped thread", new_parameters },
	{ "sched: Yield gives up the budget", yield_gives_up_the_budget },
	{ "sched: the own consumption", own_consumption },
	{ "sched: YieldTo a lower thread", yield_to_lower },
	{ "sched: YieldTo an equal thread", yield_to_equal },
	{ "sched: the answer to YieldTo", yield_to_answer },
	{ "sched: a sporadic server", sporadic_flag },
	{ "sched: YieldTo's errors", yield_to_errors },
	{ "sched: YieldTo needs the MCP", yield_to_needs_mcp },
};
KT_GROUP(kt_sched);
