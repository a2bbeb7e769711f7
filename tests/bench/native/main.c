/*
 * Benchmarks of the kernel's own paths: a root task that prints
 * `bench ROW min median max` on the board's console, counted by a clock that
 * under icount with a frequency of 1 GHz advances by one per instruction.
 *
 * What is timed lies between two reads of the counter; the row `empty` is
 * such a pair with nothing in between. Stubs of lib/sel4 are part of a figure.
 * Servers and handlers run in a second address space, which maps the same
 * image at the same addresses, and above the client's priority.
 */
#include "bench.h"

#include <abi/fault.h>
#include <selvage/rt.h>

#define FREE_VADDR 0x40000000ull

static volatile uint64_t started;
static volatile unsigned round_number;

/* --- IPC --- */

static cap_t call_ep, call_reply;

static void echo_server(void *arg)
{
	uint64_t badge, mr[SEL4_MSG_REGS] = { 0 };
	cap_t ep = call_ep, reply = call_reply;
	msginfo_t info = sel4_recv(ep, &badge, mr, reply);

	(void)arg;
	for (;;)
		info = sel4_reply_recv(ep, info, &badge, mr, reply);
}

static void start_echo_server(unsigned index, bool passive)
{
	call_ep = make(pool, ABI_OBJ_ENDPOINT, 0);
	call_reply = make(pool, ABI_OBJ_REPLY, 0);
	start(index, echo_server, passive);
}

static void measure_ipc(void)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };
	cap_t ep;

	start_echo_server(0, true);
	ep = call_ep;
	MEASURE("ipc_call_reply", ROUNDS, {
		t0 = now();
		(void)sel4_call(ep, msginfo(0, 0, 0), mr);
		t1 = now();
	});
	MEASURE("ipc_call_reply_4", ROUNDS, {
		t0 = now();
		(void)sel4_call(ep, msginfo(0, 0, 4), mr);
		t1 = now();
	});
	MEASURE("ipc_call_reply_10", ROUNDS, {
		t0 = now();
		(void)sel4_call(ep, msginfo(0, 0, 10), mr);
		t1 = now();
	});
	MEASURE("ipc_call_reply_120", ROUNDS, {
		t0 = now();
		(void)sel4_call(ep, msginfo(0, 0, 120), mr);
		t1 = now();
	});
	start_echo_server(1, false);
	ep = call_ep;
	MEASURE("ipc_call_reply_active", ROUNDS, {
		t0 = now();
		(void)sel4_call(ep, msginfo(0, 0, 0), mr);
		t1 = now();
	});
}

/* --- notifications: the helper takes the second time --- */

static cap_t signal_ntfn;

static void signal_helper(void *arg)
{
	(void)arg;
	for (;;) {
		(void)sel4_wait(signal_ntfn);
		take_sample(round_number++, now() - started);
	}
}

static void measure_signal(void)
{
	cap_t ntfn = make(pool, ABI_OBJ_NOTIFICATION, 0);

	MEASURE("signal_no_waiter", ROUNDS, {
		t0 = now();
		sel4_signal(ntfn);
		t1 = now();
	});
	MEASURE("poll", ROUNDS, {
		t0 = now();
		(void)sel4_poll(ntfn);
		t1 = now();
	});
	signal_ntfn = ntfn = make(pool, ABI_OBJ_NOTIFICATION, 0);
	start(2, signal_helper, false);
	round_number = 0;
	while (round_number < ROUNDS + WARM_UP) {
		started = now();
		sel4_signal(ntfn);
	}
	report("signal_switch", ROUNDS);
}

/* --- faults --- */

static cap_t fault_ep, fault_reply;

/* Answers an undefined instruction by skipping it. */
static void fault_helper(void *arg)
{
	uint64_t badge, mr[SEL4_MSG_REGS] = { 0 };
	cap_t ep = fault_ep, reply = fault_reply;

	(void)arg;
	(void)sel4_recv(ep, &badge, mr, reply);
	for (;;) {
		mr[ABI_EXCFAULT_IP] += BENCH_FAULT_BYTES;
		(void)sel4_reply_recv(ep, msginfo(0, 0, 1), &badge, mr, reply);
	}
}

static void measure_fault(void)
{
	fault_ep = make(pool, ABI_OBJ_ENDPOINT, 0);
	fault_reply = make(pool, ABI_OBJ_REPLY, 0);
	start(4, fault_helper, true);
	MUST(sel4_tcb_set_sched_params(ABI_ROOT_TCB, ABI_ROOT_TCB, ABI_ROOT_SCHED_CONTEXT, fault_ep,
				       255, PRIO_CLIENT));
	MEASURE("fault_reply", ROUNDS, {
		t0 = now();
		BENCH_FAULT();
		t1 = now();
	});
}

/* --- memory --- */

static void measure_retype(const char *row, enum abi_object type, unsigned size_bits)
{
	cap_t to = slots(OBJECT_ROUNDS + WARM_UP);
	cap_t from = make(pool, ABI_OBJ_UNTYPED, 20);

	MEASURE(row, OBJECT_ROUNDS, {
		t0 = now();
		(void)sel4_untyped_retype(from, ABI_ROOT_CNODE, type, size_bits, 0, 0, to + i_, 1);
		t1 = now();
	});
	MUST(sel4_cnode_revoke(ABI_ROOT_CNODE, from, DEPTH));
	MUST(sel4_cnode_delete(ABI_ROOT_CNODE, from, DEPTH));
}

static void measure_memory(void)
{
	cap_t frame = make(pool, ABI_OBJ_SMALL_PAGE, 0);

	map_into(ABI_ROOT_VSPACE, frame, FREE_VADDR, ABI_VM_DEFAULT);
	MUST(sel4_page_unmap(frame));
	MEASURE("page_map", OBJECT_ROUNDS, {
		t0 = now();
		(void)sel4_page_map(frame, ABI_ROOT_VSPACE, FREE_VADDR, ABI_RIGHT_READ,
				    ABI_VM_DEFAULT);
		t1 = now();
		MUST(sel4_page_unmap(frame));
	});
	MEASURE("page_unmap", OBJECT_ROUNDS, {
		MUST(sel4_page_map(frame, ABI_ROOT_VSPACE, FREE_VADDR, ABI_RIGHT_READ,
				   ABI_VM_DEFAULT));
		t0 = now();
		(void)sel4_page_unmap(frame);
		t1 = now();
	});
	measure_retype("retype_endpoint", ABI_OBJ_ENDPOINT, 0);
	measure_retype("retype_tcb", ABI_OBJ_TCB, 0);
	measure_retype("retype_page", ABI_OBJ_SMALL_PAGE, 0);
}

int main(void)
{
	set_up();
	MUST(sel4_sched_control_configure(rt_bootinfo()->sched_control.start,
					  ABI_ROOT_SCHED_CONTEXT, BUDGET_US, BUDGET_US, 0, 0, 0));
	MUST(sel4_tcb_set_priority(ABI_ROOT_TCB, ABI_ROOT_TCB, PRIO_CLIENT));
	MEASURE("empty", ROUNDS, {
		t0 = now();
		t1 = now();
	});
	measure_ipc();
	measure_signal();
	measure_fault();
	measure_memory();
	measure_arch();
	put_string("bench done\n");
	for (;;)
		(void)sel4_wait(signal_ntfn);
}
