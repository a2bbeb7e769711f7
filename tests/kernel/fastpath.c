/* What the kernel keeps to be fast must not outlive its cause. */
#include "kt.h"

#include <abi/fault.h>

static struct {
	cap_t ep, fault_ep;
	volatile unsigned count, wrong_badges;
	msginfo_t info;
} s;

#define FAULTER 0xfa

struct server {
	unsigned number;
	cap_t reply;
};

static void server(void *arg)
{
	struct server *me = arg;
	uint64_t badge, mr[4] = { 0 };

	(void)sel4_recv(s.ep, &badge, mr, me->reply);
	for (;;) {
		mr[0] = me->number;
		(void)sel4_reply_recv(s.ep, msginfo(0, 0, 10), &badge, mr, me->reply);
	}
}

static struct kt_thread serve(struct server *me, unsigned index, unsigned prio)
{
	struct kt_thread t;

	*me = (struct server){ index, kt_make(ABI_OBJ_REPLY, 0) };
	t = kt_start(index, server, me, prio);
	CHECK_OK(sel4_sched_context_unbind(t.sc));
	return t;
}

static void clear(void)
{
	s.ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	s.fault_ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	s.count = s.wrong_badges = 0;
}

static unsigned call(void)
{
	uint64_t mr[4] = { 99 };

	s.info = sel4_call(s.ep, msginfo(0, 0, 10), mr);
	return (unsigned)mr[0];
}

static void equals_take_turns(void)
{
	struct server server_of[3];

	clear();
	for (unsigned i = 0; i < 3; i++)
		(void)serve(&server_of[i], i, KT_HIGH);
	for (unsigned i = 0; i < 7; i++)
		CHECK_EQ(call(), i % 3);
}

static void the_best_serves(void)
{
	struct server server_of[3];

	clear();
	for (unsigned i = 0; i < 3; i++)
		(void)serve(&server_of[i], i, KT_HIGH + (i == 1));
	for (unsigned i = 0; i < 4; i++)
		CHECK_EQ(call(), 1);
}

/* Out of the queue that the fast path made: the others stay in it. */
static void one_of_them_goes(void)
{
	for (unsigned gone = 0; gone < 3; gone++) {
		struct server server_of[3];
		struct kt_thread t[3];
		unsigned last = 3;

		clear();
		for (unsigned i = 0; i < 3; i++)
			t[i] = serve(&server_of[i], i, KT_HIGH);
		for (unsigned i = 0; i < 3; i++)
			CHECK_EQ(call(), i);
		CHECK_OK(sel4_tcb_suspend(t[gone].tcb));
		for (unsigned i = 0; i < 6; i++) {
			unsigned now = call();

			CHECK(now < 3 && now != gone && now != last);
			last = now;
		}
		for (unsigned i = 0; i < 3; i++)
			CHECK_OK(kt_delete(t[i].tcb));
	}
}

static cap_t held;

static void holds_a_call(void *arg)
{
	struct server *me = arg;
	uint64_t badge, mr[4] = { 0 };

	(void)sel4_recv(s.ep, &badge, mr, me->reply);
	for (;;) {
		(void)sel4_wait(held);
		mr[0] = me->number;
		(void)sel4_reply_recv(s.ep, msginfo(0, 0, 10), &badge, mr, me->reply);
	}
}

static void calls_once(void *arg)
{
	(void)arg;
	s.count += 1 + call();
	kt_stop();
}

/* The next one in the queue goes while the first is being called. */
static void the_next_goes(void)
{
	struct server server_of[3];

	clear();
	held = kt_make(ABI_OBJ_NOTIFICATION, 0);
	server_of[0] = (struct server){ 0, kt_make(ABI_OBJ_REPLY, 0) };
	struct kt_thread a = kt_start(0, holds_a_call, &server_of[0], KT_HIGH);
	CHECK_OK(sel4_sched_context_unbind(a.sc));
	struct kt_thread b = serve(&server_of[1], 1, KT_HIGH);
	(void)serve(&server_of[2], 2, KT_HIGH);
	(void)kt_start(3, calls_once, NULL, KT_HIGH);
	CHECK_OK(sel4_tcb_suspend(b.tcb));
	CHECK_EQ(call(), 2);
	CHECK_EQ(s.count, 0);
	sel4_signal(held);
	CHECK_EQ(s.count, 1);
	CHECK_EQ(call(), 2);
}

static void buffer_goes_while_waiting(void)
{
	struct server me;
	cap_t frame = kt_make(ABI_OBJ_SMALL_PAGE, 0);

	clear();
	struct kt_thread t = serve(&me, 0, KT_HIGH);
	CHECK_OK(sel4_tcb_set_ipc_buffer(t.tcb, frame, 0x400));
	CHECK_EQ(call(), 0);
	CHECK_EQ(msginfo_words(s.info), 10);
	CHECK_OK(kt_revoke(frame));
	CHECK_EQ(call(), 0);
	CHECK_EQ(msginfo_words(s.info), 4);
	CHECK_OK(sel4_tcb_set_ipc_buffer(t.tcb, frame, 0x400));
	CHECK_EQ(call(), 0);
	CHECK_EQ(msginfo_words(s.info), 10);
	CHECK_OK(sel4_tcb_set_ipc_buffer(t.tcb, 0, 0));
	CHECK_EQ(call(), 0);
	CHECK_EQ(msginfo_words(s.info), 4);
}

static void client(void *arg)
{
	(void)arg;
	(void)call();
	s.count++;
	kt_stop();
}

/* A call makes the server run where it is now: nothing is mapped there. */
static void check_faults(void)
{
	uint64_t badge, mr[4] = { 0 };

	(void)kt_start(1, client, NULL, KT_HIGH);
	CHECK_EQ(msginfo_label(sel4_nb_recv(s.fault_ep, &badge, mr, kt_make(ABI_OBJ_REPLY, 0))),
		 ABI_FAULT_VM);
	CHECK_EQ(s.count, 0);
}

static void space_changes_while_waiting(void)
{
	struct server me;
	cap_t vspace = kt_make(ABI_OBJ_VSPACE, 0);

	clear();
	CHECK_OK(sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, vspace));
	struct kt_thread t = serve(&me, 0, KT_HIGH);
	CHECK_EQ(call(), 0);
	CHECK_OK(sel4_tcb_set_space(t.tcb, s.fault_ep, KT_CNODE, vspace, 0, 0));
	check_faults();
}

static void space_goes_while_waiting(void)
{
	struct server me;
	cap_t vspace = kt_make(ABI_OBJ_VSPACE, 0);

	clear();
	CHECK_OK(sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, vspace));
	struct kt_thread t = serve(&me, 0, KT_HIGH);
	CHECK_OK(sel4_tcb_set_space(t.tcb, s.fault_ep, KT_CNODE, vspace, 0, 0));
	CHECK_OK(kt_delete(vspace));
	check_faults();
}

static void faulter(void *arg)
{
	(void)arg;
	for (;;) {
		KT_FAULT();
		s.count++;
	}
}

/* Answers faults, from the third on by a label that stops the thread. */
static void handler(void *arg)
{
	struct server *me = arg;
	uint64_t badge, mr[4] = { 0 };

	s.info = sel4_recv(s.fault_ep, &badge, mr, me->reply);
	for (me->number = 1;; me->number++) {
		s.wrong_badges += badge != FAULTER;
		/* Behind the instruction: the answer is the new PC. */
		mr[0] += KT_FAULT_BYTES;
		s.info = sel4_reply_recv(s.fault_ep, msginfo(me->number >= 3, 0, 1), &badge, mr,
					 me->reply);
	}
}

static void passive_fault_handler(void)
{
	struct server me = { 0, kt_make(ABI_OBJ_REPLY, 0) };

	clear();
	struct kt_thread h = kt_start(0, handler, &me, KT_HIGH);
	CHECK_OK(sel4_sched_context_unbind(h.sc));
	struct kt_thread t = kt_thread(1, faulter, NULL, KT_PRIO + 1,
				       kt_mint(s.fault_ep, KT_ALL, FAULTER), true);
	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_EQ(me.number, 3); /* has answered three, waits for more */
	CHECK_EQ(s.count, 2);   /* the third answer was: stay */
	CHECK_EQ(msginfo_label(s.info), ABI_FAULT_USER_EXCEPTION);
	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_EQ(me.number, 4);
	CHECK_EQ(s.wrong_badges, 0);
}

/* One call makes its caller wait and its server ready, and a third is better. */
static void active_server_below_others(void)
{
	struct server me = { 5, kt_make(ABI_OBJ_REPLY, 0) };

	clear();
	(void)kt_start(0, server, &me, KT_LOW);
	kt_sleep_us(100);
	for (unsigned i = 1; i < 4; i++) {
		(void)kt_start(i, client, NULL, KT_HIGH);
		CHECK_EQ(s.count, i - 1);
		kt_sleep_us(100);
		CHECK_EQ(s.count, i);
	}
}

/* --- what the general way has to do --- */

#define BOUND 0x77

/* In the middle of a call its notification is signalled; then what `how` says. */
enum how { PLAIN,
	   WITH_CAP,
	   UNREADABLE };
static struct {
	cap_t reply, ntfn, signal, unreadable, place;
	enum how how;
	volatile uint64_t badge, rounds;
} d;

static void distracted(void *arg)
{
	uint64_t badge, mr[4] = { 0 };

	(void)arg;
	(void)sel4_recv(s.ep, &badge, mr, d.reply);
	for (;;) {
		if (d.signal)
			sel4_signal(d.signal);
		d.signal = 0; /* once */
		sel4_ipcbuf->caps_or_badges[0] = d.ntfn;
		d.rounds++;
		(void)sel4_reply_recv(d.how == UNREADABLE ? d.unreadable : s.ep,
				      msginfo(0, d.how == WITH_CAP, 1), &badge, mr, d.reply);
		d.badge = badge;
	}
}

static struct kt_thread serve_distracted(enum how how, bool with_fault_ep)
{
	clear();
	d.reply = kt_make(ABI_OBJ_REPLY, 0);
	d.ntfn = kt_make(ABI_OBJ_NOTIFICATION, 0);
	d.unreadable = kt_mint(s.ep, ABI_RIGHT_WRITE, 0);
	d.how = how;
	d.signal = 0;
	d.rounds = d.badge = 0;
	struct kt_thread t = kt_thread(0, distracted, NULL, KT_HIGH,
				       with_fault_ep ? s.fault_ep : 0, true);
	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_OK(sel4_sched_context_unbind(t.sc));
	return t;
}

/* Its own notification comes before the next message. */
static void bound_notification_is_active(void)
{
	struct kt_thread t = serve_distracted(PLAIN, false);

	CHECK_OK(sel4_tcb_bind_notification(t.tcb, d.ntfn));
	(void)call();
	CHECK_EQ(d.rounds, 1);
	CHECK_EQ(d.badge, 0); /* it waits */
	d.signal = kt_mint(d.ntfn, KT_ALL, BOUND);
	(void)call();
	CHECK_EQ(d.rounds, 2);
	CHECK_OK(sel4_sched_context_bind(t.sc, t.tcb)); /* now it can run */
	CHECK_EQ(d.badge, BOUND);
}

static void reply_with_a_capability(void)
{
	cap_t to = kt_slot();

	(void)serve_distracted(WITH_CAP, false);
	for (unsigned i = 0; i < 2; i++) {
		sel4_ipcbuf->receive_cnode = KT_CNODE;
		sel4_ipcbuf->receive_index = to;
		sel4_ipcbuf->receive_depth = KT_DEPTH;
		(void)call();
		CHECK_EQ(msginfo_caps(s.info), 1);
		CHECK(!kt_is_empty(to));
		CHECK_OK(kt_delete(to));
	}
}

static void receives_without_the_right(void)
{
	uint64_t badge, mr[4] = { 0 };

	(void)serve_distracted(UNREADABLE, true);
	(void)call();
	CHECK_EQ(msginfo_label(sel4_nb_recv(s.fault_ep, &badge, mr, kt_make(ABI_OBJ_REPLY, 0))),
		 ABI_FAULT_CAP);
	CHECK_EQ(mr[ABI_CAPFAULT_ADDR], d.unreadable);
}

static cap_t weak;

static void weak_client(void *arg)
{
	uint64_t mr[4] = { 0 };

	(void)arg;
	s.info = sel4_call(weak, msginfo(0, 0, 0), mr);
	s.count++;
	kt_stop();
}

/* Without Grant and GrantReply there is no answer, and no time is lent. */
static void call_without_a_reply(void)
{
	struct kt_thread t = serve_distracted(PLAIN, false);

	weak = kt_mint(s.ep, ABI_RIGHT_WRITE, 0);
	(void)kt_start(1, weak_client, NULL, KT_HIGH);
	CHECK_EQ(d.rounds, 0);
	CHECK_OK(sel4_sched_context_bind(t.sc, t.tcb));
	CHECK_EQ(d.rounds, 1);
	CHECK_EQ(s.count, 0);
	/* Nor without Write. */
	weak = kt_mint(s.ep, ABI_RIGHT_READ | ABI_RIGHT_GRANT, 0);
	(void)kt_start(2, weak_client, NULL, KT_HIGH);
	CHECK_EQ(s.count, 1);
	CHECK_EQ(msginfo_label(s.info), ABI_INVALID_CAPABILITY);
	CHECK_EQ(d.rounds, 1);
}

/* One of the two ways of answering is enough. */
static void call_with_either_right(void)
{
	(void)serve_distracted(PLAIN, false);
	weak = kt_mint(s.ep, ABI_RIGHT_WRITE | ABI_RIGHT_GRANT_REPLY, 0);
	(void)kt_start(1, weak_client, NULL, KT_HIGH);
	CHECK_EQ(s.count, 1);
	weak = kt_mint(s.ep, ABI_RIGHT_WRITE | ABI_RIGHT_GRANT, 0);
	(void)kt_start(2, weak_client, NULL, KT_HIGH);
	CHECK_EQ(s.count, 2);
}

/* --- waking --- */

static void wakes(void *arg)
{
	(void)sel4_wait(d.ntfn);
	s.count = s.count * 10 + (unsigned)(uintptr_t)arg;
	kt_stop();
}

static void signal_capability(uint64_t rights, bool wakes_it)
{
	s.count = 0;
	sel4_signal(kt_mint(d.ntfn, rights, 0));
	CHECK_EQ(s.count, wakes_it ? 7 : 0);
}

/* Of every kind of context: spent, unbound, sporadic, full. */
static void waiters_of_all_kinds(void)
{
	clear();
	d.ntfn = kt_make(ABI_OBJ_NOTIFICATION, 0);
	struct kt_thread t = kt_start(0, wakes, (void *)7, KT_HIGH);
	signal_capability(ABI_RIGHT_READ, false);
	signal_capability(ABI_RIGHT_WRITE, true);
	/* Without a context it has the signal and does not run. */
	struct kt_thread u = kt_start(1, wakes, (void *)7, KT_HIGH);
	CHECK_OK(sel4_sched_context_unbind(u.sc));
	signal_capability(KT_ALL, false);
	CHECK_OK(sel4_sched_context_bind(u.sc, u.tcb));
	CHECK_EQ(s.count, 7);
	/* A sporadic one's budget counts from now. */
	struct kt_thread v = kt_thread(2, wakes, (void *)7, KT_HIGH, 0, true);
	CHECK_OK(sel4_sched_control_configure(kt_sched_control(), v.sc, 1000, 10000, 0, 0,
					      ABI_SC_FLAG_SPORADIC));
	CHECK_OK(sel4_tcb_resume(v.tcb));
	signal_capability(KT_ALL, true);
	/* Equals wait for their turn. */
	(void)kt_start(3, wakes, (void *)7, KT_PRIO);
	kt_sleep_us(100);
	signal_capability(KT_ALL, false);
	kt_sleep_us(100);
	CHECK_EQ(s.count, 7);
	CHECK_OK(sel4_tcb_suspend(t.tcb));
}

/* A waiter whose budget is used up runs when that comes back, not before. */
static void spends_and_waits(void *arg)
{
	volatile uint64_t begin = kt_now_us();

	(void)arg;
	while (kt_now_us() < begin + 300)
		;
	(void)sel4_wait(d.ntfn);
	s.count = 7;
	kt_stop();
}

static void waiter_without_budget(void)
{
	clear();
	d.ntfn = kt_make(ABI_OBJ_NOTIFICATION, 0);
	s.count = 0;
	struct kt_thread t = kt_thread(0, spends_and_waits, NULL, KT_HIGH, 0, true);
	CHECK_OK(sel4_sched_control_configure(kt_sched_control(), t.sc, 310, 20000, 0, 0, 0));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	signal_capability(KT_ALL, false);
	kt_sleep_us(30000);
	CHECK_EQ(s.count, 7);
}

static const struct kt_case cases[] = {
	{ "fast path: servers of one endpoint take turns", equals_take_turns },
	{ "fast path: the best of an endpoint's servers is first again", the_best_serves },
	{ "fast path: one of an endpoint's servers goes", one_of_them_goes },
	{ "fast path: the server behind the called one goes", the_next_goes },
	{ "fast path: an IPC buffer that has gone is not used", buffer_goes_while_waiting },
	{ "fast path: a server wakes in its new address space", space_changes_while_waiting },
	{ "fast path: a server whose address space has gone", space_goes_while_waiting },
	{ "fast path: a passive handler's answers to faults", passive_fault_handler },
	{ "fast path: an active server below others", active_server_below_others },
	{ "fast path: a server's notification is active", bound_notification_is_active },
	{ "fast path: a passive server replies with a capability", reply_with_a_capability },
	{ "fast path: ReplyRecv without Read", receives_without_the_right },
	{ "fast path: a call without a right", call_without_a_reply },
	{ "fast path: a call with either right to an answer", call_with_either_right },
	{ "fast path: waiters with every kind of context", waiters_of_all_kinds },
	{ "fast path: a waiter without budget", waiter_without_budget },
};
KT_GROUP(kt_fastpath);
