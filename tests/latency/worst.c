/*
 * A root task that does what should take the kernel longest: much at once,
 * and objects with long queues. tests/latency/run measures the kernel.
 */
#include <abi/invocation.h>
#include <abi/object.h>
#include <abi/regs.h>
#include <selvage/rt.h>
#include <selvage/sel4.h>
#include <stdbool.h>

#define CNODE ABI_ROOT_CNODE
#define DEPTH 64
#define POOL_BITS 24u
#define THREADS 200u
#define PAGE 4096u
#define WINDOW 0x40000000ull
#define LARGE 0x200000u
#define MANY 256u

static cap_t pool, next_slot;
static _Alignas(PAGE) char stack[4 * PAGE];
static uint64_t regs[ABI_CTX_COUNT];

static cap_t slots(unsigned n)
{
	next_slot += n;
	return next_slot - n;
}

static cap_t make_many(enum abi_object type, unsigned bits, unsigned n)
{
	cap_t s = slots(n);

	for (unsigned done = 0; done < n; done += MANY)
		(void)sel4_untyped_retype(pool, CNODE, type, bits, 0, 0, s + done,
					  n - done < MANY ? n - done : MANY);
	return s;
}

static cap_t make(enum abi_object type, unsigned bits) { return make_many(type, bits, 1); }

static void clear(void)
{
	(void)sel4_cnode_revoke(CNODE, pool, DEPTH);
	next_slot = rt_bootinfo()->empty.start + 8;
}

static void retypes(void)
{
	static const uint8_t types[] = { ABI_OBJ_TCB, ABI_OBJ_ENDPOINT, ABI_OBJ_NOTIFICATION,
					 ABI_OBJ_REPLY, ABI_OBJ_SMALL_PAGE, ABI_OBJ_PAGE_TABLE,
					 ABI_OBJ_VSPACE, ABI_OBJ_VCPU };

	(void)make_many(ABI_OBJ_UNTYPED, 4, MANY);
	clear();
	(void)make_many(ABI_OBJ_CNODE, 4, MANY);
	clear();
	for (unsigned i = 0; i < sizeof(types); i++) {
		(void)make_many(types[i], 0, MANY);
		clear();
	}
	(void)make(ABI_OBJ_CNODE, 17);
	(void)make_many(ABI_OBJ_SCHED_CONTEXT, 12, MANY);
	clear();
	(void)make_many(ABI_OBJ_LARGE_PAGE, 0, 4);
	clear();
	(void)make(ABI_OBJ_UNTYPED, POOL_BITS);
	clear();
}

/* Many copies; a CNode full of objects; CNodes in CNodes. */
static void deletions(void)
{
	cap_t ep = make(ABI_OBJ_ENDPOINT, 0), node, outer;

	for (unsigned i = 0; i < 2000; i++)
		(void)sel4_cnode_mint(CNODE, slots(1), DEPTH, CNODE, ep, DEPTH, 15, i + 1);
	(void)sel4_cnode_revoke(CNODE, ep, DEPTH);
	node = make(ABI_OBJ_CNODE, 12);
	for (unsigned i = 0; i < 4096; i += MANY)
		(void)sel4_untyped_retype(pool, CNODE, ABI_OBJ_NOTIFICATION, 0, node, DEPTH, i,
					  MANY);
	(void)sel4_cnode_delete(CNODE, node, DEPTH);
	outer = make(ABI_OBJ_CNODE, 1);
	for (unsigned i = 0; i < 200; i++) {
		node = make(ABI_OBJ_CNODE, 1);
		(void)sel4_cnode_move(node, 0, 1, CNODE, outer, DEPTH);
		outer = node;
	}
	(void)sel4_cnode_delete(CNODE, outer, DEPTH);
	clear();
}

static cap_t map_large(void)
{
	cap_t frame = make(ABI_OBJ_LARGE_PAGE, 0);

	for (unsigned i = 0; i < 4; i++) {
		if (!sel4_page_map(frame, ABI_ROOT_VSPACE, WINDOW, 15, ABI_VM_DEFAULT))
			break;
		(void)sel4_page_table_map(make(ABI_OBJ_PAGE_TABLE, 0), ABI_ROOT_VSPACE, WINDOW,
					  ABI_VM_DEFAULT);
	}
	return frame;
}

static void cache_maintenance(void)
{
	cap_t frame = map_large();

	(void)sel4_page_clean_data(frame, 0, LARGE);
	(void)sel4_page_clean_invalidate_data(frame, 0, LARGE);
	(void)sel4_page_invalidate_data(frame, 0, LARGE);
	(void)sel4_page_unify_instruction(frame, 0, LARGE);
	(void)sel4_vspace_clean_data(ABI_ROOT_VSPACE, WINDOW, WINDOW + LARGE);
	(void)sel4_vspace_unify_instruction(ABI_ROOT_VSPACE, WINDOW, WINDOW + LARGE);
	(void)sel4_page_unmap(frame);
	clear();
}

/* Threads run once, until they wait in a queue. */
static cap_t waiting_on;

static void sender(void)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	sel4_send(waiting_on, msginfo(0, 0, 0), mr);
	for (;;)
		;
}

static void waiter(void)
{
	(void)sel4_wait(waiting_on);
	for (;;)
		;
}

static cap_t queue_up(cap_t on, cap_t sc, void (*wait)(void))
{
	cap_t tcbs = make_many(ABI_OBJ_TCB, 0, THREADS);

	waiting_on = on;
	for (unsigned i = 0; i < THREADS; i++) {
		regs[ABI_CTX_PC] = (uintptr_t)wait;
		regs[ABI_CTX_SP] = (uintptr_t)stack + sizeof(stack) - 1024;
		(void)sel4_tcb_set_space(tcbs + i, 0, CNODE, ABI_ROOT_VSPACE, 0, 0);
		(void)sel4_tcb_set_sched_params(tcbs + i, ABI_ROOT_TCB, sc, 0, 255, 255);
		(void)sel4_tcb_write_registers(tcbs + i, 1, ABI_CTX_COUNT, regs);
		sel4_yield();
		(void)sel4_sched_context_unbind(sc);
	}
	return tcbs;
}

static cap_t context(void)
{
	cap_t sc = make(ABI_OBJ_SCHED_CONTEXT, 8);

	(void)sel4_sched_control_configure(rt_bootinfo()->sched_control.start, sc, 5000, 5000, 0, 0,
					   0);
	return sc;
}

static void queues(void)
{
	cap_t ep = make(ABI_OBJ_ENDPOINT, 0), ntfn = make(ABI_OBJ_NOTIFICATION, 0);
	cap_t sc = context(), badged = slots(1), tcbs;

	(void)sel4_cnode_mint(CNODE, badged, DEPTH, CNODE, ep, DEPTH, 15, 7);
	tcbs = queue_up(badged, sc, sender);
	(void)sel4_tcb_set_priority(tcbs, ABI_ROOT_TCB, 1);
	(void)sel4_cnode_cancel_badged_sends(CNODE, badged, DEPTH);
	tcbs = queue_up(ep, sc, sender);
	(void)sel4_cnode_delete(CNODE, badged, DEPTH);
	(void)sel4_cnode_delete(CNODE, ep, DEPTH);
	tcbs = queue_up(ntfn, sc, waiter);
	(void)sel4_tcb_set_priority(tcbs, ABI_ROOT_TCB, 1);
	(void)sel4_cnode_delete(CNODE, ntfn, DEPTH);
	clear();
}

/* A pool of address spaces goes at once. */
static void asids(void)
{
	cap_t memory = make(ABI_OBJ_UNTYPED, ABI_ASID_POOL_BITS), asid_pool = slots(1), spaces;

	(void)sel4_asid_control_make_pool(ABI_ROOT_ASID_CONTROL, memory, CNODE, asid_pool, DEPTH);
	spaces = make_many(ABI_OBJ_VSPACE, 0, 512);
	for (unsigned i = 0; i < 512; i++)
		(void)sel4_asid_pool_assign(asid_pool, spaces + i);
	(void)sel4_cnode_delete(CNODE, asid_pool, DEPTH);
	clear();
}

static void refills(void)
{
	cap_t sc = make(ABI_OBJ_SCHED_CONTEXT, 16), tcb = make(ABI_OBJ_TCB, 0);
	uint64_t used = 0;

	(void)sel4_sched_control_configure(rt_bootinfo()->sched_control.start, sc, 100000, 200000,
					   4000, 0, 1);
	(void)sel4_tcb_set_space(tcb, 0, CNODE, ABI_ROOT_VSPACE, 0, 0);
	(void)sel4_tcb_set_sched_params(tcb, ABI_ROOT_TCB, sc, 0, 255, 255);
	(void)sel4_sched_context_consumed(sc, &used);
	clear();
}

/* The end, for tests/latency/run: PSCI SYSTEM_OFF. */
static void switch_off(void)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0x84000008 };

	for (unsigned i = SEL4_MSG_REGS; i < 8; i++)
		sel4_ipcbuf->msg[i] = 0;
	(void)sel4_invoke(ABI_ROOT_SMC, ABI_INV_ARM_SMC_CALL, 0, 8, mr);
}

int main(void)
{
	const struct abi_bootinfo *info = rt_bootinfo();
	cap_t big = 0;

	for (uint64_t i = 0; i < info->untyped.end - info->untyped.start && !big; i++)
		if (!info->untyped_list[i].is_device && info->untyped_list[i].size_bits > POOL_BITS)
			big = info->untyped.start + i;
	pool = info->empty.start;
	next_slot = pool + 8;
	(void)sel4_untyped_retype(big, CNODE, ABI_OBJ_UNTYPED, POOL_BITS, 0, 0, pool, 1);
	retypes();
	deletions();
	cache_maintenance();
	queues();
	asids();
	refills();
	switch_off();
	for (;;)
		sel4_yield();
}
