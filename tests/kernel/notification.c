/* Notifications and bound notifications. */
#include "kt.h"

static struct {
	cap_t ntfn, ep, reply;
	volatile uint64_t badge;
	volatile unsigned count;
} s;

static void clear(void)
{
	s.ntfn = kt_make(ABI_OBJ_NOTIFICATION, 0);
	s.ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	s.reply = kt_make(ABI_OBJ_REPLY, 0);
	s.badge = 0;
	s.count = 0;
}

static void badges_gather(void)
{
	clear();
	sel4_signal(kt_mint(s.ntfn, KT_ALL, 1));
	sel4_signal(kt_mint(s.ntfn, KT_ALL, 4));
	sel4_signal(kt_mint(s.ntfn, KT_ALL, 0x8000000000000000ull));
	CHECK_EQ(sel4_wait(s.ntfn), 0x8000000000000005ull);
	CHECK_EQ(sel4_poll(s.ntfn), 0);
}

static void unbadged_signal_is_zero(void)
{
	clear();
	sel4_signal(s.ntfn);
	CHECK_EQ(sel4_wait(s.ntfn), 0);
}

static void waiter(void *arg)
{
	(void)arg;
	for (;;) {
		s.badge = sel4_wait(s.ntfn);
		s.count++;
	}
}

static void wakes_the_waiter(void)
{
	clear();
	(void)kt_start(0, waiter, NULL, KT_HIGH);
	sel4_signal(kt_mint(s.ntfn, KT_ALL, 6));
	CHECK_EQ(s.count, 1);
	CHECK_EQ(s.badge, 6);
}

static void low_waiter_does_not_preempt(void)
{
	clear();
	(void)kt_start(0, waiter, NULL, KT_LOW);
	kt_sleep_us(2500);
	sel4_signal(s.ntfn);
	CHECK_EQ(s.count, 0);
	kt_sleep_us(2500);
	CHECK_EQ(s.count, 1);
}

static void one_signal_one_waiter(void)
{
	clear();
	(void)kt_start(0, waiter, NULL, KT_HIGH);
	(void)kt_start(1, waiter, NULL, KT_HIGH);
	sel4_signal(s.ntfn);
	CHECK_EQ(s.count, 1);
	sel4_signal(s.ntfn);
	CHECK_EQ(s.count, 2);
}

static void call_of_a_notification(void)
{
	uint64_t mr[4] = { 7, 7, 7, 7 };
	msginfo_t info;

	clear();
	info = sel4_call(s.ntfn, msginfo(0x77, 0, 3), mr);
	CHECK_EQ(info, 0);
	CHECK_EQ(mr[0], 7);
}

static void receiver(void *arg)
{
	uint64_t badge, mr[4] = { 0 };

	(void)arg;
	for (;;) {
		(void)sel4_recv(s.ep, &badge, mr, s.reply);
		s.badge = badge;
		s.count++;
	}
}

static void bound_signal_interrupts_receive(void)
{
	clear();
	struct kt_thread t = kt_thread(0, receiver, NULL, KT_HIGH, 0, true);
	CHECK_OK(sel4_tcb_bind_notification(t.tcb, s.ntfn));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	sel4_signal(kt_mint(s.ntfn, KT_ALL, 12));
	CHECK_EQ(s.count, 1);
	CHECK_EQ(s.badge, 12);
	/* It is back on the endpoint. */
	uint64_t mr[4] = { 0 };
	sel4_nb_send(kt_mint(s.ep, KT_ALL, 13), msginfo(0, 0, 0), mr);
	CHECK_EQ(s.badge, 13);
}

static void bound_signal_before_receive(void)
{
	clear();
	struct kt_thread t = kt_thread(0, receiver, NULL, KT_HIGH, 0, true);
	CHECK_OK(sel4_tcb_bind_notification(t.tcb, s.ntfn));
	sel4_signal(kt_mint(s.ntfn, KT_ALL, 12));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_EQ(s.count, 1);
	CHECK_EQ(s.badge, 12);
}

static void bind_errors(void)
{
	uint64_t mr[4] = { 0 };

	clear();
	struct kt_thread t = kt_thread(0, receiver, NULL, KT_HIGH, 0, true);
	struct kt_thread w = kt_start(1, waiter, NULL, KT_HIGH);
	cap_t other = kt_make(ABI_OBJ_NOTIFICATION, 0);
	cap_t writer = kt_mint(other, ABI_RIGHT_WRITE, 0);

	CHECK_EQ(sel4_invoke(t.tcb, ABI_INV_TCB_BIND_NOTIFICATION, 0, 0, mr),
		 ABI_TRUNCATED_MESSAGE);
	CHECK_EQ(sel4_tcb_bind_notification(t.tcb, s.ep), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_tcb_bind_notification(t.tcb, writer), ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_tcb_bind_notification(t.tcb, s.ntfn), ABI_ILLEGAL_OPERATION); /* waiters */
	CHECK_EQ(sel4_tcb_unbind_notification(t.tcb), ABI_ILLEGAL_OPERATION);
	CHECK_OK(sel4_tcb_bind_notification(t.tcb, other));
	CHECK_EQ(sel4_tcb_bind_notification(t.tcb, kt_make(ABI_OBJ_NOTIFICATION, 0)),
		 ABI_ILLEGAL_OPERATION);
	CHECK_EQ(sel4_tcb_bind_notification(w.tcb, other), ABI_ILLEGAL_OPERATION);
	CHECK_OK(sel4_tcb_unbind_notification(t.tcb));
	CHECK_OK(sel4_tcb_bind_notification(w.tcb, other));
	CHECK_OK(kt_delete(w.tcb)); /* it is free again */
	CHECK_OK(sel4_tcb_bind_notification(t.tcb, other));
}

static void deleting_wakes(void)
{
	clear();
	cap_t faults = kt_make(ABI_OBJ_ENDPOINT, 0);
	struct kt_thread t = kt_thread(0, waiter, NULL, KT_HIGH, faults, true);
	uint64_t badge = 0, mr[4] = { 0 };
	msginfo_t info;

	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_OK(kt_delete(s.ntfn));
	/* The Wait ran again, on an empty slot: a capability fault. */
	info = sel4_nb_recv(faults, &badge, mr, s.reply);
	CHECK_EQ(msginfo_label(info), ABI_FAULT_CAP);
	CHECK_EQ(mr[ABI_CAPFAULT_ADDR], s.ntfn);
	CHECK_EQ(mr[ABI_CAPFAULT_IN_RECV], 1);
	CHECK_EQ(s.count, 0);
}

/* The thread that was bound to it is free for another. */
static void deleting_unbinds(void)
{
	clear();
	struct kt_thread t = kt_thread(0, waiter, NULL, KT_HIGH, 0, true);
	cap_t other = kt_make(ABI_OBJ_NOTIFICATION, 0);

	CHECK_OK(sel4_tcb_bind_notification(t.tcb, s.ntfn));
	CHECK_OK(kt_delete(s.ntfn));
	CHECK_EQ(sel4_tcb_unbind_notification(t.tcb), ABI_ILLEGAL_OPERATION);
	CHECK_OK(sel4_tcb_bind_notification(t.tcb, other));
}

static void lends_its_context(void)
{
	clear();
	cap_t sc = kt_make(ABI_OBJ_SCHED_CONTEXT, 8);
	struct kt_thread t = kt_thread(0, waiter, NULL, KT_HIGH, 0, true);

	/* It runs to its Wait on its own context, then has none. */
	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_OK(sel4_sched_context_unbind(t.sc));
	CHECK_OK(sel4_sched_control_configure(kt_sched_control(), sc, 1000, 1000, 0, 0, 0));
	sel4_signal(s.ntfn);
	CHECK_EQ(s.count, 0);
	CHECK_OK(sel4_sched_context_bind(t.sc, t.tcb));
	CHECK_EQ(s.count, 1);
	CHECK_OK(sel4_sched_context_unbind(t.sc));
	CHECK_OK(sel4_sched_context_bind(sc, s.ntfn));
	sel4_signal(s.ntfn);
	CHECK_EQ(s.count, 2);
	sel4_signal(s.ntfn);
	CHECK_EQ(s.count, 3);
}

static const struct kt_case cases[] = {
	{ "notification: badges gather", badges_gather },
	{ "notification: a signal without badge", unbadged_signal_is_zero },
	{ "notification: a signal wakes the waiter", wakes_the_waiter },
	{ "notification: a lower waiter does not preempt", low_waiter_does_not_preempt },
	{ "notification: one signal wakes one waiter", one_signal_one_waiter },
	{ "notification: a Call signals and returns", call_of_a_notification },
	{ "notification: bound, a signal interrupts Recv", bound_signal_interrupts_receive },
	{ "notification: bound, a signal before Recv", bound_signal_before_receive },
	{ "notification: errors of Bind and Unbind", bind_errors },
	{ "notification: deleting it restarts its waiters", deleting_wakes },
	{ "notification: deleting it unbinds its thread", deleting_unbinds },
	{ "notification: its scheduling context is lent", lends_its_context },
};
KT_GROUP(kt_notification);
