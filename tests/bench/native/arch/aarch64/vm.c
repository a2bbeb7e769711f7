/*
 * Rows with a guest of one page of code, MMU off, for which this task is the
 * monitor: a page that is not there, and the creation of a virtual machine.
 */
#include "../../bench.h"

#include <abi/ext.h>
#include <abi/regs.h>
#include <selvage/base.h>
#include <selvage/rt.h>
#include <string.h>

#define GUEST_CODE 0x40000000ull
#define GUEST_TIMES 0x40001000ull
#define GUEST_LAZY 0x48000000ull
#define CODE_WINDOW 0x50000000ull
#define TIMES_WINDOW 0x50001000ull
#define NEW_WINDOW 0x50002000ull
#define LAZY_WINDOW 0x58000000ull
#define SPSR_EL1H 0x3c5u
#define RIGHTS (ABI_RIGHT_READ | ABI_RIGHT_WRITE)
#define LINE 64u /* at least what DC ZVA clears on the machines of the benchmarks */

#define FAULT_ROUNDS (1000u + WARM_UP)
#define FRAMES_PER_CALL 170u
#define MAX_TABLES 4u
/* What one VM is made of: see create_vm(). */
#define VM_BITS 16u
#define VM_TABLES (ABI_VSPACE_LEVELS - 1)

extern const char guest_touch[], guest_touch_end[], guest_first[], guest_first_end[];

/* x0 = page, x1 = behind the last, x2 = times. The counter is read as the
 * guest of guests/micro does. */
__asm__(".section .rodata\n"
	"guest_touch:\n"
	"1: mrs x9, cntvct_el0\n"
	"str wzr, [x0]\n"
	"mrs x10, cntvct_el0\n"
	"sub x10, x10, x9\n"
	"str w10, [x2], #4\n"
	"add x0, x0, #4096\n"
	"cmp x0, x1\n"
	"b.ne 1b\n"
	"hvc #0\n"
	"guest_touch_end:\n"
	"guest_first:\n"
	"mrs x0, cntpct_el0\n"
	"hvc #0\n"
	"guest_first_end:\n"
	".previous\n");

#define EC_HVC 0x16u

/* Of an exit message: ESR_EL2.EC. */
static unsigned exit_class(msginfo_t info)
{
	return (unsigned)(msginfo_label(info) >> (ABI_EXIT_SYNDROME_SHIFT + 26)) & 63;
}

struct guest {
	cap_t vspace, tcb, sc, vcpu, fault_ep;
};

/* The page at `window` gets the code, and can be run from uncached memory. */
static void load(cap_t frame, uint64_t window, const char *code, const char *end)
{
	memcpy((void *)(uintptr_t)window, code, (size_t)(end - code));
	MUST(sel4_page_clean_data(frame, 0, PAGE));
	MUST(sel4_page_unify_instruction(frame, 0, PAGE));
}

static void set_up_guest(const struct guest *g)
{
	MUST(sel4_tcb_configure(g->tcb, ABI_ROOT_CNODE, g->vspace, 0, 0, 0, 0));
	MUST(sel4_vcpu_set_tcb(g->vcpu, g->tcb));
	MUST(sel4_ext_vcpu_set_exit_message(g->vcpu, 1));
	MUST(sel4_sched_control_configure(rt_bootinfo()->sched_control.start, g->sc, BUDGET_US,
					  BUDGET_US, 0, 0, 0));
	MUST(sel4_tcb_set_sched_params(g->tcb, ABI_ROOT_TCB, g->sc, g->fault_ep, 255,
				       PRIO_CLIENT - 1));
}

/* It is below the client, so it runs when that waits. */
static void run_guest(const struct guest *g, uint64_t x0, uint64_t x1, uint64_t x2)
{
	uint64_t regs[ABI_CTX_COUNT] = { 0 };

	regs[ABI_CTX_PC] = GUEST_CODE;
	regs[ABI_CTX_SPSR] = SPSR_EL1H;
	regs[ABI_CTX_X0] = x0;
	regs[ABI_CTX_X1] = x1;
	regs[ABI_CTX_X2] = x2;
	MUST(sel4_tcb_write_registers(g->tcb, 1, ABI_CTX_COUNT, regs));
}

/* --- a page that is not there --- */

static struct {
	cap_t vspace, ep, reply, done, frames, tables;
	unsigned next, next_table;
} pager;

/* Zero, also for a guest whose caches are off. */
static void clear_page(uint64_t address)
{
	for (uint64_t a = address; a < address + PAGE; a += 4 * LINE)
		__asm__ volatile("dc zva, %0\n\tdc civac, %0\n\t"
				 "dc zva, %1\n\tdc civac, %1\n\t"
				 "dc zva, %2\n\tdc civac, %2\n\t"
				 "dc zva, %3\n\tdc civac, %3" ::"r"(a),
				 "r"(a + LINE), "r"(a + 2 * LINE), "r"(a + 3 * LINE)
				 : "memory");
	__asm__ volatile("dsb ish" ::
				 : "memory");
}

static void map_for_guest(uint64_t address)
{
	cap_t frame = pager.frames + pager.next;

	clear_page(LAZY_WINDOW + (uint64_t)pager.next++ * PAGE);
	while (sel4_page_map(frame, pager.vspace, address, RIGHTS, ABI_VM_DEFAULT) != ABI_OK) {
		if (pager.next_table == MAX_TABLES)
			rt_panic("pager: page tables");
		MUST(sel4_page_table_map(pager.tables + pager.next_table++, pager.vspace, address,
					 ABI_VM_DEFAULT));
	}
}

/* Serves faults until the guest makes a hypercall. The memory is its own and
 * mapped in its address space; it goes to the guest page by page. */
static void pager_helper(void *arg)
{
	uint64_t badge, mr[SEL4_MSG_REGS] = { 0 };
	msginfo_t info = sel4_recv(pager.ep, &badge, mr, pager.reply);

	(void)arg;
	for (;;) {
		if (exit_class(info) == EC_HVC)
			sel4_signal(pager.done);
		else
			map_for_guest(mr[ABI_EXIT_GPA] & ~(uint64_t)(PAGE - 1));
		info = sel4_reply_recv(pager.ep, msginfo(ABI_EXIT_AGAIN, 0, 0), &badge, mr,
				       pager.reply);
	}
}

/* Frames for the guest, and a second capability of each in the pager's space. */
static void make_lazy_memory(void)
{
	cap_t memory = make_untyped(23);

	pager.frames = slots(FAULT_ROUNDS);
	pager.tables = slots(MAX_TABLES);
	for (unsigned i = 0; i < FAULT_ROUNDS; i += FRAMES_PER_CALL)
		MUST(sel4_untyped_retype(memory, ABI_ROOT_CNODE, ABI_OBJ_SMALL_PAGE, 0, 0, 0,
					 pager.frames + i, FRAMES_PER_CALL));
	MUST(sel4_untyped_retype(pool, ABI_ROOT_CNODE, ABI_OBJ_PAGE_TABLE, 0, 0, 0, pager.tables,
				 MAX_TABLES));
	for (unsigned i = 0; i < FAULT_ROUNDS; i++)
		map_into(other_vspace, copy_of(pager.frames + i), LAZY_WINDOW + i * PAGE,
			 ABI_VM_EXECUTE_NEVER | ABI_VM_DEFAULT);
}
_Static_assert(FAULT_ROUNDS % FRAMES_PER_CALL == 0, "whole calls");

void measure_stage2_fault(void)
{
	cap_t code = make(pool, ABI_OBJ_SMALL_PAGE, 0), times = make(pool, ABI_OBJ_SMALL_PAGE, 0);
	const uint32_t *taken = (const uint32_t *)(uintptr_t)TIMES_WINDOW;
	struct guest g = {
		.vspace = make(pool, ABI_OBJ_VSPACE, 0),
		.tcb = make(pool, ABI_OBJ_TCB, 0),
		.sc = make(pool, ABI_OBJ_SCHED_CONTEXT, 8),
		.vcpu = make(pool, ABI_OBJ_VCPU, 0),
		.fault_ep = make(pool, ABI_OBJ_ENDPOINT, 0),
	};

	pager.vspace = g.vspace;
	pager.ep = g.fault_ep;
	pager.reply = make(pool, ABI_OBJ_REPLY, 0);
	pager.done = make(pool, ABI_OBJ_NOTIFICATION, 0);
	make_lazy_memory();
	MUST(sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, g.vspace));
	map_into(ABI_ROOT_VSPACE, code, CODE_WINDOW, ABI_VM_DEFAULT);
	map_into(ABI_ROOT_VSPACE, times, TIMES_WINDOW, ABI_VM_DEFAULT);
	load(code, CODE_WINDOW, guest_touch, guest_touch_end);
	MUST(sel4_page_clean_invalidate_data(times, 0, PAGE));
	map_into(g.vspace, copy_of(code), GUEST_CODE, ABI_VM_DEFAULT);
	map_into(g.vspace, copy_of(times), GUEST_TIMES, ABI_VM_DEFAULT);
	start(5, pager_helper, true);
	set_up_guest(&g);
	run_guest(&g, GUEST_LAZY, GUEST_LAZY + FAULT_ROUNDS * PAGE, GUEST_TIMES);
	(void)sel4_wait(pager.done);
	MUST(sel4_tcb_suspend(g.tcb));
	if (pager.next != FAULT_ROUNDS)
		rt_panic("pager: faults");
	MUST(sel4_page_invalidate_data(times, 0, PAGE));
	for (unsigned i = 0; i < FAULT_ROUNDS; i++)
		take_sample(i, taken[i]);
	report("stage2_fault", FAULT_ROUNDS - WARM_UP);
}

/* --- a new virtual machine --- */

static cap_t retype(cap_t from, enum abi_object type, unsigned size_bits, cap_t to, unsigned n)
{
	MUST(sel4_untyped_retype(from, ABI_ROOT_CNODE, type, size_bits, 0, 0, to, n));
	return to;
}

/* From untyped memory to the guest's first instruction, with one page of RAM
 * that this task sees as well. Everything in it comes from `memory`, which the
 * kernel clears first. */
static void create_vm(cap_t memory, cap_t first_slot, cap_t fault_ep)
{
	cap_t page = retype(memory, ABI_OBJ_SMALL_PAGE, 0, first_slot, 1);
	cap_t tables = retype(memory, ABI_OBJ_PAGE_TABLE, 0, first_slot + 1, VM_TABLES);
	cap_t window = first_slot + 1 + VM_TABLES;
	struct guest g = {
		.vspace = retype(memory, ABI_OBJ_VSPACE, 0, window + 1, 1),
		.vcpu = retype(memory, ABI_OBJ_VCPU, 0, window + 2, 1),
		.tcb = retype(memory, ABI_OBJ_TCB, 0, window + 3, 1),
		.sc = retype(memory, ABI_OBJ_SCHED_CONTEXT, 8, window + 4, 1),
		.fault_ep = fault_ep,
	};

	MUST(sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, g.vspace));
	for (unsigned i = 0; i < VM_TABLES; i++)
		MUST(sel4_page_table_map(tables + i, g.vspace, GUEST_CODE, ABI_VM_DEFAULT));
	MUST(sel4_cnode_copy(ABI_ROOT_CNODE, window, DEPTH, ABI_ROOT_CNODE, page, DEPTH,
			     ABI_RIGHTS_ALL));
	MUST(sel4_page_map(window, ABI_ROOT_VSPACE, NEW_WINDOW, RIGHTS, ABI_VM_DEFAULT));
	load(window, NEW_WINDOW, guest_first, guest_first_end);
	MUST(sel4_page_map(page, g.vspace, GUEST_CODE, RIGHTS, ABI_VM_DEFAULT));
	set_up_guest(&g);
	run_guest(&g, 0, 0, 0);
}

void measure_vm_create(void)
{
	cap_t memory = make_untyped(VM_BITS), first_slot = slots(6 + VM_TABLES);
	cap_t ep = make(pool, ABI_OBJ_ENDPOINT, 0), reply = make(pool, ABI_OBJ_REPLY, 0);

	uint64_t badge, mr[SEL4_MSG_REGS] = { 0 };

	MEASURE("vm_create", OBJECT_ROUNDS, {
		t0 = now();
		create_vm(memory, first_slot, ep);
		if (exit_class(sel4_recv(ep, &badge, mr, reply)) != EC_HVC)
			rt_panic("a VM's first exit");
		t1 = mr[0]; /* the guest's x0 */
		MUST(sel4_cnode_revoke(ABI_ROOT_CNODE, memory, DEPTH));
	});
}
