/*
 * Budgets to the microsecond. A recorder notes from when to when it ran; time
 * is counted in instructions, so that bounds can be tight: a context may start
 * 10 us early (the kernel's own worst case) and ends up to 20 us before its
 * budget does (less is not worth a switch). The ticker interrupts every
 * millisecond and splits a run's refill, so recorders have room for several.
 */
#include "kt.h"
#include "recorder.h"

#define GAP_US 25u /* the ticker's turns are shorter */
#define EARLY_US 15
#define LEFT_US 24
#define ROOM 8 /* further refills */

static struct recorder a, b;
static struct {
	cap_t ntfn, ep, reply, sc;
	volatile uint64_t begin, used, count;
} s;

static void record(struct recorder *r) { recorder_note(r, GAP_US); }

static void records(void *arg)
{
	for (;;)
		record(arg);
}

static int configure(cap_t sc, uint64_t budget, uint64_t period, unsigned extra, unsigned flags)
{
	return sel4_sched_control_configure(kt_sched_control(), sc, budget, period, extra, 0x5c,
					    flags);
}

static struct kt_thread recorder(unsigned index, struct recorder *r, unsigned prio,
				 uint64_t budget, uint64_t period)
{
	struct kt_thread t = kt_thread(index, records, r, prio, 0, true);

	r->runs = 0;
	CHECK_OK(configure(t.sc, budget, period, ROOM, 0));
	return t;
}

static void check_length(const struct recorder *r, unsigned i, uint64_t budget)
{
	CHECK_BETWEEN(r->run[i].to - r->run[i].from, budget - LEFT_US, budget + 2);
}

/* Every run but the last is `budget` long, and they start `period` apart. */
static void check_runs(const struct recorder *r, unsigned at_least, uint64_t budget,
		       uint64_t period)
{
	CHECK(r->runs >= at_least);
	for (unsigned i = 0; i + 1 < r->runs; i++) {
		check_length(r, i, budget);
		CHECK_BETWEEN(r->run[i + 1].from - r->run[i].from, period - EARLY_US - LEFT_US,
			      period + EARLY_US);
	}
}

static void periodic(uint64_t budget, uint64_t period, unsigned flags)
{
	struct kt_thread t = recorder(0, &a, KT_HIGH, budget, period);

	CHECK_OK(configure(t.sc, budget, period, ROOM, flags));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	kt_sleep_us(period * 5);
	CHECK_OK(sel4_tcb_suspend(t.tcb));
	check_runs(&a, 5, budget, period);
}

static void one_of_five(void) { periodic(1000, 5000, 0); }
static void half(void) { periodic(1500, 3000, 0); }
static void small(void) { periodic(100, 1000, 0); }
static void sporadic(void) { periodic(700, 4000, ABI_SC_FLAG_SPORADIC); }

static void smallest(void)
{
	struct kt_thread t = recorder(0, &a, KT_HIGH, 20, 1000);

	/* The head is used to its end: what is left is never below the minimum. At
	 * some distances from the ticker every other turn is lost to an entry. */
	CHECK_OK(sel4_tcb_resume(t.tcb));
	kt_sleep_us(4500);
	CHECK_OK(sel4_tcb_suspend(t.tcb));
	CHECK_BETWEEN(a.runs, 3, 6);
	for (unsigned i = 0; i < a.runs; i++)
		CHECK(a.run[i].to - a.run[i].from <= 20);
}

static void round_robin(void)
{
	struct kt_thread t = recorder(0, &a, KT_LOW, 1000, 1000);
	struct kt_thread u = recorder(1, &b, KT_LOW, 500, 500);

	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_OK(sel4_tcb_resume(u.tcb));
	kt_sleep_us(9000);
	CHECK_OK(sel4_tcb_suspend(t.tcb));
	CHECK_OK(sel4_tcb_suspend(u.tcb));
	check_runs(&a, 5, 1000, 1500);
	check_runs(&b, 5, 500, 1500);
	CHECK(b.run[0].from >= a.run[0].to);
}

static void round_robin_alone(void)
{
	struct kt_thread t = recorder(0, &a, KT_LOW, 300, 300);

	CHECK_OK(sel4_tcb_resume(t.tcb));
	kt_sleep_us(5000);
	CHECK_OK(sel4_tcb_suspend(t.tcb));
	CHECK_EQ(a.runs, 1); /* never parked */
}

static void lower_runs_in_the_gaps(void)
{
	struct kt_thread t = recorder(0, &a, KT_LOW + 1, 1000, 4000);
	struct kt_thread u = recorder(1, &b, KT_LOW, 100000, 100000);

	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_OK(sel4_tcb_resume(u.tcb));
	kt_sleep_us(18000);
	CHECK_OK(sel4_tcb_suspend(t.tcb));
	CHECK_OK(sel4_tcb_suspend(u.tcb));
	check_runs(&a, 4, 1000, 4000);
	CHECK(b.runs >= 4);
	for (unsigned i = 0; i + 1 < b.runs && i + 1 < a.runs; i++) {
		CHECK_BETWEEN(b.run[i].from - a.run[i].to, 0, 5);
		CHECK_BETWEEN(a.run[i + 1].from - b.run[i].to, 0, 5);
	}
}

static void consumed_is_exact(void)
{
	uint64_t used = 0, sum = 0;
	struct kt_thread t = recorder(0, &a, KT_HIGH, 800, 4000);

	CHECK_OK(sel4_tcb_resume(t.tcb));
	kt_sleep_us(14000);
	CHECK_OK(sel4_tcb_suspend(t.tcb));
	CHECK_OK(sel4_sched_context_consumed(t.sc, &used));
	for (unsigned i = 0; i < a.runs; i++)
		sum += a.run[i].to - a.run[i].from;
	CHECK_BETWEEN(used, sum, sum + 5 * a.runs);
	CHECK_OK(sel4_sched_context_consumed(t.sc, &used));
	CHECK_EQ(used, 0); /* reading takes it */
}

/* --- refills: what is used in pieces comes back in pieces --- */

static void spin_us(struct recorder *r, uint64_t us)
{
	uint64_t start = kt_now_us();

	while (kt_now_us() - start < us)
		record(r);
}

/* 400 us at once, 400 us two milliseconds later, then as much as there is. */
static void two_pieces(void *arg)
{
	(void)arg;
	s.begin = kt_now_us();
	spin_us(&a, 400);
	(void)sel4_wait(s.ntfn);
	for (;;)
		record(&a);
}

static void start_pieces(unsigned extra, unsigned flags)
{
	struct kt_thread t = kt_thread(0, two_pieces, NULL, KT_HIGH, 0, true);

	s.ntfn = kt_make(ABI_OBJ_NOTIFICATION, 0);
	a.runs = 0;
	CHECK_OK(configure(t.sc, 1000, 6000, extra, flags));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	kt_sleep_us(2000);
	sel4_signal(s.ntfn);
	kt_sleep_us(14000);
	CHECK_OK(sel4_tcb_suspend(t.tcb));
}

static void refills_come_back_in_pieces(void)
{
	start_pieces(ROOM, 0);
	CHECK(a.runs >= 5);
	check_length(&a, 0, 400);
	check_length(&a, 1, 600);
	/* One period after each piece was used. */
	CHECK_BETWEEN(a.run[2].from - a.run[0].from, 6000 - EARLY_US, 6000 + EARLY_US);
	check_length(&a, 2, 400);
	CHECK_BETWEEN(a.run[3].from - a.run[1].from, 6000 - EARLY_US - LEFT_US, 6000 + EARLY_US);
	check_length(&a, 3, 600);
}

static void without_room_refills_join(void)
{
	start_pieces(0, 0);
	CHECK(a.runs >= 3);
	/* In any window of a period no more than the budget. */
	for (unsigned i = 0; i < a.runs; i++) {
		uint64_t sum = 0;

		for (unsigned k = i; k < a.runs && a.run[k].to < a.run[i].from + 6000 - EARLY_US;
		     k++)
			sum += a.run[k].to - a.run[k].from;
		CHECK(sum <= 1002);
	}
}

/* 200 us, 200 us a millisecond later, the rest after another. */
static void three_pieces(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < 2; i++) {
		spin_us(&a, 200);
		(void)sel4_wait(s.ntfn);
	}
	for (;;)
		record(&a);
}

/* With room for two the second piece takes the first along, with room for one
 * more each comes back for itself. */
static void as_many_refills_as_asked(void)
{
	for (unsigned extra = 0; extra < 2; extra++) {
		struct kt_thread t = kt_thread(0, three_pieces, NULL, KT_HIGH, 0, true);

		s.ntfn = kt_make(ABI_OBJ_NOTIFICATION, 0);
		a.runs = 0;
		CHECK_OK(configure(t.sc, 1000, 6000, extra, 0));
		CHECK_OK(sel4_tcb_resume(t.tcb));
		for (unsigned i = 0; i < 2; i++) {
			kt_sleep_us(1000);
			sel4_signal(s.ntfn);
		}
		kt_sleep_us(10000);
		CHECK_OK(sel4_tcb_suspend(t.tcb));
		CHECK(a.runs >= 4);
		check_length(&a, 3, extra ? 200 : 400);
		CHECK_BETWEEN(a.run[3].from - a.run[1 - extra].from,
			      (extra ? 6000 : 5800) - EARLY_US - LEFT_US,
			      (extra ? 6000 : 5800) + EARLY_US + LEFT_US);
	}
}

static void sleeps_then_records(void *arg)
{
	(void)arg;
	(void)sel4_wait(s.ntfn);
	for (;;)
		record(&a);
}

/* A context not used for periods has its budget once, not several times. */
static void nothing_is_saved_up(unsigned flags)
{
	struct kt_thread t = kt_thread(0, sleeps_then_records, NULL, KT_HIGH, 0, true);

	s.ntfn = kt_make(ABI_OBJ_NOTIFICATION, 0);
	a.runs = 0;
	CHECK_OK(configure(t.sc, 500, 2000, ROOM, flags));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	kt_sleep_us(9000);
	sel4_signal(s.ntfn);
	kt_sleep_us(7000);
	CHECK_OK(sel4_tcb_suspend(t.tcb));
	CHECK_BETWEEN(a.runs, 4, 5);
	/* Up to its Wait it has used a little, which comes back apart. */
	for (unsigned i = 0; i + 1 < a.runs; i++)
		CHECK_BETWEEN(a.run[i].to - a.run[i].from, 500 - 2 * LEFT_US, 502);
}

static void unused_periods_are_lost(void) { nothing_is_saved_up(0); }
static void unused_periods_are_lost_sporadic(void) { nothing_is_saved_up(ABI_SC_FLAG_SPORADIC); }

/* --- the other ways to lose and get budget --- */

static void records_and_yields(void *arg)
{
	(void)arg;
	for (;;) {
		record(&a);
		sel4_yield();
	}
}

static void yield_waits_for_the_period(void)
{
	struct kt_thread t = kt_thread(0, records_and_yields, NULL, KT_HIGH, 0, true);

	a.runs = 0;
	CHECK_OK(configure(t.sc, 1000, 3000, ROOM, 0));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	kt_sleep_us(13000);
	CHECK_OK(sel4_tcb_suspend(t.tcb));
	CHECK_BETWEEN(a.runs, 4, 6);
	for (unsigned i = 0; i + 1 < a.runs; i++)
		CHECK_BETWEEN(a.run[i + 1].from - a.run[i].from, 3000 - EARLY_US, 3000 + EARLY_US);
}

static void yield_of_equals_takes_turns(void)
{
	struct kt_thread t = kt_thread(0, records_and_yields, NULL, KT_LOW, 0, true);
	struct kt_thread u = recorder(1, &b, KT_LOW, 1000, 1000);

	a.runs = 0;
	CHECK_OK(configure(t.sc, 1000, 1000, ROOM, 0));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_OK(sel4_tcb_resume(u.tcb));
	kt_sleep_us(6500);
	CHECK_OK(sel4_tcb_suspend(t.tcb));
	CHECK_OK(sel4_tcb_suspend(u.tcb));
	CHECK_BETWEEN(a.runs, 6, 7);
	for (unsigned i = 0; i < a.runs; i++)
		CHECK(a.run[i].to - a.run[i].from <= 2);
	for (unsigned i = 0; i + 1 < a.runs; i++)
		CHECK_BETWEEN(a.run[i + 1].from - a.run[i].from, 1000 - LEFT_US, 1005);
	CHECK(b.run[0].to >= a.run[a.runs - 1].from);
}

static void signals(void *arg)
{
	(void)arg;
	s.count = 0;
	for (;;) {
		sel4_signal(s.ntfn);
		s.count++;
		record(&a);
	}
}

/* The budget ends in the middle of a call more often than not: the call is
 * then made when there is budget again, once. */
static void calls_at_the_end_of_the_budget(void)
{
	struct kt_thread t = kt_thread(0, signals, NULL, KT_HIGH, 0, true);

	s.ntfn = kt_make(ABI_OBJ_NOTIFICATION, 0);
	a.runs = 0;
	CHECK_OK(configure(t.sc, 300, 1000, ROOM, 0));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	kt_sleep_us(10000);
	CHECK_OK(sel4_tcb_suspend(t.tcb));
	check_runs(&a, 8, 300, 1000);
	CHECK(s.count > 1000);
}

static void less_while_it_runs(void)
{
	struct kt_thread t = recorder(0, &a, KT_LOW, 4000, 8000);

	CHECK_OK(sel4_tcb_resume(t.tcb));
	kt_sleep_us(1000);
	uint64_t now = kt_now_us();
	CHECK_OK(configure(t.sc, 1000, 4000, ROOM, 0));
	kt_sleep_us(13000);
	CHECK_OK(sel4_tcb_suspend(t.tcb));
	CHECK_BETWEEN(a.run[0].to - now, 1000 - LEFT_US, 1010);
	check_length(&a, 1, 1000);
	check_length(&a, 2, 1000);
	CHECK_BETWEEN(a.run[2].from - a.run[1].from, 4000 - EARLY_US - LEFT_US, 4000 + EARLY_US);
}

static void a_new_context_for_a_parked_thread(void)
{
	struct kt_thread t = recorder(0, &a, KT_HIGH, 500, 100000);
	cap_t sc = kt_make(ABI_OBJ_SCHED_CONTEXT, 7);

	CHECK_OK(sel4_tcb_resume(t.tcb)); /* 500 us later it is parked */
	CHECK_EQ(a.runs, 1);
	CHECK_OK(configure(sc, 600, 100000, 0, 0));
	CHECK_OK(sel4_sched_context_unbind(t.sc));
	CHECK_OK(sel4_sched_context_bind(sc, t.tcb));
	check_length(&a, 0, 1100); /* no gap in between */
}

static void unbound_is_not_parked(void)
{
	struct kt_thread t = recorder(0, &a, KT_HIGH, 500, 3000);

	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_OK(sel4_sched_context_unbind_object(t.sc, t.tcb));
	kt_sleep_us(8000);
	CHECK_EQ(a.runs, 1);
	CHECK_OK(sel4_sched_context_bind(t.sc, t.tcb));
	CHECK_EQ(a.runs, 2);
	check_length(&a, 1, 500);
}

static void suspended_while_parked(void)
{
	struct kt_thread t = recorder(0, &a, KT_HIGH, 500, 5000);

	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_OK(sel4_tcb_suspend(t.tcb));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	kt_sleep_us(2000);
	CHECK_EQ(a.runs, 1); /* waits for its budget, suspended or not */
	kt_sleep_us(4000);
	CHECK_EQ(a.runs, 2);
	CHECK_BETWEEN(a.run[1].from - a.run[0].from, 5000 - EARLY_US - LEFT_US, 5000 + EARLY_US);
}

/* --- timeout faults --- */

static struct kt_thread with_timeouts(uint64_t budget, uint64_t period)
{
	struct kt_thread t = recorder(0, &a, KT_LOW, budget, period);

	s.ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	s.reply = kt_make(ABI_OBJ_REPLY, 0);
	CHECK_OK(sel4_tcb_set_timeout_endpoint(t.tcb, kt_mint(s.ep, KT_ALL, 0x70)));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	return t;
}

static uint64_t receive_timeout(uint64_t *mr)
{
	uint64_t badge = 0;
	msginfo_t info = sel4_recv(s.ep, &badge, mr, s.reply);

	CHECK_EQ(badge, 0x70);
	CHECK_EQ(info, msginfo(ABI_FAULT_TIMEOUT, 0, 2));
	CHECK_EQ(mr[ABI_TIMEOUT_DATA], 0x5c);
	return mr[ABI_TIMEOUT_CONSUMED];
}

static void timeout_at_the_end_of_the_budget(void)
{
	uint64_t mr[SEL4_MSG_REGS], start = kt_now_us();

	(void)with_timeouts(2000, 10000);
	CHECK_BETWEEN(receive_timeout(mr), 2000 - LEFT_US, 2005);
	CHECK_BETWEEN(kt_now_us() - start, 2000 - LEFT_US, 2100);
	check_length(&a, 0, 2000);
}

static void timeout_answered_with_more_budget(void)
{
	uint64_t mr[SEL4_MSG_REGS];
	struct kt_thread t = with_timeouts(1000, 100000);

	(void)receive_timeout(mr);
	CHECK_OK(configure(t.sc, 3000, 100000, 0, 0));
	sel4_send(s.reply, msginfo(0, 0, 0), mr);
	CHECK_BETWEEN(receive_timeout(mr), 3000 - LEFT_US, 3005);
	CHECK_BETWEEN(a.runs, 1, 2);
}

static void timeout_answered_with_registers(void)
{
	uint64_t mr[SEL4_MSG_REGS], regs[ABI_CTX_COUNT];
	struct kt_thread t = with_timeouts(1000, 5000);

	(void)receive_timeout(mr);
	CHECK_OK(sel4_tcb_read_registers(t.tcb, 0, ABI_CTX_COUNT, regs));
	for (unsigned i = 0; i < ABI_TIMEOUT_REPLY_WORDS; i++)
		if (i >= SEL4_MSG_REGS)
			sel4_ipcbuf->msg[i] = 0x7000 + i;
	mr[ABI_CTX_PC] = 0x7000;
	mr[ABI_CTX_SP] = 0x7001;
	mr[KT_CTX_FLAGS] = KT_FLAGS;
	mr[3] = 0x7003;
	sel4_send(s.reply, msginfo(1, 0, ABI_TIMEOUT_REPLY_WORDS), mr); /* and stays stopped */
	CHECK_OK(sel4_tcb_read_registers(t.tcb, 0, ABI_CTX_COUNT, regs));
	for (unsigned i = 0; i < ABI_TIMEOUT_REPLY_WORDS; i++)
		CHECK_EQ(regs[i], i == KT_CTX_FLAGS ? KT_FLAGS : 0x7000 + i);
}

static void timeout_of_a_donated_context(void)
{
	uint64_t mr[SEL4_MSG_REGS];
	struct kt_thread t = with_timeouts(1000, 5000);

	(void)receive_timeout(mr);
	/* Nobody answers: it stays where it is. */
	unsigned runs = a.runs;
	kt_sleep_us(12000);
	CHECK_EQ(a.runs, runs);
	CHECK_OK(kt_delete(s.reply));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	kt_sleep_us(500);
	CHECK(a.runs > runs);
}

static const struct kt_case cases[] = {
	{ "budget: 1 of 5 ms", one_of_five },
	{ "budget: 1.5 of 3 ms", half },
	{ "budget: 100 us of 1 ms", small },
	{ "budget: sporadic, 700 us of 4 ms", sporadic },
	{ "budget: the smallest there is", smallest },
	{ "budget: round robin of unequal slices", round_robin },
	{ "budget: round robin alone is never parked", round_robin_alone },
	{ "budget: a lower thread runs in the gaps", lower_runs_in_the_gaps },
	{ "budget: Consumed tells what was used", consumed_is_exact },
	{ "budget: refills come back in pieces", refills_come_back_in_pieces },
	{ "budget: without room refills join", without_room_refills_join },
	{ "budget: as many refills as asked for", as_many_refills_as_asked },
	{ "budget: unused periods are lost", unused_periods_are_lost },
	{ "budget: unused periods are lost, sporadic", unused_periods_are_lost_sporadic },
	{ "budget: Yield waits for the next period", yield_waits_for_the_period },
	{ "budget: Yield among equals takes turns", yield_of_equals_takes_turns },
	{ "budget: calls at its end", calls_at_the_end_of_the_budget },
	{ "budget: less while it runs", less_while_it_runs },
	{ "budget: a new context for a parked thread", a_new_context_for_a_parked_thread },
	{ "budget: unbound while parked", unbound_is_not_parked },
	{ "budget: suspended while parked", suspended_while_parked },
	{ "budget: a timeout fault at its end", timeout_at_the_end_of_the_budget },
	{ "budget: a timeout answered with more of it", timeout_answered_with_more_budget },
	{ "budget: a timeout answered with registers", timeout_answered_with_registers },
	{ "budget: a timeout that nobody answers", timeout_of_a_donated_context },
};
KT_GROUP(kt_budget);
