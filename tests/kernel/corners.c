/* Paths that are taken rarely: `make coverage` found that nothing took them. */
#include "guest.h"

#include <abi/invocation.h>

#define PPI_FREE 20u
#define PSCI_VERSION 0x84000000u
#define MAX_WORDS 50u
#define BUDGET_US 1000u
#define PERIOD_US 10000u

extern const char guest_spin[], guest_hvc[];

static struct {
	cap_t ep, ep2, reply, reply2, ntfn;
	struct kt_thread t, u;
	volatile uint64_t got, order, step;
	volatile msginfo_t info;
	uint64_t regs[ABI_CTX_COUNT];
} s;

static void clear(void)
{
	s.ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	s.ep2 = kt_make(ABI_OBJ_ENDPOINT, 0);
	s.reply = kt_make(ABI_OBJ_REPLY, 0);
	s.reply2 = kt_make(ABI_OBJ_REPLY, 0);
	s.ntfn = kt_make(ABI_OBJ_NOTIFICATION, 0);
	s.got = s.order = s.step = 0;
}

/* --- queues --- */

static void waiter(void *arg)
{
	(void)sel4_wait(s.ntfn);
	s.order = s.order * 10 + (uint64_t)(uintptr_t)arg;
	kt_stop();
}

static void waiter_gets_a_priority(void)
{
	clear();
	(void)kt_start(0, waiter, (void *)1, KT_HIGH);
	struct kt_thread second = kt_start(1, waiter, (void *)2, KT_HIGH);
	CHECK_OK(sel4_tcb_set_priority(second.tcb, ABI_ROOT_TCB, KT_HIGH + 1));
	sel4_signal(s.ntfn);
	CHECK_EQ(s.order, 2);
	sel4_signal(s.ntfn);
	CHECK_EQ(s.order, 21);
}

static void receiver(void *arg)
{
	uint64_t badge, mr[SEL4_MSG_REGS] = { 0 };

	(void)arg;
	s.info = sel4_recv(s.ep, &badge, mr, s.reply);
	s.step++;
	kt_stop();
}

static void reply_of_a_receiver_deleted(void)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	clear();
	(void)kt_start(0, receiver, NULL, KT_HIGH);
	CHECK_OK(kt_delete(s.reply));
	sel4_nb_send(s.ep, msginfo(0, 0, 0), mr);
	CHECK_EQ(s.step, 0);
}

static void endpoint_of_a_receiver_deleted(void)
{
	uint64_t badge, mr[SEL4_MSG_REGS] = { 0 };

	clear();
	struct kt_thread t = kt_thread(0, receiver, NULL, KT_HIGH, kt_mint(s.ep2, KT_ALL, 3), true);
	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_OK(kt_delete(s.ep));
	/* It tried again; the reply object is free for the fault. */
	CHECK_EQ(msginfo_label(sel4_recv(s.ep2, &badge, mr, s.reply)), ABI_FAULT_CAP);
	CHECK_EQ(badge, 3);
	CHECK_EQ(mr[ABI_CAPFAULT_ADDR], s.ep);
}

/* --- calls --- */

static uint64_t call_with_cap(cap_t ep, uint64_t word)
{
	uint64_t mr[SEL4_MSG_REGS] = { word };

	sel4_ipcbuf->caps_or_badges[0] = s.ntfn;
	(void)sel4_call(ep, msginfo(0, 1, 1), mr);
	return mr[0];
}

static void client(void *arg)
{
	(void)arg;
	s.got = call_with_cap(s.ep, 1);
	kt_stop();
}

static void middle(void *arg)
{
	uint64_t badge, mr[SEL4_MSG_REGS] = { 0 };

	(void)arg;
	(void)sel4_recv(s.ep, &badge, mr, s.reply);
	for (;;) {
		mr[0] = call_with_cap(s.ep2, mr[0] + 10);
		(void)sel4_reply_recv(s.ep, msginfo(0, 0, 1), &badge, mr, s.reply);
	}
}

static void server(void *reply)
{
	uint64_t badge, mr[SEL4_MSG_REGS] = { 0 };

	s.info = sel4_recv(s.ep2, &badge, mr, *(const cap_t *)reply);
	for (;;) {
		mr[0] += 100;
		s.info = sel4_reply_recv(s.ep2, msginfo(0, 0, 1), &badge, mr,
					 *(const cap_t *)reply);
	}
}

static void make_passive(struct kt_thread t)
{
	CHECK_OK(sel4_sched_context_unbind(t.sc));
}

/* Not on the fast path: the stack of calls grows by the general one. */
static void nested_calls_with_capabilities(void)
{
	clear();
	make_passive(kt_start(0, middle, NULL, KT_HIGH));
	make_passive(kt_start(1, server, &s.reply2, KT_HIGH));
	(void)kt_start(2, client, NULL, KT_HIGH);
	CHECK_EQ(s.got, 111);
	(void)kt_start(3, client, NULL, KT_HIGH);
	CHECK_EQ(s.got, 111);
}

static void sporadic_caller_of_an_active_server(void)
{
	clear();
	(void)kt_start(1, server, &s.reply2, KT_HIGH);
	s.ep = s.ep2;
	struct kt_thread t = kt_thread(2, client, NULL, KT_HIGH, 0, true);
	CHECK_OK(sel4_sched_control_configure(kt_sched_control(), t.sc, BUDGET_US, PERIOD_US, 0, 0,
					      ABI_SC_FLAG_SPORADIC));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_EQ(s.got, 101);
}

static uint64_t call(uint64_t word, unsigned words)
{
	uint64_t mr[SEL4_MSG_REGS] = { word };

	(void)sel4_call(s.ep2, msginfo(0, 0, words), mr);
	return mr[0];
}

static void caller(void *words)
{
	for (;;) {
		s.got = call(s.step++, (unsigned)(uintptr_t)words);
		(void)sel4_wait(s.ntfn);
	}
}

/* Behind the one that is called another one waits, and it queues behind that. */
static void two_servers_at_one_endpoint(void)
{
	clear();
	make_passive(kt_start(0, server, &s.reply, KT_HIGH));
	make_passive(kt_start(1, server, &s.reply2, KT_HIGH));
	(void)kt_start(2, caller, (void *)1, KT_HIGH);
	for (unsigned i = 0; i < 5; i++) {
		CHECK_EQ(s.got, 100 + i);
		sel4_signal(s.ntfn);
	}
}

/* --- threads without an IPC buffer --- */

static void long_call_without_a_buffer(void)
{
	clear();
	make_passive(kt_start(0, server, &s.reply, KT_HIGH));
	struct kt_thread t = kt_thread(1, caller, (void *)20, KT_HIGH, 0, true);
	CHECK_OK(sel4_tcb_set_ipc_buffer(t.tcb, kt_image_frame(&s), 0));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_EQ(s.got, 100);
	CHECK_EQ(s.info, msginfo(0, 0, SEL4_MSG_REGS));
}

static void bare_handler(void *arg)
{
	uint64_t badge, mr[SEL4_MSG_REGS] = { 0 };

	(void)arg;
	s.info = sel4_recv(s.ep, &badge, mr, s.reply);
	s.step++;
	s.info = sel4_reply_recv(s.ep, msginfo(0, 0, ABI_SYSFAULT_REPLY_WORDS), &badge, mr,
				 s.reply);
	s.step++;
	/* An error with five words, of which four arrive. */
	s.got = (uint64_t)sel4_cnode_delete(KT_CNODE, 1ull << 40, KT_DEPTH);
	kt_stop();
}

static void unknown_call(void *arg)
{
	register int64_t x7 __asm__("x7") = 1000;

	(void)arg;
	__asm__ volatile("svc #0" ::"r"(x7)
			 : "memory");
	kt_stop();
}

static void handler_without_a_buffer(void)
{
	clear();
	struct kt_thread h = kt_start(0, bare_handler, NULL, KT_HIGH);
	CHECK_OK(sel4_tcb_set_ipc_buffer(h.tcb, kt_image_frame(&s), 0));
	struct kt_thread t = kt_thread(1, unknown_call, NULL, KT_HIGH, kt_mint(s.ep, KT_ALL, 1),
				       true);
	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_EQ(s.step, 2); /* the reply had no new PC: it made the call again */
	CHECK_EQ(s.info, msginfo(ABI_FAULT_UNKNOWN_SYSCALL, 0, SEL4_MSG_REGS));
	CHECK_EQ(s.got, ABI_FAILED_LOOKUP);
}

/* --- time --- */

static void spin(void *arg)
{
	(void)arg;
	for (;;)
		__asm__ volatile("nop");
}

static void timeout_of_nobodys_time(void)
{
	uint64_t badge, mr[SEL4_MSG_REGS] = { 0 };

	clear();
	struct kt_thread t = kt_thread(0, spin, NULL, KT_LOW, 0, true);
	CHECK_OK(sel4_sched_control_configure(kt_sched_control(), t.sc, BUDGET_US, PERIOD_US, 0, 9,
					      0));
	CHECK_OK(sel4_tcb_set_timeout_endpoint(t.tcb, kt_mint(s.ep, KT_ALL, 1)));
	CHECK_OK(sel4_tcb_resume(t.tcb));
	kt_sleep_us(4 * BUDGET_US);
	CHECK_OK(sel4_sched_context_unbind(t.sc));
	/* Without a context there is no time to tell. */
	CHECK_EQ(sel4_recv(s.ep, &badge, mr, s.reply), msginfo(ABI_FAULT_TIMEOUT, 0, 1));
}

static void configures_itself(void *arg)
{
	(void)arg;
	int error = sel4_sched_control_configure(kt_sched_control(), s.t.sc, 2 * BUDGET_US,
						 PERIOD_US, 0, 0, 0);
	s.got = 1 + (uint64_t)error;
	kt_stop();
}

static void own_context_configured(void)
{
	clear();
	s.t = kt_thread(0, configures_itself, NULL, KT_HIGH, 0, true);
	CHECK_OK(sel4_tcb_resume(s.t.tcb));
	CHECK_EQ(s.got, 1);
}

static void target(void *arg)
{
	(void)arg;
	sel4_signal(s.ntfn);
	s.step++;
	kt_stop();
}

static void second_yielder(void *arg)
{
	uint64_t used;

	(void)arg;
	(void)sel4_wait(s.ntfn);
	s.got = 1 + (uint64_t)sel4_sched_context_yield_to(s.t.sc, &used);
	kt_stop();
}

static void yielded_to_twice(void)
{
	uint64_t used;

	clear();
	s.t = kt_thread(0, target, NULL, KT_PRIO, 0, true);
	(void)kt_start(1, second_yielder, NULL, KT_HIGH);
	CHECK_OK(sel4_tcb_resume(s.t.tcb));
	CHECK_OK(sel4_sched_context_yield_to(s.t.sc, &used));
	CHECK_EQ(s.got, 1);
	kt_sleep_us(BUDGET_US);
	CHECK_EQ(s.step, 1);
}

/* --- registers --- */

static void more_registers_than_there_are(void)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0, MAX_WORDS, 0x100, 0x101 };

	clear();
	struct kt_thread t = kt_thread(0, spin, NULL, KT_LOW, 0, false);
	for (unsigned i = 2; i < MAX_WORDS; i++)
		sel4_ipcbuf->msg[i + 2] = 0x100 + i;
	CHECK_OK(sel4_invoke(t.tcb, ABI_INV_TCB_WRITE_REGISTERS, 0, MAX_WORDS + 2, mr));
	CHECK_OK(sel4_tcb_read_registers(t.tcb, 0, ABI_CTX_COUNT, s.regs));
	CHECK_EQ(s.regs[ABI_CTX_X28], 0x100 + ABI_CTX_X28);
	CHECK_EQ(s.regs[ABI_CTX_TPIDRRO_EL0], 0x100 + ABI_CTX_TPIDRRO_EL0);
}

static void own_registers_copied(void)
{
	clear();
	CHECK_OK(sel4_tcb_copy_registers(ABI_ROOT_TCB, ABI_ROOT_TCB, 8));
}

static void undefined(void *arg)
{
	(void)arg;
	s.step = 1;
	__asm__ volatile("udf #0");
	s.step = 2;
	kt_stop();
}

static void exception_answered_in_full(void)
{
	uint64_t badge, mr[SEL4_MSG_REGS] = { 0 };

	clear();
	struct kt_thread t = kt_thread(0, undefined, NULL, KT_HIGH, kt_mint(s.ep, KT_ALL, 1), true);
	CHECK_OK(sel4_tcb_resume(t.tcb));
	CHECK_EQ(msginfo_label(sel4_recv(s.ep, &badge, mr, s.reply)), ABI_FAULT_USER_EXCEPTION);
	CHECK_EQ(s.step, 1);
	mr[ABI_EXCFAULT_IP] += 4;
	sel4_send(s.reply, msginfo(0, 0, ABI_EXCFAULT_REPLY_WORDS), mr);
	CHECK_EQ(s.step, 2);
}

/* --- frames, interrupts --- */

static void huge_page(void)
{
	const struct abi_bootinfo *info = rt_bootinfo();
	cap_t frame = kt_slot(), from = 0;

	clear();
	for (uint64_t i = 0; i < info->untyped.end - info->untyped.start; i++)
		if (info->untyped_list[i].is_device &&
		    info->untyped_list[i].size_bits >= ABI_HUGE_PAGE_BITS)
			from = info->untyped.start + i;
	CHECK(from != 0);
	CHECK_OK(sel4_untyped_retype(from, KT_CNODE, ABI_OBJ_HUGE_PAGE, 0, 0, 0, frame, 1));
	CHECK_OK(kt_delete(frame));
}

static void triggers(void)
{
	cap_t a = kt_slot(), b = kt_slot();

	clear();
	CHECK_OK(sel4_irq_control_get_trigger(ABI_ROOT_IRQ_CONTROL, KT_CNODE, PPI_FREE, 1, a,
					      KT_DEPTH));
	CHECK_OK(kt_delete(a));
	CHECK_OK(sel4_irq_control_get_trigger(ABI_ROOT_IRQ_CONTROL, KT_CNODE, PPI_FREE, 0, b,
					      KT_DEPTH));
	CHECK_OK(kt_delete(b));
}

static void firmware_capability_with_a_badge(void)
{
	uint64_t results[8], version[8] = { PSCI_VERSION }, other[8] = { PSCI_VERSION + 1 };

	clear();
	if (kt_plain())
		return;
	cap_t only = kt_mint(ABI_ROOT_SMC, KT_ALL, PSCI_VERSION);
	CHECK_OK(sel4_smc_call(only, version, results));
	CHECK_EQ(sel4_smc_call(only, other, results), ABI_ILLEGAL_OPERATION);
}

/* PSCI answers in x0; the rest comes back as it went in. */
static void firmware_leaves_registers_alone(void)
{
	uint64_t results[8], args[8] = { PSCI_VERSION, 1, 2, 3, 4, 5, 6, 7 };

	clear();
	if (kt_plain())
		return;
	CHECK_OK(sel4_smc_call(ABI_ROOT_SMC, args, results));
	for (unsigned i = 1; i < 8; i++)
		CHECK_EQ(results[i], i);
}

/* --- VCPUs --- */

static void check_field(cap_t vcpu, uint64_t field, uint64_t write, uint64_t want)
{
	uint64_t v = 0;

	CHECK_OK(sel4_vcpu_write_regs(vcpu, field, write));
	CHECK_OK(sel4_vcpu_read_regs(vcpu, field, &v));
	CHECK_EQ(v, want);
}

static void check_interface(cap_t vcpu)
{
	for (unsigned i = 0; i < 4; i++) {
		check_field(vcpu, ABI_EXTV_AP0R0 + i, i + 1, i + 1);
		check_field(vcpu, ABI_EXTV_AP1R0 + i, i + 5, i + 5);
		check_field(vcpu, ABI_EXTV_AP0R0 + i, 0, 0);
		check_field(vcpu, ABI_EXTV_AP1R0 + i, 0, 0);
	}
	check_field(vcpu, ABI_EXTV_VMCR, ~0ull, 0xfffc021f);
	check_field(vcpu, ABI_EXTV_VMCR, 0, 0);
	check_field(vcpu, ABI_EXTV_ICH_HCR, 2, 3);
	check_field(vcpu, ABI_EXTV_ICH_HCR, 0, 1);
}

static void virtual_interface_fields(void)
{
	struct kt_guest g = kt_guest(1);
	uint64_t v = 0;

	if (kt_plain())
		return;
	check_interface(g.vcpu);
	/* Loaded: they come out of the registers first. */
	kt_guest_set_pc(&g, guest_spin, 0, 1);
	kt_sleep_us(BUDGET_US);
	check_interface(g.vcpu);
	for (uint64_t i = 0; i <= ABI_EXTV_ID_LAST - ABI_EXTV_ID0; i++)
		CHECK_OK(sel4_vcpu_read_regs(g.vcpu, ABI_EXTV_ID0 + i, &v));
}

static void vcpu_moved(void)
{
	struct kt_guest a = kt_guest(1), b = kt_guest(2);

	CHECK_OK(sel4_vcpu_set_tcb(a.vcpu, a.tcb));
	CHECK_OK(sel4_vcpu_set_tcb(a.vcpu, b.tcb)); /* b's goes */
	/* Without one a is a native thread, for which HVC is undefined. */
	if (!kt_plain()) {
		kt_guest_start(&a, guest_hvc, 0);
		CHECK_EQ(kt_exit.label, ABI_FAULT_USER_EXCEPTION);
	}
	CHECK_OK(sel4_vcpu_set_tcb(b.vcpu, a.tcb));
	kt_guest_set_pc(&b, guest_spin, 0, 1);
	kt_sleep_us(BUDGET_US);
}

static void idle_behind_a_guest(void)
{
	struct kt_guest g = kt_guest(1);

	CHECK_OK(sel4_sched_control_configure(kt_sched_control(), g.sc, BUDGET_US, PERIOD_US, 0, 0,
					      0));
	kt_guest_set_pc(&g, guest_spin, 0, 1);
	kt_sleep_us(5 * BUDGET_US); /* nobody has anything to do for most of it */
	CHECK_OK(sel4_tcb_suspend(g.tcb));
}

/* The first store of guest_hvc goes there. */
static void guest_writes_what_it_may_read(void)
{
	struct kt_guest g = kt_guest(1);
	cap_t frame = kt_make(ABI_OBJ_SMALL_PAGE, 0);

	if (kt_plain()) /* it makes system calls of HVCs */
		return;
	kt_guest_map_page(frame, g.vspace, OUTSIDE, ABI_VM_DEFAULT);
	CHECK_OK(sel4_page_map(frame, g.vspace, OUTSIDE, ABI_RIGHT_READ, ABI_VM_DEFAULT));
	kt_guest_start(&g, guest_hvc, 0);
	CHECK_EQ(kt_exit.label, ABI_FAULT_UNKNOWN_SYSCALL);
	kt_guest_answer_hvc(&g, 0x77);
	CHECK_EQ(kt_exit.label, ABI_FAULT_VM);
	CHECK_EQ(kt_exit_word(ABI_VMFAULT_ADDR), OUTSIDE + 0x14);
	CHECK_EQ(kt_exit_word(ABI_VMFAULT_FSR) & 0x3c, 0x0c); /* of permission */
	kt_guest_skip(&g);
	CHECK_EQ(kt_exit.label, ABI_FAULT_UNKNOWN_SYSCALL);
}

static const struct kt_case cases[] = {
	{ "corners: a waiter gets a better priority", waiter_gets_a_priority },
	{ "corners: the reply of a receiver deleted", reply_of_a_receiver_deleted },
	{ "corners: the endpoint of a receiver deleted", endpoint_of_a_receiver_deleted },
	{ "corners: nested calls with capabilities", nested_calls_with_capabilities },
	{ "corners: a sporadic caller of an active server", sporadic_caller_of_an_active_server },
	{ "corners: two servers at one endpoint", two_servers_at_one_endpoint },
	{ "corners: a long call without a buffer", long_call_without_a_buffer },
	{ "corners: a fault handler without a buffer", handler_without_a_buffer },
	{ "corners: a timeout without a context", timeout_of_nobodys_time },
	{ "corners: a thread configures its own context", own_context_configured },
	{ "corners: yielded to twice", yielded_to_twice },
	{ "corners: more registers than there are", more_registers_than_there_are },
	{ "corners: registers copied to oneself", own_registers_copied },
	{ "corners: an exception answered in full", exception_answered_in_full },
	{ "corners: a huge page", huge_page },
	{ "corners: triggers of a private interrupt", triggers },
	{ "corners: a firmware capability with a badge", firmware_capability_with_a_badge },
	{ "corners: what firmware leaves alone", firmware_leaves_registers_alone },
	{ "corners: fields of the virtual interface", virtual_interface_fields },
	{ "corners: a VCPU that moves", vcpu_moved },
	{ "corners: idle behind a guest", idle_behind_a_guest },
	{ "corners: a guest writes what it may read", guest_writes_what_it_may_read },
};
KT_GROUP(kt_corners);
