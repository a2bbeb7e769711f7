/*
 * Benchmarks of the kernel's own paths: a root task that prints
 * `bench ROW min median max` on the board's PL011, counted by CNTPCT, which
 * under icount with a frequency of 1 GHz advances by one per instruction.
 *
 * What is timed lies between two reads of the counter; the row `empty` is
 * such a pair with nothing in between. Stubs of lib/sel4 are part of a figure.
 * Servers and handlers run in a second address space, which maps the same
 * image at the same addresses, and above the client's priority.
 */
#include <abi/fault.h>
#include <selvage/fmt.h>
#include <selvage/procinfo.h>
#include <selvage/rt.h>
#include <selvage/sel4.h>
#include <stdbool.h>

#define PAGE 4096u
#define STACK_BYTES 8192u
#define HELPERS 5u
#define ROUNDS 2000u
#define OBJECT_ROUNDS 200u
#define WARM_UP 20u
#define DEPTH 64
#define PRIO_CLIENT 100u
#define PRIO_HELPER 150u
#define POOL_BITS 22u
/* Longer than any row: no budget ends while something is timed. */
#define BUDGET_US 10000000u

#define UART_PADDR 0x09000000ull
#define UART_VADDR 0x30000000ull
#define FREE_VADDR 0x40000000ull
#define UART_IRQ 33u
#define UART_DR 0
#define UART_FR (0x18 / 4)
#define UART_IMSC (0x38 / 4)
#define UART_FR_FULL 0x20u
#define UART_TX_INTERRUPT 0x20u

static volatile uint32_t *uart;
static cap_t next_slot, pool, other_vspace;
static uint64_t samples[ROUNDS];
static volatile uint64_t started;
static volatile unsigned round_number;

static _Alignas(PAGE) struct {
	char bytes[STACK_BYTES];
} stacks[HELPERS];
static _Alignas(PAGE) struct {
	struct abi_ipcbuf buffer;
	char pad[PAGE - sizeof(struct abi_ipcbuf)];
} buffers[HELPERS];

static inline uint64_t now(void)
{
	uint64_t v;

	__asm__ volatile("mrs %0, cntpct_el0"
			 : "=r"(v)
			 :
			 : "memory");
	return v;
}

/* --- output --- */

static void put_string(const char *s)
{
	for (; *s; s++) {
		while (uart[UART_FR] & UART_FR_FULL)
			;
		uart[UART_DR] = (uint8_t)*s;
	}
}

static void must(int error, const char *what)
{
	char text[100];

	if (error == ABI_OK)
		return;
	if (uart) {
		fmt_print(text, sizeof(text), "bench: error: %s: %d\n", what, error);
		put_string(text);
	}
	rt_panic(what);
}
#define MUST(call) must(call, #call)

static void sort(uint64_t *v, unsigned n)
{
	for (unsigned i = 1; i < n; i++) {
		uint64_t x = v[i];
		unsigned j = i;

		for (; j > 0 && v[j - 1] > x; j--)
			v[j] = v[j - 1];
		v[j] = x;
	}
}

static void report(const char *row, unsigned n)
{
	char text[100];

	sort(samples, n);
	fmt_print(text, sizeof(text), "bench %s %lu %lu %lu\n", row, (unsigned long)samples[0],
		  (unsigned long)samples[n / 2], (unsigned long)samples[n - 1]);
	put_string(text);
}

/* Runs `body` with t0 and t1 for it to set, keeps the differences. */
#define MEASURE(row, n, body)                                               \
	do {                                                                \
		for (unsigned i_ = 0; i_ < (n) + WARM_UP; i_++) {           \
			uint64_t t0, t1;                                    \
			body;                                               \
			samples[i_ < WARM_UP ? 0 : i_ - WARM_UP] = t1 - t0; \
		}                                                           \
		report(row, n);                                             \
	} while (0)

/* --- objects --- */

static cap_t slots(unsigned n)
{
	cap_t s = next_slot;

	next_slot += n;
	return s;
}

static cap_t make(cap_t from, enum abi_object type, unsigned size_bits)
{
	cap_t s = slots(1);

	MUST(sel4_untyped_retype(from, ABI_ROOT_CNODE, type, size_bits, 0, 0, s, 1));
	return s;
}

static void map_into(cap_t vspace, cap_t frame, uint64_t vaddr, uint64_t attributes)
{
	const uint64_t rights = ABI_RIGHT_READ | ABI_RIGHT_WRITE;
	int error;

	for (unsigned level = 0;; level++) {
		error = sel4_page_map(frame, vspace, vaddr, rights, attributes);
		if (error != ABI_FAILED_LOOKUP || level == 3)
			break;
		MUST(sel4_page_table_map(make(pool, ABI_OBJ_PAGE_TABLE, 0), vspace, vaddr,
					 ABI_VM_DEFAULT));
	}
	must(error, "map a page");
}

static cap_t copy_of(cap_t cap)
{
	cap_t s = slots(1);

	MUST(sel4_cnode_copy(ABI_ROOT_CNODE, s, DEPTH, ABI_ROOT_CNODE, cap, DEPTH,
			     ABI_RIGHTS_ALL));
	return s;
}

static void make_other_vspace(void)
{
	const struct abi_bootinfo *info = rt_bootinfo();
	uint64_t pages = info->user_image_frames.end - info->user_image_frames.start;

	other_vspace = make(pool, ABI_OBJ_VSPACE, 0);
	MUST(sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, other_vspace));
	for (uint64_t i = 0; i < pages; i++)
		map_into(other_vspace, copy_of(info->user_image_frames.start + i),
			 PROC_IMAGE_BASE + i * PAGE, ABI_VM_DEFAULT);
}

static void make_pool(void)
{
	const struct abi_bootinfo *info = rt_bootinfo();

	for (uint64_t i = 0; i < info->untyped.end - info->untyped.start; i++) {
		const struct abi_untyped_desc *u = &info->untyped_list[i];

		if (u->is_device || u->size_bits < POOL_BITS + 1)
			continue;
		pool = make(info->untyped.start + i, ABI_OBJ_UNTYPED, POOL_BITS);
		return;
	}
}

/* Splits the device untyped down to the UART's page. */
static void map_uart(void)
{
	const struct abi_bootinfo *info = rt_bootinfo();

	for (uint64_t i = 0; i < info->untyped.end - info->untyped.start; i++) {
		const struct abi_untyped_desc *u = &info->untyped_list[i];
		cap_t from = info->untyped.start + i;
		uint64_t base = u->paddr;

		if (!u->is_device || UART_PADDR - base >= 1ull << u->size_bits)
			continue;
		for (unsigned bits = u->size_bits; bits-- > 12;) {
			cap_t half = slots(2);

			MUST(sel4_untyped_retype(from, ABI_ROOT_CNODE, ABI_OBJ_UNTYPED, bits, 0, 0,
						 half, 2));
			from = half + (UART_PADDR - base >= 1ull << bits);
			base += UART_PADDR - base >= 1ull << bits ? 1ull << bits : 0;
		}
		cap_t frame = make(from, ABI_OBJ_SMALL_PAGE, 0);

		map_into(ABI_ROOT_VSPACE, frame, UART_VADDR, ABI_VM_EXECUTE_NEVER);
		uart = (volatile uint32_t *)UART_VADDR;
		make_other_vspace();
		map_into(other_vspace, copy_of(frame), UART_VADDR, ABI_VM_EXECUTE_NEVER);
		return;
	}
}

static cap_t make_sched_context(void)
{
	cap_t sc = make(pool, ABI_OBJ_SCHED_CONTEXT, 8);

	MUST(sel4_sched_control_configure(rt_bootinfo()->sched_control.start, sc, BUDGET_US,
					  BUDGET_US, 0, 0, 0));
	return sc;
}

/* Starts a helper in the other address space; it runs until it waits. Passive:
 * then it loses its scheduling context. */
static void start(unsigned index, void (*entry)(void *), bool passive)
{
	static uint64_t registers[ABI_CTX_COUNT];
	struct abi_ipcbuf *buffer = &buffers[index].buffer;
	cap_t frame = rt_bootinfo()->user_image_frames.start +
		      ((uintptr_t)buffer - PROC_IMAGE_BASE) / PAGE;
	cap_t tcb = make(pool, ABI_OBJ_TCB, 0), sc = make_sched_context();

	MUST(sel4_tcb_configure(tcb, ABI_ROOT_CNODE, other_vspace, frame, 0, 0,
				(uintptr_t)buffer));
	MUST(sel4_tcb_set_sched_params(tcb, ABI_ROOT_TCB, sc, 0, 255, PRIO_HELPER));
	rt_thread_prepare(registers, stacks[index].bytes + STACK_BYTES, buffer, entry, NULL);
	MUST(sel4_tcb_write_registers(tcb, 1, ABI_CTX_COUNT, registers));
	if (passive)
		MUST(sel4_sched_context_unbind(sc));
}

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

/* --- notifications and interrupts: the helper takes the second time --- */

static cap_t signal_ntfn, irq_ntfn, irq_handler;

static void take_sample(uint64_t end)
{
	unsigned i = round_number++;

	samples[i < WARM_UP ? 0 : i - WARM_UP] = end - started;
}

static void signal_helper(void *arg)
{
	(void)arg;
	for (;;) {
		(void)sel4_wait(signal_ntfn);
		take_sample(now());
	}
}

static void irq_helper(void *arg)
{
	(void)arg;
	for (;;) {
		(void)sel4_wait(irq_ntfn);
		take_sample(now());
		uart[UART_IMSC] = 0;
		MUST(sel4_irq_handler_ack(irq_handler));
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

static void measure_irq(void)
{
	irq_handler = slots(1);
	irq_ntfn = make(pool, ABI_OBJ_NOTIFICATION, 0);
	MUST(sel4_irq_control_get(ABI_ROOT_IRQ_CONTROL, ABI_ROOT_CNODE, UART_IRQ, irq_handler,
				  DEPTH));
	MUST(sel4_irq_handler_set_notification(irq_handler, irq_ntfn));
	start(3, irq_helper, false);
	round_number = 0;
	/* The transmitter is idle: unmasking its interrupt raises it. */
	while (round_number < ROUNDS + WARM_UP) {
		started = now();
		uart[UART_IMSC] = UART_TX_INTERRUPT;
	}
	report("irq_to_handler", ROUNDS);
	MEASURE("irq_ack", ROUNDS, {
		t0 = now();
		(void)sel4_irq_handler_ack(irq_handler);
		t1 = now();
	});
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
		mr[ABI_EXCFAULT_IP] += 4;
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
		__asm__ volatile("udf #0" ::
					 : "memory");
		t1 = now();
	});
}

/* --- memory --- */

static void measure_retype(const char *row, enum abi_object type, unsigned size_bits)
{
	cap_t to = slots(OBJECT_ROUNDS + WARM_UP);
	cap_t from = make(pool, ABI_OBJ_UNTYPED, POOL_BITS - 2);

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
	next_slot = rt_bootinfo()->empty.start;
	make_pool();
	map_uart();
	MUST(sel4_sched_control_configure(rt_bootinfo()->sched_control.start,
					  ABI_ROOT_SCHED_CONTEXT, BUDGET_US, BUDGET_US, 0, 0, 0));
	MUST(sel4_tcb_set_priority(ABI_ROOT_TCB, ABI_ROOT_TCB, PRIO_CLIENT));
	MEASURE("empty", ROUNDS, {
		t0 = now();
		t1 = now();
	});
	measure_ipc();
	measure_signal();
	measure_irq();
	measure_fault();
	measure_memory();
	put_string("bench done\n");
	for (;;)
		(void)sel4_wait(signal_ntfn);
}
