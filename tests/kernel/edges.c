/* Edges that no other file has for its subject: neighbours of what is cleared,
 * what the machine says of itself, values before anyone has written them. */
#include "guest.h"

#define WINDOW 0x38000000ull
#define RW (ABI_RIGHT_READ | ABI_RIGHT_WRITE)
#define MESSAGE 0x5e7d

extern const char guest_hvc[];

static uint64_t gic_version(void)
{
	uint64_t v = 0;

	CHECK_OK(sel4_vcpu_read_regs(kt_make(ABI_OBJ_VCPU, 0), ABI_EXTV_GIC_VERSION, &v));
	return v;
}

/* --- memory --- */

static void sends(void *ep)
{
	uint64_t mr[SEL4_MSG_REGS] = { MESSAGE };

	sel4_send(*(cap_t *)ep, msginfo(0, 0, 1), mr);
	kt_stop();
}

/* The sender is still in the endpoint's queue. */
static void check_sender(cap_t ep)
{
	uint64_t badge, mr[SEL4_MSG_REGS] = { 0 };

	(void)sel4_nb_recv(ep, &badge, mr, kt_make(ABI_OBJ_REPLY, 0));
	CHECK_EQ(mr[0], MESSAGE);
}

/* Within 256 bytes: endpoints with a sender each before, between and behind an
 * untyped of 16 bytes and one of 64, which are cleared. */
static void neighbours_of_what_is_cleared(void)
{
	cap_t u = kt_make(ABI_OBJ_UNTYPED, 8), all = kt_slots(6), s = kt_slots(4);
	cap_t ep[] = { all, all + 2, all + 5 };

	CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_ENDPOINT, 0, 0, 0, all, 1));
	CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_UNTYPED, 4, 0, 0, all + 1, 1));
	CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_ENDPOINT, 0, 0, 0, all + 2, 2));
	CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_UNTYPED, 6, 0, 0, all + 4, 1));
	CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_ENDPOINT, 0, 0, 0, all + 5, 1));
	for (unsigned i = 0; i < 3; i++)
		(void)kt_start(i, sends, &ep[i], KT_HIGH);
	for (unsigned round = 0; round < 2; round++) {
		CHECK_OK(sel4_untyped_retype(all + 1, KT_CNODE, ABI_OBJ_ENDPOINT, 0, 0, 0, s, 1));
		CHECK_OK(kt_delete(s));
		CHECK_OK(sel4_untyped_retype(all + 4, KT_CNODE, ABI_OBJ_ENDPOINT, 0, 0, 0, s, 4));
		for (unsigned i = 0; i < 4; i++)
			CHECK_OK(kt_delete(s + i));
	}
	for (unsigned i = 0; i < 3; i++)
		check_sender(ep[i]);
}

/* A page and 16 bytes are cleared at once: no whole number of cache lines. */
static void cleared_to_the_last_word(void)
{
	cap_t u = kt_make(ABI_OBJ_UNTYPED, 14), s = kt_slots(2);
	volatile uint64_t *p = (volatile uint64_t *)WINDOW;

	for (unsigned round = 0; round < 2; round++) {
		unsigned used = 0;

		CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_SMALL_PAGE, 0, 0, 0, s, 1));
		CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_ENDPOINT, 0, 0, 0, s + 1, 1));
		kt_guest_map_page(s, ABI_ROOT_VSPACE, WINDOW, ABI_VM_DEFAULT);
		for (unsigned i = 0; i < PAGE / 8; i++) {
			used += p[i] != 0;
			p[i] = ~0ull;
		}
		CHECK_EQ(used, 0);
		CHECK_OK(kt_delete(s));
		CHECK_OK(kt_delete(s + 1));
	}
}

static bool is_zero(const volatile uint64_t *p)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < PAGE / 8; i++)
		v |= p[i];
	return v == 0;
}

/* Small untypeds lie around what the loader and the kernel have used. */
static void memory_from_the_start_is_zero(void)
{
	const struct abi_bootinfo *b = rt_bootinfo();
	cap_t s = kt_slots(256);

	for (cap_t u = b->untyped.start; u < b->untyped.end; u++) {
		const struct abi_untyped_desc *d = &b->untyped_list[u - b->untyped.start];

		for (unsigned i = 0; i < sizeof(d->pad); i++)
			CHECK_EQ(d->pad[i], 0);
		CHECK(d->paddr + (1ull << d->size_bits) - 1 <= ABI_USER_TOP);
		if (d->is_device || d->size_bits < 12 || d->size_bits > 20)
			continue;
		CHECK_OK(sel4_untyped_retype(u, KT_CNODE, ABI_OBJ_SMALL_PAGE, 0, 0, 0, s,
					     1u << (d->size_bits - 12)));
		for (unsigned i = 0; i < 1u << (d->size_bits - 12); i++) {
			kt_guest_map_page(s + i, ABI_ROOT_VSPACE, WINDOW, ABI_VM_DEFAULT);
			CHECK(is_zero((const volatile uint64_t *)WINDOW));
			CHECK_OK(sel4_page_unmap(s + i));
		}
		CHECK_OK(kt_revoke(u));
	}
}

/* Of 1,024 one is never given, and one is the root task's. */
static void all_asids_of_the_first_pool(void)
{
	unsigned n = (1u << ABI_ASID_POOL_INDEX_BITS) - 2;
	cap_t first = kt_slots(n + 1);

	for (unsigned i = 0; i <= n; i += 33)
		CHECK_OK(sel4_untyped_retype(kt_pool, KT_CNODE, ABI_OBJ_VSPACE, 0, 0, 0, first + i,
					     n + 1 - i < 33 ? n + 1 - i : 33));
	for (unsigned i = 0; i < n; i++)
		CHECK_OK(sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, first + i));
	CHECK_EQ(sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, first + n), ABI_DELETE_FIRST);
}

/* --- the machine --- */

/* There is one core: an interrupt for another reaches nobody. */
static void signals_to_other_cores(void)
{
	cap_t h = kt_slot(), n = kt_make(ABI_OBJ_NOTIFICATION, 0), s;
	uint64_t version = kt_plain() ? 0 : gic_version();

	CHECK_OK(sel4_irq_control_get(ABI_ROOT_IRQ_CONTROL, KT_CNODE, 9, h, 64));
	CHECK_OK(sel4_irq_handler_set_notification(h, kt_mint(n, KT_ALL, 9)));
	for (unsigned bit = 0; version && bit < 40; bit++) {
		uint64_t target = 1ull << bit;
		bool ok = version == 2 ? target < 8 : target < 16 || (bit >= 8 && bit / 8 != 3);

		s = kt_slot();
		CHECK_EQ(sel4_irq_control_issue_sgi_signal(ABI_ROOT_IRQ_CONTROL, KT_CNODE, 9,
							   target, s, 64),
			 ok ? ABI_OK : ABI_INVALID_ARGUMENT);
		if (!ok)
			continue;
		sel4_signal(s);
		CHECK_EQ(sel4_poll(n), 0);
	}
	s = kt_slot();
	CHECK_OK(sel4_irq_control_issue_sgi_signal(ABI_ROOT_IRQ_CONTROL, KT_CNODE, 9, 0, s, 64));
	sel4_signal(s);
	CHECK_EQ(sel4_poll(n), 9);
	CHECK_EQ(sel4_irq_control_issue_sgi_signal(ABI_ROOT_IRQ_CONTROL, KT_CNODE, 9, 7, kt_slot(),
						   64),
		 ABI_OK);
	if (version == 3)
		CHECK_OK(sel4_irq_control_issue_sgi_signal(ABI_ROOT_IRQ_CONTROL, KT_CNODE, 9, 15,
							   kt_slot(), 64));
	CHECK_OK(kt_revoke(ABI_ROOT_IRQ_CONTROL));
}

static void counters_agree(void)
{
	for (unsigned i = 0; i < 100; i++) {
		uint64_t before, v, after;

		__asm__ volatile("isb\n\tmrs %0, cntpct_el0\n\t"
				 "isb\n\tmrs %1, cntvct_el0\n\t"
				 "isb\n\tmrs %2, cntpct_el0"
				 : "=&r"(before), "=&r"(v), "=&r"(after));
		CHECK_BETWEEN(v, before, after);
	}
}

/* The same whatever offset a guest has. */
static void the_virtual_counter_is_the_physical(void)
{
	struct kt_guest g;

	if (kt_plain())
		return;
	counters_agree();
	g = kt_guest(1);
	CHECK_OK(sel4_vcpu_write_regs(g.vcpu, ABI_VCPU_CNTVOFF, 0x123456));
	kt_guest_start(&g, guest_hvc, 0);
	counters_agree();
}

static volatile uint64_t timer_control;

static void reads_timer(void *arg)
{
	uint64_t v;

	(void)arg;
	__asm__ volatile("mrs %0, cntp_ctl_el0"
			 : "=r"(v));
	timer_control = v;
	kt_stop();
}

/* main.c left it on when it closed the way to it. */
static void the_closed_timer_is_off(void)
{
	struct kt_thread t;
	cap_t h = kt_slot();

	if (kt_plain())
		return;
	timer_control = 99;
	t = kt_thread(0, reads_timer, NULL, KT_HIGH, 0, true);
	CHECK_OK(sel4_irq_control_get(ABI_ROOT_IRQ_CONTROL, KT_CNODE, 30, h, 64));
	CHECK_OK(sel4_ext_tcb_enable_timer(t.tcb, h));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_EQ(timer_control, 0);
	CHECK_OK(kt_delete(h));
}

/* An eighth of what the counter can count. */
static void the_longest_budget(void)
{
	cap_t sc = kt_make(ABI_OBJ_SCHED_CONTEXT, 8), control = kt_sched_control();
	uint64_t hz, t = UINT64_MAX / 8, max;

	__asm__ volatile("mrs %0, cntfrq_el0"
			 : "=r"(hz));
	max = t / hz * 1000000 + t % hz * 1000000 / hz;
	CHECK_ERROR2(sel4_sched_control_configure(control, sc, max + 1, max + 1, 0, 0, 0),
		     ABI_RANGE_ERROR, 20, max);
	CHECK_ERROR2(sel4_sched_control_configure(control, sc, 20, max + 1, 0, 0, 0),
		     ABI_RANGE_ERROR, 20, max);
	CHECK_OK(sel4_sched_control_configure(control, sc, max, max, 0, 0, 0));
	CHECK_OK(sel4_sched_control_configure(control, sc, 20, max, 0, 0, 0));
}

static void a_new_vcpu(void)
{
	cap_t vcpu = kt_make(ABI_OBJ_VCPU, 0);
	uint64_t v = 99, midr = 98;

	for (uint64_t i = 0; i < ABI_VCPU_REG_COUNT; i++) {
		CHECK_OK(sel4_vcpu_read_regs(vcpu, i, &v));
		if (i == ABI_VCPU_SCTLR_EL1)
			CHECK_EQ(v, 0x30c50838);
		else if (i == ABI_VCPU_VMPIDR_EL2)
			CHECK_EQ(v, 1ull << 31);
		else if (i != ABI_VCPU_ACTLR_EL1)
			CHECK_EQ(v, 0);
	}
	if (kt_plain())
		return;
	CHECK_OK(sel4_vcpu_read_regs(vcpu, ABI_EXTV_ID0, &midr));
	CHECK_OK(sel4_vcpu_read_regs(vcpu, ABI_EXTV_VPIDR, &v));
	CHECK_EQ(v, midr);
	CHECK_OK(sel4_vcpu_read_regs(vcpu, ABI_EXTV_ICH_HCR, &v));
	CHECK_EQ(v, 1);
	CHECK_OK(sel4_vcpu_write_regs(vcpu, ABI_VCPU_VMPIDR_EL2, 5));
	CHECK_OK(sel4_vcpu_read_regs(vcpu, ABI_VCPU_VMPIDR_EL2, &v));
	CHECK_EQ(v, 1ull << 31 | 5);
}

/* --- threads --- */

static void does_nothing(void *arg)
{
	(void)arg;
	kt_stop();
}

/* Its context is free for another thread, and so is its notification. */
static void a_deleted_thread_leaves_its_context(void)
{
	struct kt_thread a = kt_thread(0, does_nothing, NULL, KT_HIGH, 0, true);
	struct kt_thread b = kt_thread(1, does_nothing, NULL, KT_HIGH, 0, false);
	cap_t n = kt_make(ABI_OBJ_NOTIFICATION, 0);

	CHECK_OK(sel4_tcb_bind_notification(a.tcb, n));
	CHECK_OK(kt_delete(a.tcb));
	CHECK_OK(sel4_sched_context_bind(a.sc, b.tcb));
	CHECK_OK(sel4_tcb_bind_notification(b.tcb, n));
}

static struct {
	cap_t ep, reply, hold;
	volatile unsigned served, answered;
} s;

static void calls(void *arg)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	(void)arg;
	(void)sel4_call(s.ep, msginfo(0, 0, 1), mr);
	s.answered++;
	kt_stop();
}

static void serves_on_hold(void *arg)
{
	uint64_t badge, mr[SEL4_MSG_REGS] = { 0 };

	(void)arg;
	(void)sel4_recv(s.ep, &badge, mr, s.reply);
	for (;;) {
		s.served++;
		(void)sel4_wait(s.hold);
		(void)sel4_reply_recv(s.ep, msginfo(0, 0, 1), &badge, mr, s.reply);
	}
}

/* A passive server goes from one caller's context to that of the next, which
 * has waited. */
static void a_queued_caller_lends_its_context(void)
{
	struct kt_thread server;

	s.ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	s.reply = kt_make(ABI_OBJ_REPLY, 0);
	s.hold = kt_make(ABI_OBJ_NOTIFICATION, 0);
	s.served = s.answered = 0;
	server = kt_start(0, serves_on_hold, NULL, KT_HIGH);
	CHECK_OK(sel4_sched_context_unbind(server.sc));
	(void)kt_start(1, calls, NULL, KT_HIGH);
	(void)kt_start(2, calls, NULL, KT_HIGH);
	CHECK_EQ(s.served, 1);
	sel4_signal(s.hold);
	CHECK_EQ(s.answered, 1);
	CHECK_EQ(s.served, 2);
	sel4_signal(s.hold);
	CHECK_EQ(s.answered, 2);
}

/* --- a sporadic context, used by a thread and the server that it calls --- */

#define BUDGET_US 2000u
#define PERIOD_US 20000u

static volatile uint64_t began_us, gap_us;

static void serves_once(void *arg)
{
	uint64_t badge, mr[SEL4_MSG_REGS] = { 0 };

	(void)arg;
	(void)sel4_recv(s.ep, &badge, mr, s.reply);
	sel4_send(s.reply, msginfo(0, 0, 0), mr); /* not by the fast path */
	kt_stop();
}

/* Uses a part, calls, uses the rest, and waits for the first part. */
static void calls_within_its_budget(void *arg)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 }, last, now;

	(void)arg;
	began_us = last = kt_now_us();
	while (kt_now_us() < began_us + BUDGET_US / 2)
		;
	(void)sel4_call(s.ep, msginfo(0, 0, 0), mr);
	last = kt_now_us();
	while ((now = kt_now_us()) < last + BUDGET_US)
		last = now;
	gap_us = now;
	sel4_signal(s.hold);
	kt_stop();
}

/* Time comes back a period after it was begun to be used, whatever was called. */
static void a_call_moves_no_refill(void)
{
	struct kt_thread server, client;

	s.ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	s.reply = kt_make(ABI_OBJ_REPLY, 0);
	s.hold = kt_make(ABI_OBJ_NOTIFICATION, 0);
	server = kt_start(0, serves_once, NULL, KT_HIGH);
	CHECK_OK(sel4_sched_context_unbind(server.sc));
	client = kt_thread(1, calls_within_its_budget, NULL, KT_HIGH, 0, true);
	CHECK_OK(sel4_sched_control_configure(kt_sched_control(), client.sc, BUDGET_US, PERIOD_US,
					      0, 0, ABI_SC_FLAG_SPORADIC));
	kt_ticker(false);
	CHECK_OK(sel4_tcb_resume(client.tcb));
	(void)sel4_wait(s.hold);
	kt_ticker(true);
	CHECK_BETWEEN(gap_us - began_us, PERIOD_US - 100, PERIOD_US + 200);
}

static volatile uint64_t answer4;

static void unknown_call(void *arg)
{
	register uint64_t x7 __asm__("x7") = 0x4321;
	register uint64_t x4 __asm__("x4") = 1;

	(void)arg;
	__asm__ volatile("svc #0"
			 : "+r"(x7), "+r"(x4)
			 :
			 : "x0", "x1", "x2", "x3", "x5", "x6", "memory");
	answer4 = x4;
	kt_stop();
}

/* Eight registers of ours, with which the faulter's call is one that there is. */
static void answers_fault(void *arg)
{
	uint64_t badge, mr[SEL4_MSG_REGS] = { 0 };

	(void)arg;
	(void)sel4_recv(s.ep, &badge, mr, s.reply);
	sel4_ipcbuf->msg[4] = 0x44;
	sel4_ipcbuf->msg[7] = (uint64_t)ABI_SYS_YIELD;
	sel4_send(s.reply, msginfo(0, 0, 8), mr);
	kt_stop();
}

/* What is only read need not be writable. */
static void a_reply_from_a_read_only_buffer(void)
{
	struct kt_thread handler, faulter;

	s.ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	s.reply = kt_make(ABI_OBJ_REPLY, 0);
	answer4 = 0;
	handler = kt_start(0, answers_fault, NULL, KT_HIGH);
	CHECK_OK(sel4_tcb_set_ipc_buffer(handler.tcb,
					 kt_mint(kt_image_frame(kt_buffer(0)), ABI_RIGHT_READ, 0),
					 (uintptr_t)kt_buffer(0)));
	faulter = kt_thread(1, unknown_call, NULL, KT_HIGH, s.ep, true);
	CHECK_OK(sel4_tcb_resume(faulter.tcb));
	CHECK_EQ(answer4, 0x44);
}

/* An interrupt while nothing else is due ends the wait at once. */
static void an_interrupt_ends_idleness(void)
{
	cap_t h = kt_slot(), n = kt_make(ABI_OBJ_NOTIFICATION, 0);
	uint64_t now, began;

	if (kt_plain())
		return;
	CHECK_OK(sel4_irq_control_get(ABI_ROOT_IRQ_CONTROL, KT_CNODE, 30, h, 64));
	CHECK_OK(sel4_ext_tcb_enable_timer(ABI_ROOT_TCB, h));
	CHECK_OK(sel4_irq_handler_set_notification(h, n));
	kt_ticker(false);
	began = kt_now_us();
	__asm__ volatile("isb\n\tmrs %0, cntpct_el0"
			 : "=r"(now));
	__asm__ volatile("msr cntp_cval_el0, %0\n\tmsr cntp_ctl_el0, %1\n\tisb" ::"r"(
				 now + kt_ticks(1000)),
			 "r"(1ull));
	(void)sel4_wait(n);
	__asm__ volatile("msr cntp_ctl_el0, xzr\n\tisb");
	CHECK_BETWEEN(kt_now_us() - began, 1000, 1500);
	kt_ticker(true);
	CHECK_OK(kt_delete(h));
}

static const struct kt_case cases[] = {
	{ "edges: the timer is off once it is closed", the_closed_timer_is_off },
	{ "edges: neighbours of what is cleared", neighbours_of_what_is_cleared },
	{ "edges: a page and 16 bytes are cleared", cleared_to_the_last_word },
	{ "edges: memory from the start is zero", memory_from_the_start_is_zero },
	{ "edges: all ASIDs of the first pool", all_asids_of_the_first_pool },
	{ "edges: signals to cores that are not there", signals_to_other_cores },
	{ "edges: the virtual counter is the physical one", the_virtual_counter_is_the_physical },
	{ "edges: the longest budget", the_longest_budget },
	{ "edges: a new VCPU", a_new_vcpu },
	{ "edges: a deleted thread leaves its context", a_deleted_thread_leaves_its_context },
	{ "edges: a caller that has waited lends its context", a_queued_caller_lends_its_context },
	{ "edges: a call moves no refill", a_call_moves_no_refill },
	{ "edges: a reply from a read-only buffer", a_reply_from_a_read_only_buffer },
	{ "edges: an interrupt while nothing is due", an_interrupt_ends_idleness },
};
KT_GROUP(kt_edges);
