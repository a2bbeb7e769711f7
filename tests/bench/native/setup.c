/* Output, objects and helper threads of the native benchmarks. */
#include "bench.h"

#include <selvage/fmt.h>
#include <selvage/procinfo.h>
#include <selvage/rt.h>

#define STACK_BYTES 8192u

cap_t pool, other_vspace;
uint64_t samples[ROUNDS];
static cap_t next_slot;

static _Alignas(PAGE) struct {
	char bytes[STACK_BYTES];
} stacks[HELPERS];
static _Alignas(PAGE) struct {
	struct abi_ipcbuf buffer;
	char pad[PAGE - sizeof(struct abi_ipcbuf)];
} buffers[HELPERS];

/* --- output --- */

void must(int error, const char *what)
{
	char text[100];

	if (error == ABI_OK)
		return;
	fmt_print(text, sizeof(text), "bench: error: %s: %d\n", what, error);
	put_string(text);
	rt_panic(what);
}
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

void report(const char *row, unsigned n)
{
	char text[100];

	sort(samples, n);
	fmt_print(text, sizeof(text), "bench " BENCH_PREFIX "%s %lu %lu %lu\n", row,
		  (unsigned long)samples[0], (unsigned long)samples[n / 2],
		  (unsigned long)samples[n - 1]);
	put_string(text);
}

/* --- objects --- */

cap_t slots(unsigned n)
{
	cap_t s = next_slot;

	next_slot += n;
	return s;
}

cap_t make(cap_t from, enum abi_object type, unsigned size_bits)
{
	cap_t s = slots(1);

	MUST(sel4_untyped_retype(from, ABI_ROOT_CNODE, type, size_bits, 0, 0, s, 1));
	return s;
}

cap_t copy_of(cap_t cap)
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

cap_t make_untyped(unsigned size_bits)
{
	const struct abi_bootinfo *info = rt_bootinfo();
	cap_t s = slots(1);

	for (uint64_t i = 0; i < info->untyped.end - info->untyped.start; i++) {
		const struct abi_untyped_desc *u = &info->untyped_list[i];

		if (!u->is_device && u->size_bits > size_bits &&
		    sel4_untyped_retype(info->untyped.start + i, ABI_ROOT_CNODE, ABI_OBJ_UNTYPED,
					size_bits, 0, 0, s, 1) == ABI_OK)
			return s;
	}
	must(ABI_NOT_ENOUGH_MEMORY, "untyped memory");
	return 0;
}

cap_t make_sched_context(void)
{
	cap_t sc = make(pool, ABI_OBJ_SCHED_CONTEXT, 8);

	MUST(sel4_sched_control_configure(rt_bootinfo()->sched_control.start, sc, BUDGET_US,
					  BUDGET_US, 0, 0, 0));
	return sc;
}

void start(unsigned index, void (*entry)(void *), bool passive)
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

void set_up(void)
{
	next_slot = rt_bootinfo()->empty.start;
	pool = make_untyped(POOL_BITS);
	make_other_vspace();
	console_open();
}
