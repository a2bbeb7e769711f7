/* Endpoints: messages, badges, capabilities, order, cancellation. */
#include "kt.h"

static struct {
	cap_t ep, reply;
	uint64_t badge, mr[4], more[ABI_MSG_MAX_WORDS];
	msginfo_t info;
	volatile unsigned count;
	cap_t receive_slot;
	msginfo_t answer;
} s;

static void clear(void)
{
	s.ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	s.reply = kt_make(ABI_OBJ_REPLY, 0);
	s.count = 0;
	s.receive_slot = 0;
	for (unsigned i = 0; i < 4; i++)
		s.mr[i] = 0xdead;
}

/* Receives one message and says what came. */
static void receiver(void *arg)
{
	(void)arg;
	sel4_ipcbuf->receive_cnode = KT_CNODE;
	sel4_ipcbuf->receive_index = s.receive_slot;
	sel4_ipcbuf->receive_depth = 64;
	s.info = sel4_recv(s.ep, &s.badge, s.mr, s.reply);
	for (unsigned i = 4; i < ABI_MSG_MAX_WORDS; i++)
		s.more[i] = sel4_ipcbuf->msg[i];
	s.more[0] = sel4_ipcbuf->caps_or_badges[0];
	s.more[1] = sel4_ipcbuf->caps_or_badges[1];
	s.count++;
	kt_stop();
}

static void send_words(void)
{
	uint64_t mr[4] = { 11, 22, 33, 44 };

	clear();
	cap_t badged = kt_mint(s.ep, KT_ALL, 0x1234);
	(void)kt_start(0, receiver, NULL, KT_HIGH);
	for (unsigned i = 4; i < ABI_MSG_MAX_WORDS; i++)
		sel4_ipcbuf->msg[i] = i * 3;
	sel4_send(badged, msginfo(0xabcdef, 0, 120), mr);
	CHECK_EQ(s.count, 1);
	CHECK_EQ(s.badge, 0x1234);
	CHECK_EQ(msginfo_label(s.info), 0xabcdef);
	CHECK_EQ(msginfo_words(s.info), 120);
	CHECK_EQ(s.mr[0], 11);
	CHECK_EQ(s.mr[3], 44);
	CHECK_EQ(s.more[4], 12);
	CHECK_EQ(s.more[119], 357);
}

static void short_message_keeps_registers(void)
{
	uint64_t mr[4] = { 1, 2, 3, 4 };

	clear();
	(void)kt_start(0, receiver, NULL, KT_HIGH);
	sel4_send(s.ep, msginfo(5, 0, 2), mr);
	CHECK_EQ(msginfo_words(s.info), 2);
	CHECK_EQ(s.mr[1], 2);
	CHECK_EQ(s.mr[2], 0xdead);
	CHECK_EQ(s.mr[3], 0xdead);
}

static void too_long_is_cut(void)
{
	uint64_t mr[4] = { 1, 2, 3, 4 };

	clear();
	(void)kt_start(0, receiver, NULL, KT_HIGH);
	sel4_send(s.ep, msginfo(5, 0, 127), mr);
	CHECK_EQ(msginfo_words(s.info), 120);
}

static void no_buffer_cuts_to_registers(void)
{
	uint64_t mr[4] = { 1, 2, 3, 4 };

	clear();
	struct kt_thread t = kt_thread(0, receiver, NULL, KT_HIGH, 0, true);
	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_OK(sel4_tcb_set_ipc_buffer(t.tcb, 0, 0));
	sel4_send(s.ep, msginfo(5, 0, 20), mr);
	CHECK_EQ(msginfo_words(s.info), 4);
	CHECK_EQ(s.mr[3], 4);
}

static void nb_send_without_receiver(void)
{
	uint64_t mr[4] = { 1, 2, 3, 4 }, badge = 9;

	clear();
	sel4_nb_send(s.ep, msginfo(5, 0, 4), mr);
	(void)sel4_nb_recv(s.ep, &badge, mr, s.reply);
	CHECK_EQ(badge, 0);
	CHECK_EQ(mr[0], 1); /* nothing else is written */
}

static void write_right(void)
{
	uint64_t mr[4] = { 0 };

	clear();
	cap_t reader = kt_mint(s.ep, ABI_RIGHT_READ, 0);
	CHECK_EQ(msginfo_label(sel4_call(reader, msginfo(0, 0, 0), mr)), ABI_INVALID_CAPABILITY);
	CHECK_EQ(mr[0], 0);
	sel4_send(reader, msginfo(0, 0, 0), mr); /* silent */
}

/* --- capabilities in messages --- */

static void grant_one(void)
{
	uint64_t mr[4] = { 0 };

	clear();
	cap_t ntfn = kt_make(ABI_OBJ_NOTIFICATION, 0);
	s.receive_slot = kt_slot();
	(void)kt_start(0, receiver, NULL, KT_HIGH);
	sel4_ipcbuf->caps_or_badges[0] = ntfn;
	sel4_ipcbuf->caps_or_badges[1] = ABI_ROOT_TCB;
	sel4_send(s.ep, msginfo(0, 2, 0), mr);
	/* The second has no place. */
	CHECK_EQ(msginfo_caps(s.info), 1);
	sel4_signal(s.receive_slot);
	CHECK_OK(kt_revoke(ntfn));
	CHECK(kt_is_empty(s.receive_slot));
}

static void no_grant_no_cap(void)
{
	uint64_t mr[4] = { 0 };

	clear();
	cap_t weak = kt_mint(s.ep, ABI_RIGHT_WRITE, 0);
	s.receive_slot = kt_slot();
	(void)kt_start(0, receiver, NULL, KT_HIGH);
	sel4_ipcbuf->caps_or_badges[0] = ABI_ROOT_TCB;
	sel4_send(weak, msginfo(0, 1, 0), mr);
	CHECK_EQ(s.count, 1);
	CHECK_EQ(msginfo_caps(s.info), 0);
	CHECK(kt_is_empty(s.receive_slot));
}

static void receive_slot_in_use(void)
{
	uint64_t mr[4] = { 0 };

	clear();
	s.receive_slot = s.reply;
	(void)kt_start(0, receiver, NULL, KT_HIGH);
	sel4_ipcbuf->caps_or_badges[0] = ABI_ROOT_TCB;
	sel4_send(s.ep, msginfo(0, 1, 0), mr);
	CHECK_EQ(s.count, 1);
	CHECK_EQ(msginfo_caps(s.info), 0);
}

static void same_endpoint_unwraps(void)
{
	uint64_t mr[4] = { 0 };

	clear();
	s.receive_slot = kt_slot();
	(void)kt_start(0, receiver, NULL, KT_HIGH);
	cap_t first = kt_mint(s.ep, KT_ALL, 77), third = kt_mint(s.ep, KT_ALL, 88);
	sel4_ipcbuf->caps_or_badges[0] = first;
	sel4_ipcbuf->caps_or_badges[1] = ABI_ROOT_TCB;
	sel4_ipcbuf->caps_or_badges[2] = third;
	sel4_send(s.ep, msginfo(0, 3, 0), mr);
	CHECK_EQ(msginfo_caps(s.info), 3);
	CHECK_EQ((s.info >> ABI_MSGINFO_UNWRAPPED_SHIFT) & 7, 5);
	CHECK_EQ(s.more[0], 77);
	CHECK(!kt_is_empty(s.receive_slot));
}

static void cap_from_blocked_sender_thread(void *arg)
{
	uint64_t mr[4] = { 0 };

	(void)arg;
	sel4_ipcbuf->caps_or_badges[0] = ABI_ROOT_TCB;
	sel4_send(s.ep, msginfo(3, 1, 0), mr);
	s.count++;
	kt_stop();
}

static void cap_from_blocked_sender(void)
{
	uint64_t badge, mr[4] = { 0 };
	msginfo_t info;

	clear();
	(void)kt_start(0, cap_from_blocked_sender_thread, NULL, KT_HIGH);
	CHECK_EQ(s.count, 0);
	sel4_ipcbuf->receive_cnode = KT_CNODE;
	sel4_ipcbuf->receive_index = kt_slot();
	sel4_ipcbuf->receive_depth = 64;
	info = sel4_recv(s.ep, &badge, mr, s.reply);
	CHECK_EQ(msginfo_label(info), 3);
	CHECK_EQ(msginfo_caps(info), 1);
	CHECK_EQ(s.count, 1);
	CHECK_OK(sel4_tcb_set_mc_priority(sel4_ipcbuf->receive_index, ABI_ROOT_TCB, 255));
}

/* --- order --- */

static void numbered_sender(void *arg)
{
	uint64_t mr[4] = { (uintptr_t)arg };

	sel4_send(s.ep, msginfo(0, 0, 1), mr);
	kt_stop();
}

static uint64_t receive_number(void)
{
	uint64_t badge, mr[4] = { 0 };

	(void)sel4_recv(s.ep, &badge, mr, s.reply);
	return mr[0];
}

static void priority_order(void)
{
	clear();
	(void)kt_start(0, numbered_sender, (void *)1, 151);
	(void)kt_start(1, numbered_sender, (void *)2, 153);
	(void)kt_start(2, numbered_sender, (void *)3, 152);
	(void)kt_start(3, numbered_sender, (void *)4, 153);
	CHECK_EQ(receive_number(), 2);
	CHECK_EQ(receive_number(), 4);
	CHECK_EQ(receive_number(), 3);
	CHECK_EQ(receive_number(), 1);
}

static void priority_change_reorders(void)
{
	clear();
	struct kt_thread a = kt_start(0, numbered_sender, (void *)1, 151);
	(void)kt_start(1, numbered_sender, (void *)2, 152);
	CHECK_OK(sel4_tcb_set_priority(a.tcb, ABI_ROOT_TCB, 153));
	CHECK_EQ(receive_number(), 1);
	CHECK_EQ(receive_number(), 2);
}

static void suspend_leaves_queue(void)
{
	clear();
	struct kt_thread a = kt_start(0, numbered_sender, (void *)1, 151);
	(void)kt_start(1, numbered_sender, (void *)2, 150);
	CHECK_OK(sel4_tcb_suspend(a.tcb));
	CHECK_EQ(receive_number(), 2);
	/* Resumed, it sends again. */
	CHECK_OK(sel4_tcb_resume(a.tcb));
	CHECK_EQ(receive_number(), 1);
}

/* --- cancellation --- */

static void badged_sender(void *arg)
{
	uint64_t mr[4] = { 0 };

	sel4_send(*(cap_t *)arg, msginfo(1, 0, 0), mr);
	s.count++;
	kt_stop();
}

static void cancel_badged(void)
{
	uint64_t badge, mr[4] = { 0 };

	clear();
	cap_t one = kt_mint(s.ep, KT_ALL, 1), two = kt_mint(s.ep, KT_ALL, 2);
	(void)kt_start(0, badged_sender, &one, KT_LOW + 1);
	(void)kt_start(1, badged_sender, &two, KT_LOW);
	kt_sleep_us(3000);
	/* It is restarted, and sends again: behind the other if equal. */
	CHECK_OK(sel4_cnode_cancel_badged_sends(KT_CNODE, one, 64));
	(void)sel4_nb_recv(s.ep, &badge, mr, s.reply);
	CHECK_EQ(badge, 2);
	(void)sel4_nb_recv(s.ep, &badge, mr, s.reply);
	CHECK_EQ(badge, 0);
	kt_sleep_us(3000);
	(void)sel4_nb_recv(s.ep, &badge, mr, s.reply);
	CHECK_EQ(badge, 1);
}

static void deleting_the_endpoint(void)
{
	uint64_t badge = 0, mr[4] = { 0 };
	msginfo_t info;

	clear();
	cap_t faults = kt_make(ABI_OBJ_ENDPOINT, 0), target = kt_make(ABI_OBJ_ENDPOINT, 0);
	struct kt_thread t = kt_thread(0, badged_sender, &target, KT_HIGH, faults, true);
	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_OK(kt_delete(target));
	/* The thread's call ran again: the slot is empty, which Send ignores. */
	CHECK_EQ(s.count, 1);
	info = sel4_nb_recv(faults, &badge, mr, s.reply);
	(void)info;
	CHECK_EQ(badge, 0);
}

static void caller(void *arg)
{
	uint64_t mr[4] = { 0 };

	s.answer = sel4_call(*(cap_t *)arg, msginfo(1, 0, 0), mr);
	s.count++;
	kt_stop();
}

static void call_without_grant(void)
{
	uint64_t badge, mr[4] = { 0 };

	clear();
	/* Without a reply object the caller stops for good. */
	cap_t weak = kt_mint(s.ep, ABI_RIGHT_WRITE, 3);
	struct kt_thread t = kt_start(0, caller, &weak, KT_HIGH);
	(void)sel4_recv(s.ep, &badge, mr, s.reply);
	CHECK_EQ(badge, 3);
	sel4_send(s.reply, msginfo(0, 0, 0), mr); /* nobody waits */
	CHECK_EQ(s.count, 0);
	CHECK_OK(sel4_tcb_suspend(t.tcb));
}

static const struct kt_case cases[] = {
	{ "ipc: 120 words, label and badge", send_words },
	{ "ipc: a short message leaves the other registers", short_message_keeps_registers },
	{ "ipc: a length above 120 is cut", too_long_is_cut },
	{ "ipc: without a buffer only registers travel", no_buffer_cuts_to_registers },
	{ "ipc: NBSend without a receiver, NBRecv without a sender", nb_send_without_receiver },
	{ "ipc: sending needs the Write right", write_right },
	{ "ipc: one capability is granted", grant_one },
	{ "ipc: without Grant no capability travels", no_grant_no_cap },
	{ "ipc: the receive slot is in use", receive_slot_in_use },
	{ "ipc: capabilities to the endpoint itself are unwrapped", same_endpoint_unwraps },
	{ "ipc: a capability from a sender that waited", cap_from_blocked_sender },
	{ "ipc: senders are served by priority, then in turn", priority_order },
	{ "ipc: a change of priority reorders the queue", priority_change_reorders },
	{ "ipc: a suspended sender leaves the queue", suspend_leaves_queue },
	{ "ipc: CancelBadgedSends", cancel_badged },
	{ "ipc: deleting the endpoint restarts its senders", deleting_the_endpoint },
	{ "ipc: a Call without Grant stops the caller", call_without_grant },
};
KT_GROUP(kt_ipc);
