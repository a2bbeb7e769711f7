/* Calls, reply objects, donated scheduling contexts. */
#include "kt.h"

static struct {
	cap_t ep, ep2, reply, reply2, ntfn;
	volatile unsigned count, served;
	volatile uint64_t got, got_info;
} s;

static void clear(void)
{
	s.ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	s.ep2 = kt_make(ABI_OBJ_ENDPOINT, 0);
	s.reply = kt_make(ABI_OBJ_REPLY, 0);
	s.reply2 = kt_make(ABI_OBJ_REPLY, 0);
	s.ntfn = kt_make(ABI_OBJ_NOTIFICATION, 0);
	s.count = s.served = 0;
	s.got = s.got_info = 0;
}

/* Adds one to the first word, for ever. */
static void server(void *arg)
{
	uint64_t badge, mr[4] = { 0 };
	msginfo_t info = sel4_recv(s.ep, &badge, mr, s.reply);

	(void)arg;
	for (;;) {
		s.served++;
		mr[0]++;
		info = sel4_reply_recv(s.ep, msginfo(msginfo_label(info) + 1, 0, 1), &badge, mr,
				       s.reply);
	}
}

/* Passes calls on to the second endpoint. */
static void middle(void *arg)
{
	uint64_t badge, mr[4] = { 0 };

	(void)arg;
	(void)sel4_recv(s.ep2, &badge, mr, s.reply2);
	for (;;) {
		(void)sel4_call(s.ep, msginfo(0, 0, 1), mr);
		(void)sel4_reply_recv(s.ep2, msginfo(0, 0, 1), &badge, mr, s.reply2);
	}
}

static void client(void *arg)
{
	uint64_t mr[4] = { 41 };

	s.got_info = sel4_call(*(cap_t *)arg, msginfo(10, 0, 1), mr);
	s.got = mr[0];
	s.count++;
	kt_stop();
}

/* A server that has started and then lost its context. */
static struct kt_thread passive(unsigned index, void (*entry)(void *), unsigned prio)
{
	struct kt_thread t = kt_start(index, entry, NULL, prio);

	CHECK_OK(sel4_sched_context_unbind(t.sc));
	return t;
}

static void active_server(void)
{
	uint64_t mr[4] = { 5 };
	msginfo_t info;

	clear();
	(void)kt_start(0, server, NULL, KT_HIGH);
	info = sel4_call(s.ep, msginfo(20, 0, 1), mr);
	CHECK_EQ(msginfo_label(info), 21);
	CHECK_EQ(mr[0], 6);
	info = sel4_call(s.ep, msginfo(30, 0, 1), mr);
	CHECK_EQ(mr[0], 7);
}

static void passive_server(void)
{
	uint64_t mr[4] = { 5 };

	clear();
	(void)passive(0, server, KT_HIGH);
	for (unsigned i = 0; i < 5; i++)
		(void)sel4_call(s.ep, msginfo(20, 0, 1), mr);
	CHECK_EQ(mr[0], 10);
}

static void passive_server_of_lower_priority(void)
{
	uint64_t mr[4] = { 5 };

	clear();
	struct kt_thread t = kt_start(0, server, NULL, KT_LOW);
	kt_sleep_us(2500);
	CHECK_OK(sel4_sched_context_unbind(t.sc));
	(void)sel4_call(s.ep, msginfo(20, 0, 1), mr);
	CHECK_EQ(mr[0], 6);
}

static void chain_of_passive_servers(void)
{
	uint64_t mr[4] = { 5 };

	clear();
	(void)passive(0, server, KT_HIGH);
	(void)passive(1, middle, KT_HIGH);
	(void)sel4_call(s.ep2, msginfo(20, 0, 1), mr);
	(void)sel4_call(s.ep2, msginfo(20, 0, 1), mr);
	CHECK_EQ(mr[0], 7);
}

static void chain_broken_in_the_middle(void)
{
	clear();
	(void)passive(0, server, KT_HIGH);
	struct kt_thread m = passive(1, middle, KT_HIGH);
	struct kt_thread c = kt_thread(2, client, &s.ep2, KT_HIGH, 0, true);
	/* The server is held by itself: nothing answers while it is stopped. */
	cap_t blocked = s.ep;
	s.ep = kt_make(ABI_OBJ_ENDPOINT, 0); /* nobody serves this one */
	CHECK_OK(sel4_tcb_resume(c.tcb));
	CHECK_EQ(s.count, 0);
	/* Middle, on the client's context, waits to send. It goes. */
	CHECK_OK(kt_delete(m.tcb));
	CHECK_EQ(s.count, 0);
	/* Deleting the reply gives the context back; the client stops. */
	CHECK_OK(kt_delete(s.reply2));
	CHECK_OK(sel4_tcb_suspend(c.tcb));
	CHECK_EQ(s.count, 0);
	s.ep = blocked;
	/* The client, with its context, can call again. */
	CHECK_OK(sel4_tcb_write_registers(c.tcb, 0, ABI_CTX_COUNT, kt_registers(2)));
}

/* Takes a call and keeps it. */
static void holder(void *arg)
{
	uint64_t badge, mr[4] = { 0 };

	(void)arg;
	(void)sel4_recv(s.ep, &badge, mr, s.reply);
	s.served++;
	(void)sel4_wait(s.ntfn);
	kt_stop();
}

static void call_stopped_in_a_chain(void)
{
	clear();
	(void)passive(0, holder, KT_HIGH);
	struct kt_thread m = passive(1, middle, KT_HIGH);
	struct kt_thread c = kt_thread(2, client, &s.ep2, KT_HIGH, 0, true);
	CHECK_OK(sel4_tcb_resume(c.tcb));
	CHECK_EQ(s.served, 1);
	/* The newer call goes; the older one stands, and its context is the holder's. */
	CHECK_OK(sel4_tcb_suspend(m.tcb));
	CHECK_EQ(s.count, 0);
	CHECK_OK(kt_delete(s.reply));
	CHECK_OK(kt_delete(s.reply2));
	CHECK_OK(kt_delete(m.tcb));
	CHECK_EQ(s.count, 0);
}

static void reply_by_send(void)
{
	uint64_t badge, mr[4] = { 0 };

	clear();
	(void)kt_start(0, client, &s.ep, KT_HIGH);
	(void)sel4_recv(s.ep, &badge, mr, s.reply);
	CHECK_EQ(mr[0], 41);
	mr[0] = 99;
	sel4_send(s.reply, msginfo(3, 0, 1), mr);
	CHECK_EQ(s.count, 1);
	CHECK_EQ(s.got, 99);
	CHECK_EQ(msginfo_label(s.got_info), 3);
	/* Once only. */
	sel4_send(s.reply, msginfo(3, 0, 1), mr);
	CHECK_EQ(s.count, 1);
}

static void reply_used_again(void)
{
	uint64_t badge = 5, mr[4] = { 0 };

	clear();
	(void)kt_start(0, client, &s.ep, KT_HIGH);
	(void)sel4_recv(s.ep, &badge, mr, s.reply);
	/* The object is wanted for another receive: the caller is dropped. */
	(void)sel4_nb_recv(s.ep, &badge, mr, s.reply);
	CHECK_EQ(badge, 0);
	sel4_send(s.reply, msginfo(3, 0, 1), mr);
	CHECK_EQ(s.count, 0);
}

static void reply_deleted(void)
{
	uint64_t badge, mr[4] = { 0 };

	clear();
	struct kt_thread c = kt_start(0, client, &s.ep, KT_HIGH);
	(void)sel4_recv(s.ep, &badge, mr, s.reply);
	CHECK_OK(kt_delete(s.reply));
	CHECK_EQ(s.count, 0);
	/* Inactive; resumed, it calls again. */
	CHECK_OK(sel4_tcb_resume(c.tcb));
	s.reply = kt_make(ABI_OBJ_REPLY, 0);
	(void)sel4_recv(s.ep, &badge, mr, s.reply);
	CHECK_EQ(mr[0], 41);
}

static void reply_grants(void)
{
	uint64_t badge, mr[4] = { 0 };

	clear();
	(void)kt_start(0, client, &s.ep, KT_HIGH);
	(void)sel4_recv(s.ep, &badge, mr, s.reply);
	sel4_ipcbuf->caps_or_badges[0] = ABI_ROOT_TCB;
	cap_t weak = kt_mint(s.reply, 0, 0);
	sel4_send(weak, msginfo(3, 1, 1), mr);
	CHECK_EQ(s.count, 1);
	CHECK_EQ(msginfo_caps(s.got_info), 0);
}

static void call_without_reply_object(void)
{
	uint64_t badge, mr[4] = { 0 };

	clear();
	(void)kt_start(0, client, &s.ep, KT_HIGH);
	(void)sel4_wait_msg(s.ep, &badge, mr);
	CHECK_EQ(mr[0], 41);
	CHECK_EQ(s.count, 0);
}

static void reply_recv_serves_the_next(void)
{
	uint64_t badge, mr[4] = { 0 };

	clear();
	(void)kt_start(0, client, &s.ep, KT_HIGH);
	(void)kt_start(1, client, &s.ep, KT_HIGH);
	(void)sel4_recv(s.ep, &badge, mr, s.reply);
	mr[0] = 1;
	(void)sel4_reply_recv(s.ep, msginfo(0, 0, 1), &badge, mr, s.reply);
	CHECK_EQ(mr[0], 41);
	CHECK_EQ(s.count, 1);
	sel4_send(s.reply, msginfo(0, 0, 1), mr);
	CHECK_EQ(s.count, 2);
}

static void receiver2(void *arg)
{
	uint64_t badge, mr[4] = { 0 };

	(void)arg;
	(void)sel4_recv(s.ep2, &badge, mr, s.reply2);
	s.got = mr[0];
	s.count++;
	kt_stop();
}

static void nb_send_recv(void)
{
	uint64_t badge = 0, mr[4] = { 123 };

	clear();
	sel4_signal(kt_mint(s.ntfn, KT_ALL, 9));
	(void)kt_start(0, receiver2, NULL, KT_HIGH);
	(void)sel4_nb_send_recv(s.ep2, msginfo(0, 0, 1), mr, s.ntfn, &badge, s.reply);
	CHECK_EQ(badge, 9);
	CHECK_EQ(s.count, 1);
	CHECK_EQ(s.got, 123);
}

static void nb_send_wait(void)
{
	uint64_t badge = 0, mr[4] = { 124 };

	clear();
	sel4_signal(kt_mint(s.ntfn, KT_ALL, 10));
	(void)kt_start(0, receiver2, NULL, KT_HIGH);
	(void)sel4_nb_send_wait(s.ep2, msginfo(0, 0, 1), mr, s.ntfn, &badge);
	CHECK_EQ(badge, 10);
	CHECK_EQ(s.got, 124);
	/* Objects that could stop the thread are barred: nothing happens. */
	sel4_signal(kt_mint(s.ntfn, KT_ALL, 11));
	(void)sel4_nb_send_wait(ABI_ROOT_TCB, msginfo(ABI_INV_TCB_SUSPEND, 0, 0), mr, s.ntfn,
				&badge);
	CHECK_EQ(badge, 11);
}

static void suspended_caller(void)
{
	uint64_t badge, mr[4] = { 0 };

	clear();
	struct kt_thread c = kt_start(0, client, &s.ep, KT_HIGH);
	(void)sel4_recv(s.ep, &badge, mr, s.reply);
	CHECK_OK(sel4_tcb_suspend(c.tcb));
	sel4_send(s.reply, msginfo(0, 0, 1), mr);
	CHECK_EQ(s.count, 0);
	CHECK_OK(sel4_tcb_resume(c.tcb));
	(void)sel4_recv(s.ep, &badge, mr, s.reply);
	sel4_send(s.reply, msginfo(0, 0, 1), mr);
	CHECK_EQ(s.count, 1);
}

static void context_deleted_while_donated(void)
{
	clear();
	struct kt_thread c = kt_thread(1, client, &s.ep, KT_HIGH, 0, true);
	(void)passive(0, server, KT_LOW);
	kt_sleep_us(2500);
	CHECK_OK(sel4_tcb_resume(c.tcb)); /* the server has the context now */
	CHECK_OK(kt_delete(c.sc));
	kt_sleep_us(2500);
	CHECK_EQ(s.count, 0);
	/* The server can still be called by others. */
	struct kt_thread d = kt_thread(2, client, &s.ep, KT_HIGH, 0, true);
	CHECK_OK(sel4_tcb_suspend(c.tcb));
	CHECK_OK(kt_delete(d.tcb));
}

static const struct kt_case cases[] = {
	{ "reply: an active server", active_server },
	{ "reply: a passive server runs on the caller's context", passive_server },
	{ "reply: a passive server of lower priority", passive_server_of_lower_priority },
	{ "reply: a chain of passive servers", chain_of_passive_servers },
	{ "reply: a chain broken in the middle", chain_broken_in_the_middle },
	{ "reply: a call stopped in a chain", call_stopped_in_a_chain },
	{ "reply: by Send, once", reply_by_send },
	{ "reply: using the object again drops the caller", reply_used_again },
	{ "reply: deleting the object stops the caller", reply_deleted },
	{ "reply: without Grant no capability travels", reply_grants },
	{ "reply: a Call received without an object", call_without_reply_object },
	{ "reply: ReplyRecv serves the next caller", reply_recv_serves_the_next },
	{ "reply: NBSendRecv", nb_send_recv },
	{ "reply: NBSendWait, and what its first phase may not reach", nb_send_wait },
	{ "reply: a suspended caller", suspended_caller },
	{ "reply: a context deleted while donated", context_deleted_while_donated },
};
KT_GROUP(kt_reply);
