/*
 * Domains: with one (the default) calls that change nothing; with more
 * (make DOMAINS=4) turns. The main thread and the ticker are in domain 0.
 * Recorders note from when to when they ran.
 */
#include "kt.h"
#include "recorder.h"

#define D ABI_ROOT_DOMAIN
#define N SELVAGE_DOMAINS
#define LENGTH (N > 1 ? 100u : 2u) /* of the schedule */
#define MOST ((1ull << 56) - 1)
#define TURN_US 3000u
/* Interrupt, switch, and the recorder's own steps; a debug kernel's checks. */
#define SLACK_US (SELVAGE_DEBUG ? 600u : 40u)
#define GAP_US 1000u /* more than the ticker takes */

static struct recorder rec[4];
static volatile unsigned served;
static cap_t ep, reply, ntfn;

static void record(struct recorder *r) { recorder_note(r, GAP_US); }

static void records(void *arg)
{
	for (;;)
		record(arg);
}

static void counts(void *arg)
{
	(void)arg;
	for (;;)
		served++;
}

static void record_until(unsigned i, uint64_t us)
{
	for (uint64_t end = kt_now_us() + us; kt_now_us() < end;)
		record(&rec[i]);
}

/* Entry 1 and on, then the end; entry 0 is left as it was at first. */
static void set_schedule(const unsigned *domains, unsigned n, uint64_t us)
{
	for (unsigned i = 0; i < n; i++)
		CHECK_OK(sel4_domain_set_schedule_configure(D, i + 1, domains[i], kt_ticks(us)));
	CHECK_OK(sel4_domain_set_schedule_configure(D, n + 1, 0, 0));
	for (unsigned i = 0; i < 4; i++)
		rec[i].runs = 0;
	CHECK_OK(sel4_domain_set_schedule_set_start(D, 1));
}

static void set_one_domain(void) { CHECK_OK(sel4_domain_set_schedule_set_start(D, 0)); }

/* Resumed, in its domain. */
static struct kt_thread start_in(unsigned domain, unsigned index, void (*entry)(void *), void *arg,
				 unsigned prio)
{
	struct kt_thread t = kt_thread(index, entry, arg, prio, 0, true);

	CHECK_OK(sel4_domain_set_set(D, t.tcb, domain));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	return t;
}

/* All but the first and the last run, which begin or end between turns. */
static void check_turns(const struct recorder *r, unsigned at_least, uint64_t turn, uint64_t round)
{
	CHECK_BETWEEN(r->runs, at_least, RUNS - 1);
	for (unsigned i = 1; i + 1 < r->runs; i++) {
		CHECK_BETWEEN(r->run[i].to - r->run[i].from, turn - SLACK_US, turn + SLACK_US);
		CHECK_BETWEEN(r->run[i].from - r->run[i - 1].from, round - SLACK_US,
			      round + SLACK_US);
	}
}

/* --- every build --- */

static void errors(void)
{
	uint64_t mr[4] = { 0 };

	CHECK_EQ(sel4_invoke(D, ABI_INV_DOMAIN_SET_SET, 0, 1, mr), ABI_TRUNCATED_MESSAGE);
	CHECK_ERROR1(sel4_domain_set_set(D, ABI_ROOT_TCB, N), ABI_INVALID_ARGUMENT, 0);
	CHECK_ERROR1(sel4_domain_set_set(D, ABI_ROOT_TCB, ~0ull), ABI_INVALID_ARGUMENT, 0);
	CHECK_ERROR1(sel4_domain_set_set(D, KT_CNODE, 0), ABI_INVALID_ARGUMENT, 1);
	CHECK_OK(sel4_domain_set_set(D, ABI_ROOT_TCB, 0));
	CHECK_ERROR2(sel4_domain_set_schedule_configure(D, LENGTH - 1, 0, 5), ABI_RANGE_ERROR, 0,
		     LENGTH - 2);
	CHECK_ERROR2(sel4_domain_set_schedule_configure(D, ~0ull, 0, 5), ABI_RANGE_ERROR, 0,
		     LENGTH - 2);
	CHECK_ERROR2(sel4_domain_set_schedule_configure(D, 0, N, 5), ABI_RANGE_ERROR, 0, N - 1);
	CHECK_ERROR1(sel4_domain_set_schedule_configure(D, 0, 0, MOST + 1), ABI_INVALID_ARGUMENT,
		     2);
	CHECK_ERROR1(sel4_domain_set_schedule_configure(D, 0, 0, 0), ABI_INVALID_ARGUMENT, 2);
	CHECK_OK(sel4_domain_set_schedule_configure(D, 0, 0, MOST));
	CHECK_ERROR2(sel4_domain_set_schedule_set_start(D, LENGTH), ABI_RANGE_ERROR, 0, LENGTH - 1);
	CHECK_ERROR1(sel4_domain_set_schedule_set_start(D, LENGTH - 1), ABI_INVALID_ARGUMENT, 0);
	CHECK_OK(sel4_domain_set_schedule_set_start(D, 0));
}

/* --- with more than one --- */

static void more_errors(void)
{
	CHECK_ERROR1(sel4_domain_set_schedule_configure(D, 5, 2, 0), ABI_INVALID_ARGUMENT, 1);
	CHECK_ERROR1(sel4_domain_set_schedule_set_start(D, 5), ABI_INVALID_ARGUMENT, 0);
	CHECK_OK(sel4_domain_set_schedule_configure(D, LENGTH - 2, N - 1, 5));
	CHECK_OK(sel4_domain_set_schedule_configure(D, LENGTH - 2, 0, 0));
	CHECK_OK(sel4_domain_set_schedule_configure(D, 5, 0, MOST));
	CHECK_OK(sel4_domain_set_schedule_set_start(D, 5));
	/* The start is no end marker; where it was may become one. */
	CHECK_ERROR1(sel4_domain_set_schedule_configure(D, 5, 0, 0), ABI_INVALID_ARGUMENT, 2);
	set_one_domain();
	CHECK_OK(sel4_domain_set_schedule_configure(D, 5, 0, 0));
}

/* Turn by turn, whatever the priorities. */
static void turns(void)
{
	static const unsigned order[] = { 0, 1, 2, 1 };

	(void)start_in(1, 0, records, &rec[1], KT_HIGH);
	(void)start_in(2, 1, records, &rec[2], KT_LOW);
	(void)start_in(3, 2, records, &rec[3], KT_HIGH);
	set_schedule(order, 4, TURN_US);
	record_until(0, 10 * 4 * TURN_US);
	set_one_domain();
	check_turns(&rec[0], 8, TURN_US, 4 * TURN_US);
	check_turns(&rec[1], 16, TURN_US, 2 * TURN_US);
	check_turns(&rec[2], 8, TURN_US, 4 * TURN_US);
	CHECK_EQ(rec[3].runs, 0); /* never its turn */
	for (unsigned i = 0; i < rec[1].runs; i++)
		for (unsigned j = 0; j < rec[2].runs; j++)
			CHECK(rec[1].run[i].to <= rec[2].run[j].from ||
			      rec[2].run[j].to <= rec[1].run[i].from);
}

/* Nobody in domain 3: its turns idle. */
static void idle(void)
{
	static const unsigned order[] = { 0, 3 };

	set_schedule(order, 2, TURN_US);
	record_until(0, 10 * TURN_US);
	set_one_domain();
	check_turns(&rec[0], 5, TURN_US, 2 * TURN_US);
}

static void serve(void *arg)
{
	uint64_t badge, mr[SEL4_MSG_REGS] = { 0 };

	(void)arg;
	(void)sel4_recv(ep, &badge, mr, reply);
	for (;;) {
		served++;
		record(&rec[1]);
		(void)sel4_reply_recv(ep, msginfo(0, 0, 1), &badge, mr, reply);
	}
}

static void wait_and_record(void *arg)
{
	for (;;) {
		(void)sel4_wait(ntfn);
		served++;
		record(arg);
	}
}

/* Woken out of turn, by both paths: it runs when it is its turn. */
static void out_of_turn(void)
{
	static const unsigned order[] = { 0, 1 };
	uint64_t begin;

	ntfn = kt_make(ABI_OBJ_NOTIFICATION, 0);
	served = 0;
	(void)start_in(1, 0, wait_and_record, &rec[1], KT_HIGH);
	set_schedule(order, 2, TURN_US);
	for (unsigned i = 1; i <= 5; i++) {
		record_until(0, 2 * TURN_US); /* it waits, in the first round for the first time */
		begin = kt_now_us();
		sel4_signal(ntfn);
		CHECK_EQ(served, i - 1);
		while (served < i && kt_now_us() < begin + 3 * TURN_US)
			record(&rec[0]);
		CHECK_EQ(served, i);
	}
	set_one_domain();
	CHECK_EQ(rec[1].runs, 5);
	for (unsigned i = 1; i + 1 < rec[0].runs; i++)
		CHECK_BETWEEN(rec[0].run[i].to - rec[0].run[i].from, TURN_US - SLACK_US,
			      TURN_US + SLACK_US);
}

/* A passive server runs in its own domain's turns, on its client's context. */
static void passive_server(void)
{
	static const unsigned order[] = { 0, 1 };
	struct kt_thread t;
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	reply = kt_make(ABI_OBJ_REPLY, 0);
	served = 0;
	t = kt_start(0, serve, NULL, KT_HIGH);
	CHECK_OK(sel4_sched_context_unbind(t.sc));
	CHECK_OK(sel4_domain_set_set(D, t.tcb, 1));
	set_schedule(order, 2, TURN_US);
	for (unsigned i = 1; i <= 5; i++) {
		record_until(0, 100);
		(void)sel4_call(ep, msginfo(0, 0, 1), mr);
		CHECK_EQ(served, i);
	}
	set_one_domain();
	/* Each call took until the other's turn and back; the debug kernel
	 * checks its invariants in between. */
	CHECK_EQ(rec[0].runs, 5);
	CHECK_EQ(rec[1].runs, 5);
	for (unsigned i = 0; i + 1 < rec[0].runs; i++)
		CHECK_BETWEEN(rec[0].run[i + 1].from - rec[0].run[i].to, TURN_US - SLACK_US,
			      2 * TURN_US + (SELVAGE_DEBUG ? SLACK_US : 0));
}

/* The start index counts at once, a changed entry at its next turn. */
static void switched_at_once(void)
{
	static const unsigned order[] = { 1, 0 };
	uint64_t begin;

	(void)start_in(1, 0, records, &rec[1], KT_LOW);
	begin = kt_now_us();
	set_schedule(order, 2, TURN_US);
	/* Back: domain 1 had its turn before the call returned. */
	CHECK_BETWEEN(kt_now_us() - begin, TURN_US, TURN_US + 500);
	CHECK_EQ(rec[1].runs, 1);
	CHECK_BETWEEN(rec[1].run[0].to - rec[1].run[0].from, TURN_US - SLACK_US, TURN_US);
	/* This turn is as long as it was; the next is longer. */
	CHECK_OK(sel4_domain_set_schedule_configure(D, 2, 0, kt_ticks(2 * TURN_US)));
	record_until(0, 8 * TURN_US);
	set_one_domain();
	CHECK_BETWEEN(rec[0].run[0].to - rec[0].run[0].from, TURN_US - 500, TURN_US);
	CHECK_BETWEEN(rec[0].run[1].to - rec[0].run[1].from, 2 * TURN_US - SLACK_US, 2 * TURN_US);
}

/* A thread changes its own domain, and what it makes there is of that domain. */
static void moved(void)
{
	static const unsigned order[] = { 0, 1 };

	set_schedule(order, 2, TURN_US);
	CHECK_OK(sel4_domain_set_set(D, ABI_ROOT_TCB, 1));
	record(&rec[0]);
	kt_start(0, records, &rec[1], KT_LOW);
	CHECK_OK(sel4_domain_set_set(D, ABI_ROOT_TCB, 0));
	record_until(0, 8 * TURN_US);
	set_one_domain();
	CHECK_BETWEEN(rec[0].runs, 5, SELVAGE_DEBUG ? 6 : 5); /* one of them in domain 1 */
	check_turns(&rec[1], 4, TURN_US, 2 * TURN_US);
	/* A queued thread that is moved: from its old queue to the new one. */
	struct kt_thread t = kt_start(1, counts, NULL, KT_LOW);
	CHECK_OK(sel4_domain_set_set(D, t.tcb, 2));
	served = 0;
	kt_sleep_us(TURN_US);
	CHECK_EQ(served, 0);
	CHECK_OK(sel4_domain_set_set(D, t.tcb, 0));
	kt_sleep_us(TURN_US);
	CHECK(served > 0);
	/* Moved while it is suspended, resumed, changed in priority, moved back. */
	CHECK_OK(sel4_tcb_suspend(t.tcb));
	CHECK_OK(sel4_domain_set_set(D, t.tcb, 2));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_OK(sel4_tcb_set_priority(t.tcb, ABI_ROOT_TCB, KT_HIGH));
	served = 0;
	kt_sleep_us(TURN_US);
	CHECK_EQ(served, 0);
	CHECK_OK(sel4_tcb_set_priority(t.tcb, ABI_ROOT_TCB, KT_LOW));
	CHECK_OK(sel4_domain_set_set(D, t.tcb, 0));
	kt_sleep_us(TURN_US);
	CHECK(served > 0);
}

/* Budgets go on over the turns: what is due waits for its turn. */
static void budgets(void)
{
	static const unsigned order[] = { 0, 1 };
	struct kt_thread t = kt_thread(0, records, &rec[1], KT_HIGH, 0, true);

	CHECK_OK(sel4_sched_control_configure(kt_sched_control(), t.sc, 1000, 8 * TURN_US, 8, 0,
					      0));
	CHECK_OK(sel4_domain_set_set(D, t.tcb, 1));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	set_schedule(order, 2, TURN_US);
	record_until(0, 40 * TURN_US);
	set_one_domain();
	check_turns(&rec[0], 18, TURN_US, 2 * TURN_US);
	CHECK_BETWEEN(rec[1].runs, 4, 6);
	for (unsigned i = 0; i + 1 < rec[1].runs; i++)
		CHECK_BETWEEN(rec[1].run[i].to - rec[1].run[i].from, 1000 - SLACK_US, 1000);
}

/* To a thread of another domain: it is next there, and the call returns. */
static void yield_to(void)
{
	static const unsigned order[] = { 0, 1 };
	uint64_t consumed = ~0ull, begin;
	struct kt_thread t;

	set_schedule(order, 2, TURN_US);
	(void)start_in(1, 0, records, &rec[1], KT_HIGH);
	t = start_in(1, 1, records, &rec[2], KT_HIGH);
	record_until(0, TURN_US); /* not at the end of a turn */
	begin = kt_now_us();
	CHECK_OK(sel4_sched_context_yield_to(t.sc, &consumed));
	CHECK_BETWEEN(kt_now_us() - begin, 0, TURN_US / 2);
	set_one_domain();
}

static const struct kt_case cases[] = {
	{ "domain: every error", errors },
	{ "domain: errors with more than one", more_errors },
	{ "domain: turn by turn", turns },
	{ "domain: a turn without threads is idle", idle },
	{ "domain: signalled out of turn", out_of_turn },
	{ "domain: a passive server in another domain", passive_server },
	{ "domain: a new start counts at once, an entry at its next turn", switched_at_once },
	{ "domain: threads move", moved },
	{ "domain: budgets over the turns", budgets },
	{ "domain: YieldTo another domain", yield_to },
};
const struct kt_group kt_domain = { cases, N > 1 ? sizeof(cases) / sizeof(cases[0]) : 1, NULL,
				    NULL };
