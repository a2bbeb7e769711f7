/* Runs the cases of all groups; TAP on the console. */
#include "kt.h"

#include <selvage/clock.h>
#include <selvage/fmt.h>
#include <selvage/procinfo.h>
#include <string.h>

#define PAGE 4096u
#define STACK_BYTES 8192u

cap_t kt_pool;
static cap_t first_slot, next_slot, stop_ntfn, sleep_ntfn;
static bool failed;

static _Alignas(PAGE) struct {
	char bytes[STACK_BYTES];
} stacks[KT_THREADS + 1];
static _Alignas(PAGE) struct {
	struct abi_ipcbuf buffer;
	char pad[PAGE - sizeof(struct abi_ipcbuf)];
} buffers[KT_THREADS + 1];
static uint64_t registers[KT_THREADS + 1][ABI_CTX_COUNT];

/* --- output --- */

static void put_string(const char *s)
{
	for (; *s; s++)
		kt_console_put(*s);
}

#define print(...)                                            \
	do {                                                  \
		char text_[200];                              \
		fmt_print(text_, sizeof(text_), __VA_ARGS__); \
		put_string(text_);                            \
	} while (0)

void kt_check(bool ok, const char *what, const char *file, int line)
{
	if (ok)
		return;
	failed = true;
	print("# %s:%d: %s\n", file, line, what);
}

void kt_check_eq(uint64_t got, uint64_t want, const char *what, const char *file, int line)
{
	if (got == want)
		return;
	failed = true;
	print("# %s:%d: %s\n#   got %lx, want %lx\n", file, line, what, (unsigned long)got,
	      (unsigned long)want);
}

void kt_check_between(uint64_t got, uint64_t low, uint64_t high, const char *what,
		      const char *file, int line)
{
	if (got >= low && got <= high)
		return;
	failed = true;
	print("# %s:%d: %s\n#   got %lu, want %lu to %lu\n", file, line, what, (unsigned long)got,
	      (unsigned long)low, (unsigned long)high);
}

/* --- objects --- */

cap_t kt_slots(unsigned n)
{
	cap_t s = next_slot;

	next_slot += n;
	return s;
}

cap_t kt_slot(void) { return kt_slots(1); }

cap_t kt_make(enum abi_object type, unsigned size_bits)
{
	cap_t s = kt_slot();

	CHECK_OK(sel4_untyped_retype(kt_pool, KT_CNODE, type, size_bits, 0, 0, s, 1));
	return s;
}

cap_t kt_mint(cap_t src, uint64_t rights, uint64_t badge)
{
	cap_t s = kt_slot();

	CHECK_OK(sel4_cnode_mint(KT_CNODE, s, KT_DEPTH, KT_CNODE, src, KT_DEPTH, rights, badge));
	return s;
}

cap_t kt_copy(cap_t src)
{
	cap_t s = kt_slot();

	CHECK_OK(sel4_cnode_copy(KT_CNODE, s, KT_DEPTH, KT_CNODE, src, KT_DEPTH, KT_ALL));
	return s;
}

int kt_delete(cap_t slot) { return sel4_cnode_delete(KT_CNODE, slot, KT_DEPTH); }
int kt_revoke(cap_t slot) { return sel4_cnode_revoke(KT_CNODE, slot, KT_DEPTH); }

bool kt_is_empty(cap_t slot)
{
	cap_t to = kt_slot();
	int error = sel4_cnode_move(KT_CNODE, to, KT_DEPTH, KT_CNODE, slot, KT_DEPTH);

	if (error == ABI_OK)
		(void)sel4_cnode_move(KT_CNODE, slot, KT_DEPTH, KT_CNODE, to, KT_DEPTH);
	return error == ABI_FAILED_LOOKUP;
}

cap_t kt_device_untyped(void)
{
	const struct abi_bootinfo *info = rt_bootinfo();

	for (uint64_t i = 0; i < info->untyped.end - info->untyped.start; i++)
		if (info->untyped_list[i].is_device && info->untyped_list[i].size_bits >= 13)
			return info->untyped.start + i;
	return 0;
}

cap_t kt_sched_control(void) { return rt_bootinfo()->sched_control.start; }

cap_t kt_image_frame(const void *address)
{
	return rt_bootinfo()->user_image_frames.start +
	       (((uintptr_t)address - PROC_IMAGE_BASE) / PAGE);
}

bool kt_plain(void) { return sel4_ext_query(ABI_ROOT_TCB) == 0; }

uint64_t kt_ticks(uint64_t us) { return us * clock_hz() / 1000000; }

uint64_t kt_now_us(void)
{
	uint64_t hz = clock_hz(), now = clock_now();

	return now / hz * 1000000 + now % hz * 1000000 / hz;
}

/* --- threads --- */

struct kt_thread kt_thread(unsigned index, void (*entry)(void *), void *arg, unsigned prio,
			   cap_t fault_ep, bool with_sc)
{
	struct kt_thread t = { .tcb = kt_make(ABI_OBJ_TCB, 0), .index = index };
	struct abi_ipcbuf *buffer = &buffers[index].buffer;

	if (with_sc) {
		t.sc = kt_make(ABI_OBJ_SCHED_CONTEXT, 8);
		CHECK_OK(sel4_sched_control_configure(kt_sched_control(), t.sc, 5000, 5000, 0,
						      0x5c, 0));
	}
	CHECK_OK(sel4_tcb_configure(t.tcb, KT_CNODE, ABI_ROOT_VSPACE, kt_image_frame(buffer), 0, 0,
				    (uintptr_t)buffer));
	CHECK_OK(sel4_tcb_set_sched_params(t.tcb, ABI_ROOT_TCB, t.sc, fault_ep, 255, prio));
	rt_thread_prepare(registers[index], stacks[index].bytes + STACK_BYTES, buffer, entry, arg);
	CHECK_OK(sel4_tcb_write_registers(t.tcb, 0, ABI_CTX_COUNT, registers[index]));
	return t;
}

struct kt_thread kt_start(unsigned index, void (*entry)(void *), void *arg, unsigned prio)
{
	struct kt_thread t = kt_thread(index, entry, arg, prio, 0, true);

	CHECK_OK(sel4_tcb_resume(t.tcb));
	return t;
}

uint64_t *kt_registers(unsigned index) { return registers[index]; }
struct abi_ipcbuf *kt_buffer(unsigned index) { return &buffers[index].buffer; }

_Noreturn void kt_stop(void)
{
	for (;;)
		(void)sel4_wait(stop_ntfn);
}

/* Above all others, for a short time of each millisecond: wakes the sleeper. */
static volatile uint64_t sleep_until;
static volatile bool ticker_ran;
bool kt_began_highest;

static void ticker_thread(void *arg)
{
	(void)arg;
	ticker_ran = true;
	for (;;) {
		if (sleep_until && kt_now_us() >= sleep_until) {
			sleep_until = 0;
			sel4_signal(sleep_ntfn);
		}
		sel4_yield();
	}
}

static struct kt_thread ticker;

void kt_ticker(bool on)
{
	CHECK_OK(on ? sel4_tcb_resume(ticker.tcb) : sel4_tcb_suspend(ticker.tcb));
}

static void start_ticker(void)
{
	ticker = kt_thread(KT_THREADS, ticker_thread, NULL, KT_TICKER, 0, true);
	CHECK_OK(sel4_sched_control_configure(kt_sched_control(), ticker.sc, 200, 1000, 0, 0, 0));
	kt_ticker(true);
}

void kt_sleep_us(uint64_t us)
{
	sleep_until = kt_now_us() + us;
	(void)sel4_wait(sleep_ntfn);
}

/* --- running --- */

static bool name_case(const struct kt_group *g, unsigned i, char *name)
{
	if (g->run)
		return g->name(i, name, KT_NAME_BYTES);
	fmt_print(name, KT_NAME_BYTES, "%s", g->cases[i].name);
	return true;
}

static void run_group(const struct kt_group *g, unsigned *number, unsigned *failures)
{
	char name[KT_NAME_BYTES];

	for (unsigned i = 0; i < g->count; i++) {
		if (!name_case(g, i, name))
			continue;
		next_slot = first_slot;
		failed = false;
		if (g->run)
			g->run(i);
		else
			g->cases[i].run();
		if (kt_revoke(kt_pool) != ABI_OK)
			failed = true;
		for (cap_t s = first_slot; s < next_slot; s++)
			(void)kt_delete(s);
		print("%sok %u - %s\n", failed ? "not " : "", ++*number, name);
		*failures += failed;
	}
}

static cap_t find_pool(void)
{
	const struct abi_bootinfo *info = rt_bootinfo();

	for (uint64_t i = 0; i < info->untyped.end - info->untyped.start; i++)
		if (!info->untyped_list[i].is_device &&
		    info->untyped_list[i].size_bits >= KT_POOL_BITS + 2)
			return info->untyped.start + i;
	return 0;
}

static void set_up(void)
{
	cap_t big = find_pool(), pool;

	next_slot = rt_bootinfo()->empty.start;
	kt_console_open(big);
	put_string("TAP version 13\n");
	kt_arch_set_up();
	pool = kt_slot();
	CHECK_OK(sel4_untyped_retype(big, KT_CNODE, ABI_OBJ_UNTYPED, KT_POOL_BITS, 0, 0, pool, 1));
	kt_pool = big;
	stop_ntfn = kt_make(ABI_OBJ_NOTIFICATION, 0);
	sleep_ntfn = kt_make(ABI_OBJ_NOTIFICATION, 0);
	start_ticker();
	kt_began_highest = !ticker_ran;
	CHECK_OK(sel4_tcb_set_priority(ABI_ROOT_TCB, ABI_ROOT_TCB, KT_PRIO));
	kt_pool = pool;
	first_slot = next_slot;
}

int main(void)
{
	unsigned number = 0, failures = 0;

	set_up();
	for (unsigned i = 0; i < kt_group_count; i++)
		if (kt_has_group(kt_groups[i]))
			run_group(kt_groups[i], &number, &failures);
	print("1..%u\n# %u failed\n", number, failures);
	for (;;)
		(void)sel4_wait(stop_ntfn);
}
