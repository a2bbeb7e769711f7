/*
 * Exercises the kernel at random: workers make random system calls, and a
 * guest runs random instructions. This supervisor stands above them with
 * objects of its own. It sets going again who is stuck, ends each round by
 * revoking the memory that it was made of, and sees that all of that memory,
 * every slot and the interrupt came back. What is to be done is patched into
 * the image (run), and under icount the same numbers make the same run.
 */
#include "worker.h"

#include <abi/ext.h>
#include <abi/object.h>
#include <abi/regs.h>
#include <selvage/fmt.h>
#include <selvage/procinfo.h>
#include <selvage/rt.h>
#include <selvage/rt_arch.h>
#include <selvage/sel4.h>
#include <stdbool.h>

#define CNODE ABI_ROOT_CNODE
#define DEPTH 64
#define POOL_BITS 23u
#define TICKS 150u /* of a round */
/* A debug kernel spends most of the time on its checks. */
#define TICK_US (SELVAGE_DEBUG ? 6000u : 600u)
#define SPSR_EL1H 0x3c5u
#define IRQ 40u
#define UART_VADDR 0x30000000ull

/* Set by tests/exerciser/run in the image. */
static const volatile struct {
	char magic[8];
	uint64_t seed, calls, exits;
} job = { "EXERCISE", 1, 20000, 20000 };

static volatile uint32_t *uart;
static uint64_t random_state;
static cap_t pool, spare_memory, base, worker_space, guest_space, pages, guest_page, scratch;
static cap_t next_slot;

/* --- output and failure --- */

static void put_string(const char *s)
{
	for (; *s; s++) {
		while (uart[0x18 / 4] & 0x20)
			;
		uart[0] = (uint8_t)*s;
	}
}

#define print(...)                                            \
	do {                                                  \
		char text_[200];                              \
		fmt_print(text_, sizeof(text_), __VA_ARGS__); \
		put_string(text_);                            \
	} while (0)

static _Noreturn void fail(const char *what, uint64_t value)
{
	print("exerciser: FAILED: %s (%lu)\n", what, (unsigned long)value);
	for (;;)
		sel4_yield();
}

static void must(int error, const char *what)
{
	if (error)
		fail(what, (uint64_t)error);
}
#define MUST(call) must(call, #call)

static uint64_t next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static unsigned below(unsigned n) { return (unsigned)(next() >> 20) % n; }

/* --- objects --- */

static cap_t slots(unsigned n)
{
	next_slot += n;
	return next_slot - n;
}

static cap_t lasting(enum abi_object type, unsigned bits)
{
	cap_t s = slots(1);

	MUST(sel4_untyped_retype(spare_memory, CNODE, type, bits, 0, 0, s, 1));
	return s;
}

static cap_t copy(cap_t src)
{
	cap_t s = slots(1);

	MUST(sel4_cnode_copy(CNODE, s, DEPTH, CNODE, src, DEPTH, ABI_RIGHTS_ALL));
	return s;
}

static void map(cap_t frame, cap_t space, uint64_t vaddr, uint64_t rights)
{
	for (unsigned level = 0; level < 4; level++) {
		if (sel4_page_map(frame, space, vaddr, rights, ABI_VM_DEFAULT) == ABI_OK)
			return;
		MUST(sel4_page_table_map(lasting(ABI_OBJ_PAGE_TABLE, 0), space, vaddr,
					 ABI_VM_DEFAULT));
	}
	fail("a page cannot be mapped", vaddr);
}

static bool is_empty(cap_t slot)
{
	int error = sel4_cnode_move(CNODE, scratch, DEPTH, CNODE, slot, DEPTH);

	if (error == ABI_OK)
		MUST(sel4_cnode_move(CNODE, slot, DEPTH, CNODE, scratch, DEPTH));
	return error == ABI_FAILED_LOOKUP;
}

/* --- what stays: the workers' address space, their pages --- */

static void map_image(void)
{
	const struct abi_region *image = &rt_bootinfo()->user_image_frames;

	for (cap_t f = image->start; f < image->end; f++)
		map(copy(f), worker_space, PROC_IMAGE_BASE + (f - image->start) * PAGE,
		    ABI_RIGHT_READ);
}

static void map_worker(unsigned index)
{
	for (unsigned i = 0; i < WORKER_PAGES; i++) {
		uint64_t at = (uint64_t)(uintptr_t)worker_at(WORKER_BASE, index) + i * PAGE;
		cap_t frame = pages + index * WORKER_PAGES + i;

		map(copy(frame), worker_space, at, ABI_RIGHTS_ALL);
		map(copy(frame), ABI_ROOT_VSPACE, at, ABI_RIGHTS_ALL);
	}
}

static void make_lasting(void)
{
	worker_space = lasting(ABI_OBJ_VSPACE, 0);
	guest_space = lasting(ABI_OBJ_VSPACE, 0);
	MUST(sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, worker_space));
	MUST(sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, guest_space));
	map_image();
	pages = slots(WORKERS * WORKER_PAGES);
	MUST(sel4_untyped_retype(spare_memory, CNODE, ABI_OBJ_SMALL_PAGE, 0, 0, 0, pages,
				 WORKERS * WORKER_PAGES));
	for (unsigned i = 0; i < WORKERS; i++)
		map_worker(i);
	guest_page = lasting(ABI_OBJ_SMALL_PAGE, 0);
	map(copy(guest_page), guest_space, GUEST_BASE, ABI_RIGHTS_ALL);
	map(copy(guest_page), worker_space, GUEST_WINDOW, ABI_RIGHTS_ALL);
	map(copy(guest_page), ABI_ROOT_VSPACE, GUEST_WINDOW, ABI_RIGHTS_ALL);
}

/* --- a round --- */

/* Objects that the supervisor keeps a capability to, and the workers' copies. */
static void share(unsigned slot, enum abi_object type, unsigned bits, unsigned n)
{
	MUST(sel4_untyped_retype(pool, CNODE, type, bits, 0, 0, base + slot, n));
	for (unsigned i = 0; i < n; i++)
		MUST(sel4_cnode_copy(base + S_CNODE, slot + i, DEPTH, CNODE, base + slot + i,
				     DEPTH, ABI_RIGHTS_ALL));
}

static void give(unsigned slot, enum abi_object type, unsigned bits, unsigned n)
{
	MUST(sel4_untyped_retype(pool, base + S_CNODE, type, bits, 0, 0, slot, n));
}

static void lend(unsigned slot, cap_t cap)
{
	MUST(sel4_cnode_copy(base + S_CNODE, slot, DEPTH, CNODE, cap, DEPTH, ABI_RIGHTS_ALL));
}

/* A CNode whose capabilities resolve whole pointers: small numbers. */
static void make_cnode(unsigned slot, unsigned radix)
{
	MUST(sel4_untyped_retype(pool, CNODE, ABI_OBJ_CNODE, radix, 0, 0, scratch, 1));
	MUST(sel4_cnode_mutate(CNODE, base + slot, DEPTH, CNODE, scratch, DEPTH,
			       sel4_cnode_data(0, 64 - radix)));
}

static void make_cspaces(void)
{
	make_cnode(S_CNODE, RADIX);
	make_cnode(S_CNODE2, 6);
	make_cnode(S_CNODE3, 4);
	for (unsigned i = S_CNODE; i <= S_CNODE3; i++)
		lend(i, base + i);
}

static void share_second(void)
{
	for (unsigned i = 1; i < 64; i++)
		(void)sel4_cnode_copy(base + S_CNODE2, i, DEPTH, base + S_CNODE, i, DEPTH,
				      ABI_RIGHTS_ALL);
}

static void make_round(void)
{
	make_cspaces();
	share(S_TCB, ABI_OBJ_TCB, 0, WORKERS + 2);
	share(S_SC, ABI_OBJ_SCHED_CONTEXT, 8, WORKERS + 2);
	share(S_EP, ABI_OBJ_ENDPOINT, 0, 7);
	share(S_NTFN, ABI_OBJ_NOTIFICATION, 0, 6);
	share(S_REPLY, ABI_OBJ_REPLY, 0, 9);
	share(S_VCPU, ABI_OBJ_VCPU, 0, 2);
	for (unsigned i = 0; i < 8; i++)
		give(S_UNTYPED + i, ABI_OBJ_UNTYPED, 10 + i, 1);
	give(S_FRAME, ABI_OBJ_SMALL_PAGE, 0, 8);
	give(S_LARGE, ABI_OBJ_LARGE_PAGE, 0, 1);
	MUST(sel4_untyped_retype(pool, CNODE, ABI_OBJ_VSPACE, 0, 0, 0, base + S_VSPACE, 1));
	MUST(sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, base + S_VSPACE));
	lend(S_VSPACE, base + S_VSPACE);
	give(S_VSPACE + 1, ABI_OBJ_VSPACE, 0, 2);
	give(S_TABLE, ABI_OBJ_PAGE_TABLE, 0, 8);
	lend(S_ASID_POOL, ABI_ROOT_ASID_POOL);
	lend(S_ASID_CONTROL, ABI_ROOT_ASID_CONTROL);
	lend(S_SCHED_CONTROL, rt_bootinfo()->sched_control.start);
	lend(S_DOMAIN, ABI_ROOT_DOMAIN);
	MUST(sel4_irq_control_get(ABI_ROOT_IRQ_CONTROL, base + S_CNODE, IRQ, S_IRQ, DEPTH));
	share_second();
}

/* The thread is nobody's and in nothing; then on its own context again. In the
 * middle of this the supervisor's budget may end, and workers run who bind what
 * was unbound: only then the last call may be refused, and all begins again. */
static void put_in_order(unsigned i, cap_t fault_ep, unsigned prio)
{
	cap_t tcb = base + S_TCB + i, sc = base + S_SC + i;
	unsigned budget = 40 + below(500);
	uint64_t began;
	int error;

	do {
		began = clock_arch_now();
		MUST(sel4_tcb_suspend(tcb));
		MUST(sel4_sched_context_unbind(sc));
		MUST(sel4_tcb_set_sched_params(tcb, ABI_ROOT_TCB, 0, fault_ep, 200, prio));
		MUST(sel4_sched_control_configure(rt_bootinfo()->sched_control.start, sc, budget,
						  budget + below(2) * below(2000), below(7), i,
						  below(2)));
		error = sel4_tcb_set_sched_params(tcb, ABI_ROOT_TCB, sc, fault_ep, 200, prio);
	} while (error && clock_arch_now() - began > clock_arch_hz() / 1000000 * (TICK_US / 4));
	must(error, "its own context");
	MUST(sel4_ext_tcb_set_syscall_fault(tcb, 0));
}

static void restart_worker(unsigned i)
{
	struct worker *w = worker_at(WORKER_BASE, i);
	cap_t tcb = base + S_TCB + i, cspace = base + (i == 3 ? S_CNODE2 : S_CNODE);
	cap_t fault_ep = below(3) ? 0 : base + S_EP + below(3);
	uint64_t regs[ABI_CTX_COUNT] = { 0 };

	w->random = next() | 1;
	put_in_order(i, i == HANDLER ? 0 : fault_ep, i == HANDLER ? 150 : 20 + below(100));
	MUST(sel4_tcb_set_space(tcb, i == HANDLER ? 0 : fault_ep, cspace, worker_space, 0, 0));
	MUST(sel4_tcb_set_ipc_buffer(tcb, pages + i * WORKER_PAGES,
				     i != HANDLER && below(10) == 0 ? 0
								    : (uintptr_t)&w->buffer));
	regs[ABI_CTX_PC] = (uintptr_t)worker_main;
	regs[ABI_CTX_SP] = (uintptr_t)w + WORKER_PAGES * PAGE;
	regs[ABI_CTX_X0] = (uintptr_t)w;
	regs[ABI_CTX_X1] = i;
	MUST(sel4_tcb_write_registers(tcb, 1, ABI_CTX_COUNT, regs));
}

static void restart_guest(void)
{
	cap_t tcb = base + S_TCB_GUEST;
	uint64_t regs[ABI_CTX_COUNT];
	volatile uint32_t *code = (volatile uint32_t *)(uintptr_t)GUEST_WINDOW;

	for (unsigned i = 0; i < PAGE / 4; i++)
		code[i] = 0xd4000002; /* hvc #0 */
	for (unsigned i = 0; i < ABI_CTX_COUNT; i++)
		regs[i] = GUEST_BASE + (uint64_t)below(1 << 20) * 8;
	regs[ABI_CTX_PC] = GUEST_BASE + below(PAGE / 4) * 4;
	regs[ABI_CTX_SPSR] = SPSR_EL1H;
	/* Whoever has the VCPU, and whatever of it was changed. */
	MUST(sel4_vcpu_set_tcb(base + S_VCPU + 1, base + S_TCB_SPARE));
	MUST(sel4_vcpu_set_tcb(base + S_VCPU, tcb));
	MUST(sel4_ext_vcpu_set_width(base + S_VCPU, 64));
	MUST(sel4_ext_vcpu_set_debug(base + S_VCPU, 0));
	MUST(sel4_vcpu_write_regs(base + S_VCPU, ABI_VCPU_SCTLR_EL1, 0x30c50838));
	put_in_order(WORKERS, base + S_EP_GUEST, 10 + below(100));
	MUST(sel4_tcb_set_space(tcb, base + S_EP_GUEST, base + S_CNODE, guest_space, 0, 0));
	MUST(sel4_tcb_write_registers(tcb, 1, ABI_CTX_COUNT, regs));
}

struct totals {
	uint64_t calls, exits, hash;
};

static struct totals total;

/* A worker that ran astray may have written into another's page. */
static uint64_t plausible(uint64_t difference)
{
	return difference < 1u << 20 ? difference : 0;
}

static void count(void)
{
	static uint64_t calls[WORKERS], exits[WORKERS];

	total.hash = 0;
	for (unsigned i = 0; i < WORKERS; i++) {
		const struct worker *w = worker_at(WORKER_BASE, i);

		total.calls += plausible(w->calls - calls[i]);
		total.exits += plausible(w->exits - exits[i]);
		total.hash = total.hash * 31 + w->hash;
		calls[i] = w->calls;
		exits[i] = w->exits;
	}
}

static void run_round(void)
{
	uint64_t calls[WORKERS], exits = ~0ull;

	for (unsigned i = 0; i < WORKERS; i++)
		calls[i] = ~0ull;
	for (unsigned tick = 0; tick < TICKS; tick++) {
		uint64_t answered = worker_at(WORKER_BASE, HANDLER)->exits;

		for (unsigned i = 0; i < WORKERS; i++) {
			const struct worker *w = worker_at(WORKER_BASE, i);

			if (w->calls == calls[i])
				restart_worker(i);
			else if (tick == 0)
				restart_worker(i);
			calls[i] = w->calls;
		}
		if (answered == exits || tick == 0)
			restart_guest();
		exits = answered;
		sel4_yield(); /* until the next period: the others run */
		count();
	}
}

static void end_round(void)
{
	MUST(sel4_cnode_revoke(CNODE, pool, DEPTH));
	for (unsigned i = 0; i < SLOTS; i++)
		if (!is_empty(base + i))
			fail("a slot did not come back", i);
	MUST(sel4_untyped_retype(pool, CNODE, ABI_OBJ_UNTYPED, POOL_BITS, 0, 0, base, 1));
	MUST(sel4_cnode_delete(CNODE, base, DEPTH));
}

/* --- totals --- */

/* Address spaces that still get an ASID of the initial pool. */
static unsigned count_asids(void)
{
	unsigned n = 0;

	MUST(sel4_untyped_retype(pool, CNODE, ABI_OBJ_VSPACE, 0, 0, 0, base, SLOTS));
	MUST(sel4_untyped_retype(pool, CNODE, ABI_OBJ_VSPACE, 0, 0, 0, base + SLOTS, SLOTS));
	while (n < 2 * SLOTS && sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, base + n) == ABI_OK)
		n++;
	MUST(sel4_cnode_revoke(CNODE, pool, DEPTH));
	return n;
}

static unsigned count_pools(void)
{
	unsigned n = 0;

	MUST(sel4_untyped_retype(pool, CNODE, ABI_OBJ_UNTYPED, ABI_ASID_POOL_BITS, 0, 0, base,
				 SLOTS));
	while (n < SLOTS && sel4_asid_control_make_pool(ABI_ROOT_ASID_CONTROL, base + n, CNODE,
							base + SLOTS + n, DEPTH) == ABI_OK)
		n++;
	MUST(sel4_cnode_revoke(CNODE, pool, DEPTH));
	return n;
}

static unsigned count_empty(void)
{
	unsigned n = 0;

	for (cap_t s = ABI_ROOT_FIRST_DYNAMIC; s < 1u << ABI_ROOT_CNODE_BITS; s++)
		n += is_empty(s) ? 1 : 0;
	return n;
}

struct stock {
	unsigned asids, pools, empty;
};

static struct stock take_stock(void)
{
	return (struct stock){ count_asids(), count_pools(), count_empty() };
}

static void compare(struct stock a, struct stock b)
{
	if (a.asids != b.asids)
		fail("ASIDs were lost", a.asids - b.asids);
	if (a.pools != b.pools)
		fail("places for ASID pools were lost", a.pools - b.pools);
	if (a.empty != b.empty)
		fail("slots were lost", a.empty - b.empty);
}

/* --- start --- */

static cap_t untyped_of(uint64_t paddr, unsigned min_bits, uint64_t *start)
{
	const struct abi_bootinfo *info = rt_bootinfo();

	for (uint64_t i = 0; i < info->untyped.end - info->untyped.start; i++) {
		const struct abi_untyped_desc *u = &info->untyped_list[i];
		bool wanted = paddr ? paddr - u->paddr < 1ull << u->size_bits : !u->is_device;

		if (wanted && u->size_bits >= min_bits) {
			*start = u->paddr;
			return info->untyped.start + i;
		}
	}
	return 0;
}

/* The PL011: untypeds are split off until its page comes first. */
static void map_uart(void)
{
	const uint64_t paddr = 0x09000000;
	uint64_t at;
	cap_t from = untyped_of(paddr, 12, &at), frame = slots(1);

	for (unsigned bits = 26; at != paddr && bits >= 12; bits--)
		while (paddr - at >= 1ull << bits) {
			cap_t rest = slots(1);

			if (sel4_untyped_retype(from, CNODE, ABI_OBJ_UNTYPED, bits, 0, 0, rest, 1))
				break;
			at += 1ull << bits;
		}
	if (sel4_untyped_retype(from, CNODE, ABI_OBJ_SMALL_PAGE, 0, 0, 0, frame, 1) == ABI_OK)
		map(frame, ABI_ROOT_VSPACE, UART_VADDR, ABI_RIGHTS_ALL);
	uart = (volatile uint32_t *)UART_VADDR;
}

static void set_up(void)
{
	uint64_t at;

	next_slot = rt_bootinfo()->empty.start;
	spare_memory = untyped_of(0, POOL_BITS + 2, &at);
	pool = slots(1);
	scratch = slots(1);
	MUST(sel4_untyped_retype(spare_memory, CNODE, ABI_OBJ_UNTYPED, POOL_BITS, 0, 0, pool, 1));
	map_uart();
	make_lasting();
	base = slots(2 * SLOTS);
	MUST(sel4_sched_control_configure(rt_bootinfo()->sched_control.start,
					  ABI_ROOT_SCHED_CONTEXT, TICK_US / 2, TICK_US, 0, 0, 0));
	random_state = job.seed * 0x9e3779b97f4a7c15ull | 1;
}

int main(void)
{
	struct stock before;
	unsigned rounds = 0;

	set_up();
	before = take_stock();
	print("exerciser: seed %lu\n", (unsigned long)job.seed);
	while (total.calls < job.calls || total.exits < job.exits) {
		make_round();
		run_round();
		end_round();
		print("exerciser: round %u: %lu calls, %lu exits, hash %lx\n", ++rounds,
		      (unsigned long)total.calls, (unsigned long)total.exits,
		      (unsigned long)total.hash);
	}
	compare(before, take_stock());
	print("exerciser: done\n");
	for (;;)
		sel4_yield();
}
