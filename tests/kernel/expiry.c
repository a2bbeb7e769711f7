/*
 * A budget that ends in a vCPU, or in its VMM that runs on it, at the same
 * time as its virtual timer fires, its GIC asks for maintenance, or both. The
 * time between them is swept tick by tick, so that each order and the very
 * same moment occur: nothing is lost or comes twice, and what is charged is
 * the budget, of which the last 20 us (the least that is worth a switch) may
 * be left when the other event comes first.
 */
#include "guest.h"

#include <abi/ext.h>

#define BUDGET_US 200u
#define PERIOD_US 1000u
#define LEFT_US 21u
#define TIMER 1u
#define END 2u
#define GICV3 4u
#define CALL 8u
#define FAULTS 1 /* badges of the handler's endpoint */
#define TIMEOUTS 2
#define VIRQ 40

extern const char guest_expiry[], guest_counts[];

static uint64_t version;
static cap_t timeouts;

static int budget(cap_t sc, uint64_t us)
{
	return sel4_sched_control_configure(kt_sched_control(), sc, us, PERIOD_US, 6, 0x77, 0);
}

static struct kt_guest make(bool tells)
{
	struct kt_guest g = kt_guest(FAULTS);

	CHECK_OK(sel4_vcpu_read_regs(g.vcpu, ABI_EXTV_GIC_VERSION, &version));
	if (version == 2)
		kt_guest_map_page(kt_gicv_frame(), g.vspace, GUEST_GICC, 0);
	if (tells)
		CHECK_OK(sel4_tcb_set_timeout_endpoint(g.tcb, kt_mint(g.ep, KT_ALL, TIMEOUTS)));
	CHECK_OK(sel4_tcb_set_priority(g.tcb, ABI_ROOT_TCB, KT_HIGH));
	return g;
}

/* What a run showed, in order: T imer, M aintenance, B udget, H ypercall. */
struct run {
	char order[8];
	unsigned events;
	uint64_t consumed; /* when the budget ended first */
};

static void note(struct run *r)
{
	char what = '?';

	switch (kt_exit.label) {
	case ABI_FAULT_TIMEOUT:
		what = 'B';
		CHECK_EQ(kt_exit_word(0), 0x77);
		CHECK_EQ(kt_exit.badge, TIMEOUTS);
		r->consumed = kt_exit_word(1);
		break;
	case ABI_FAULT_VPPI_EVENT:
		what = 'T';
		CHECK_EQ(kt_exit_word(0), ABI_PPI_VTIMER);
		break;
	case ABI_FAULT_VGIC_MAINTENANCE:
		what = 'M';
		CHECK_EQ(kt_exit_word(0), 0);
		break;
	}
	if (r->events < sizeof(r->order) - 1)
		r->order[r->events++] = what;
}

static void prepare(const struct kt_guest *g, unsigned what, uint64_t delay)
{
	uint64_t regs[ABI_CTX_COUNT] = { 0 };

	CHECK_OK(sel4_vcpu_write_regs(g->vcpu, ABI_VCPU_CNTV_CTL, 0));
	CHECK_OK(sel4_vcpu_ack_vppi(g->vcpu, ABI_PPI_VTIMER));
	CHECK_OK(sel4_vcpu_write_regs(g->vcpu, ABI_EXTV_LR0, 0));
	if (what & END)
		CHECK_OK(sel4_vcpu_inject_irq(g->vcpu, VIRQ, 10, version == 3, 0));
	CHECK_OK(sel4_tcb_suspend(g->tcb));
	CHECK_OK(budget(g->sc, BUDGET_US));
	regs[ABI_CTX_PC] = kt_guest_gpa(guest_expiry);
	regs[ABI_CTX_SPSR] = SPSR_EL1H;
	regs[ABI_CTX_X0] = what | (version == 3 ? GICV3 : 0);
	regs[ABI_CTX_X1] = delay;
	CHECK_OK(sel4_tcb_write_registers(g->tcb, 0, ABI_CTX_COUNT, regs));
}

/* Until all have been seen, and the budget has ended. */
static struct run run_once(const struct kt_guest *g, unsigned what, uint64_t delay)
{
	struct run r = { { 0 }, 0, 0 };
	unsigned want = 1u + !!(what & TIMER) + !!(what & END);
	uint64_t unused;

	prepare(g, what, delay);
	(void)sel4_sched_context_consumed(g->sc, &unused);
	CHECK_OK(sel4_tcb_resume(g->tcb));
	kt_guest_receive(g);
	note(&r);
	while (r.events < want) {
		kt_guest_go_on(g, 0);
		note(&r);
	}
	return r;
}

static unsigned count(const struct run *r, char c)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->events; i++)
		n += r->order[i] == c;
	return n;
}

static void check_run(const struct run *r, unsigned what)
{
	CHECK_EQ(count(r, 'B'), 1);
	CHECK_EQ(count(r, 'T'), what & TIMER ? 1 : 0);
	CHECK_EQ(count(r, 'M'), what & END ? 1 : 0);
	CHECK_BETWEEN(r->consumed, BUDGET_US - LEFT_US, BUDGET_US + 1);
}

/* The order changes once, from the event to the budget, as the event comes
 * later; whole budgets are used from then on. */
static void sweep(unsigned what, int64_t from, int64_t to, int64_t step, unsigned *first,
		  unsigned *last, unsigned *whole)
{
	struct kt_guest g = make(true);
	bool turned = false;

	for (int64_t at = from; at <= to; at += step) {
		struct run r = run_once(&g, what, kt_ticks(BUDGET_US) + (uint64_t)at);
		bool budget_first = r.order[0] == 'B';

		check_run(&r, what);
		CHECK(budget_first || !turned);
		turned = budget_first;
		*(budget_first ? first : last) += 1;
		*whole += r.consumed >= BUDGET_US;
	}
	CHECK_OK(sel4_tcb_suspend(g.tcb));
}

static void sweep_both(unsigned what)
{
	unsigned budget_first = 0, event_first = 0, whole = 0;
	int64_t us = (int64_t)kt_ticks(1);

	kt_ticker(false);
	/* Microseconds: from well before the last 20 us to behind the end. */
	sweep(what, -40 * us, 5 * us, us, &budget_first, &event_first, &whole);
	CHECK(budget_first > 5 && event_first > 10 && whole > 2);
	/* About 16 ns (a tick of 62.5 MHz): around the end itself. The budget
	 * began when we waited. */
	budget_first = event_first = whole = 0;
	if (version == 3) { /* one frame of the device is for one guest */
		int64_t step = us >= 120 ? us / 60 : 1;

		sweep(what, -us * 7 / 4, us / 6, step, &budget_first, &event_first, &whole);
		CHECK_EQ(event_first, 0);
		CHECK(whole > 10 && whole < budget_first);
	}
	kt_ticker(true);
}

static void alone(void)
{
	struct kt_guest g = make(true);

	kt_ticker(false);
	for (unsigned i = 0; i < 5; i++) {
		struct run r = run_once(&g, 0, 0);

		CHECK_EQ(r.order[0], 'B');
		CHECK_BETWEEN(r.consumed, BUDGET_US, BUDGET_US + 1);
	}
	kt_ticker(true);
}

static void with_timer(void) { sweep_both(TIMER); }
static void with_maintenance(void) { sweep_both(END); }
static void with_both(void) { sweep_both(TIMER | END); }

/* Without a handler for timeouts nobody notices: both events come. */
static void unseen(void)
{
	struct kt_guest g = make(false);
	uint64_t consumed;

	for (int64_t at = -30; at <= 5; at++) {
		prepare(&g, TIMER | END, kt_ticks((uint64_t)((int64_t)BUDGET_US + at)));
		(void)sel4_sched_context_consumed(g.sc, &consumed);
		CHECK_OK(sel4_tcb_resume(g.tcb));
		uint64_t seen = 0;
		for (unsigned i = 0; i < 2; i++) {
			if (i)
				kt_guest_go_on(&g, 0);
			else
				kt_guest_receive(&g);
			seen |= 1ull << kt_exit.label;
		}
		CHECK_EQ(seen, 1u << ABI_FAULT_VPPI_EVENT | 1u << ABI_FAULT_VGIC_MAINTENANCE);
	}
}

/* --- in its VMM: a passive handler on the guest's time --- */

static struct {
	struct kt_guest g;
	volatile uint64_t spin_us, calls, last, others, wrong;
} vmm;

static void spin(uint64_t us)
{
	/* Its own steps: time in which it did not run does not count. */
	for (uint64_t i = 0; i < us * 1000 / 4; i++)
		__asm__ volatile("nop\n\tnop");
}

static void handles(void *arg)
{
	(void)arg;
	kt_guest_receive(&vmm.g);
	for (;;) {
		if ((kt_exit.label & 0xff) == ABI_EXT_FAULT_EXIT) {
			vmm.calls++;
			vmm.wrong += kt_exit_word(0) != vmm.last + 1 && vmm.last != ~0ull;
			if (vmm.last != ~0ull)
				vmm.last = kt_exit_word(0);
		} else {
			vmm.others |= 1ull << kt_exit.label;
		}
		spin(vmm.spin_us);
		kt_guest_answer(&vmm.g, ABI_EXIT_DONE, 0);
	}
}

static struct kt_thread make_vmm(bool tells)
{
	struct kt_thread t;

	vmm.g = make(false);
	vmm.calls = vmm.last = vmm.others = vmm.wrong = 0;
	CHECK_OK(sel4_ext_vcpu_set_exit_message(vmm.g.vcpu, 1));
	t = kt_start(0, handles, NULL, KT_HIGH + 1);
	CHECK_OK(sel4_sched_context_unbind(t.sc));
	timeouts = kt_make(ABI_OBJ_ENDPOINT, 0);
	if (tells)
		CHECK_OK(sel4_tcb_set_timeout_endpoint(t.tcb, kt_mint(timeouts, KT_ALL, TIMEOUTS)));
	return t;
}

/* The handler's work is swept over the end of the budget: it ends in the
 * handler, in its answer, in the guest. Every call is answered once. */
static void in_the_vmm(void)
{
	uint64_t consumed, begin;

	make_vmm(false);
	CHECK_OK(budget(vmm.g.sc, BUDGET_US));
	kt_guest_set_pc(&vmm.g, guest_counts, 0, 1);
	(void)sel4_sched_context_consumed(vmm.g.sc, &consumed);
	begin = kt_now_us();
	for (uint64_t us = 60; us < 300; us += 3) {
		vmm.spin_us = us;
		kt_sleep_us(3 * PERIOD_US);
	}
	CHECK_OK(sel4_tcb_suspend(vmm.g.tcb));
	begin = kt_now_us() - begin;
	CHECK_OK(sel4_sched_context_consumed(vmm.g.sc, &consumed));
	CHECK(vmm.calls > 200);
	CHECK_EQ(vmm.wrong, 0);
	CHECK_EQ(vmm.others, 0);
	/* A fifth of the time, but for what was too little to go on with. */
	CHECK_BETWEEN(consumed, begin / 5 * 85 / 100, begin / 5 + 2 * BUDGET_US);
}

/* The handler's timeout goes to its own handler; it goes on in the next period. */
static void told_about_the_vmm(void)
{
	uint64_t badge, mr[SEL4_MSG_REGS] = { 0 }, unused;
	cap_t reply = kt_make(ABI_OBJ_REPLY, 0);

	make_vmm(true);
	vmm.spin_us = 2 * BUDGET_US;
	CHECK_OK(budget(vmm.g.sc, BUDGET_US));
	kt_guest_set_pc(&vmm.g, guest_counts, 0, 0);
	(void)sel4_sched_context_consumed(vmm.g.sc, &unused);
	CHECK_OK(sel4_tcb_resume(vmm.g.tcb));
	for (unsigned i = 0; i < 20; i++) {
		msginfo_t info = i ? sel4_reply_recv(timeouts, msginfo(0, 0, 0), &badge, mr, reply)
				   : sel4_recv(timeouts, &badge, mr, reply);

		CHECK_EQ(msginfo_label(info), ABI_FAULT_TIMEOUT);
		CHECK_EQ(badge, TIMEOUTS);
		CHECK_EQ(mr[0], 0x77);
		CHECK_BETWEEN(mr[1], BUDGET_US - LEFT_US, BUDGET_US + 1);
	}
	CHECK_BETWEEN(vmm.calls, 6, 11); /* each took two budgets or three */
	CHECK_EQ(vmm.wrong, 0);
}

/* The budget ends in the handler, and the guest's timer is due meanwhile: it
 * comes when the guest runs again, once. */
static void timer_meanwhile(void)
{
	for (uint64_t us = 150; us < 260; us += 5) {
		make_vmm(false);
		vmm.last = ~0ull;
		vmm.spin_us = us;
		prepare(&vmm.g, TIMER | CALL, kt_ticks(BUDGET_US));
		CHECK_OK(sel4_tcb_resume(vmm.g.tcb));
		kt_sleep_us(3 * PERIOD_US);
		CHECK_EQ(vmm.calls, 1);
		CHECK_EQ(vmm.others, 1u << ABI_FAULT_VPPI_EVENT);
		CHECK_OK(kt_revoke(kt_pool));
		if (version == 2)
			return;
	}
}

static const struct kt_case cases[] = {
	{ "expiry: of a vCPU alone", alone },
	{ "expiry: with the virtual timer", with_timer },
	{ "expiry: with the maintenance interrupt", with_maintenance },
	{ "expiry: with both", with_both },
	{ "expiry: nobody told, and both come", unseen },
	{ "expiry: in a VMM on its guest's time", in_the_vmm },
	{ "expiry: told about the VMM", told_about_the_vmm },
	{ "expiry: in the VMM, with the guest's timer due", timer_meanwhile },
};
KT_GROUP(kt_expiry);
