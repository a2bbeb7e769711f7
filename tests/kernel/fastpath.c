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
		__asm__ volatile("brk #3");
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
		/* Behind the BRK: its answer is the new PC. */
		mr[0] += 4;
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

static const struct kt_case cases[] = {
	{ "fast path: servers of one endpoint take turns", equals_take_turns },
	{ "fast path: the best of an endpoint's servers is first again", the_best_serves },
	{ "fast path: an IPC buffer that has gone is not used", buffer_goes_while_waiting },
	{ "fast path: a server wakes in its new address space", space_changes_while_waiting },
	{ "fast path: a server whose address space has gone", space_goes_while_waiting },
	{ "fast path: a passive handler's answers to faults", passive_fault_handler },
};
KT_GROUP(kt_fastpath);
