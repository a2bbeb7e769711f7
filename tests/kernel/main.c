/* Runs the cases of all groups; TAP on the console. */
#include "kt.h"

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

#define UART_VADDR 0x30000000ull
static volatile uint32_t *uart;

volatile uint32_t *kt_uart(void) { return uart; }

static void put_char(char c)
{
	if (uart) {
		while (uart[0x18 / 4] & 0x20)
			;
		uart[0] = (uint8_t)c;
	} else if (SELVAGE_DEBUG) {
		sel4_debug_put_char(c);
	}
}

static void put_string(const char *s)
{
	for (; *s; s++)
		put_char(*s);
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

static uint64_t read_counter(void)
{
	uint64_t v;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0"
			 : "=r"(v));
	return v;
}

static uint64_t counter_hz(void)
{
	uint64_t hz;

	__asm__ volatile("mrs %0, cntfrq_el0"
			 : "=r"(hz));
	return hz;
}

uint64_t kt_ticks(uint64_t us) { return us * counter_hz() / 1000000; }

uint64_t kt_now_us(void)
{
	uint64_t hz = counter_hz(), now = read_counter();

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

/* What asks for more than plain seL4 has, or looks at how it differs. */
static bool has_group(const struct kt_group *g)
{
	if (g == &kt_calls || g == &kt_bad || g == &kt_vcpu || g == &kt_state ||
	    g == &kt_exit_message || g == &kt_extension || g == &kt_direct || g == &kt_hostile ||
	    g == &kt_el0 || g == &kt_expiry)
		return !kt_plain();
	return g != &kt_plain_kernel || kt_plain();
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

static bool covers(const struct abi_untyped_desc *u, uint64_t paddr)
{
	return u->is_device && paddr - u->paddr < 1ull << u->size_bits;
}

/* Maps the board's PL011, so that release kernels report too. The untyped's
 * first page must be the UART's: retypes skip to it as untypeds. */
static void map_uart(cap_t normal)
{
	const struct abi_bootinfo *info = rt_bootinfo();
	const uint64_t paddr = 0x09000000;
	cap_t frame = kt_slot();

	for (uint64_t i = 0; i < info->untyped.end - info->untyped.start; i++) {
		const struct abi_untyped_desc *u = &info->untyped_list[i];
		cap_t from = info->untyped.start + i;

		if (!covers(u, paddr))
			continue;
		uint64_t base = u->paddr;
		for (unsigned bits = u->size_bits; bits-- > 12;) {
			cap_t half = kt_slots(2);

			if (sel4_untyped_retype(from, KT_CNODE, ABI_OBJ_UNTYPED, bits, 0, 0, half,
						2) != ABI_OK)
				return;
			from = half + (paddr - base >= 1ull << bits);
			base += paddr - base >= 1ull << bits ? 1ull << bits : 0;
		}
		if (sel4_untyped_retype(from, KT_CNODE, ABI_OBJ_SMALL_PAGE, 0, 0, 0, frame, 1))
			return;
		/* Missing tables, of whichever levels. */
		for (unsigned level = 0; level < 3; level++) {
			cap_t table = kt_slot();

			if (sel4_page_map(frame, ABI_ROOT_VSPACE, UART_VADDR,
					  ABI_RIGHT_READ | ABI_RIGHT_WRITE,
					  ABI_VM_EXECUTE_NEVER) == ABI_OK)
				break;
			(void)sel4_untyped_retype(normal, KT_CNODE, ABI_OBJ_PAGE_TABLE, 0, 0, 0,
						  table, 1);
			(void)sel4_page_table_map(table, ABI_ROOT_VSPACE, UART_VADDR,
						  ABI_VM_DEFAULT);
		}
		uart = (volatile uint32_t *)UART_VADDR;
		return;
	}
}

/* As seL4 with its export options, until it is closed: a fault here ends all. */
static void use_and_close_el0(void)
{
	uint64_t v;

	if (kt_plain())
		return;
	__asm__ volatile("msr pmcntenset_el0, %0\n\tmrs %0, pmccntr_el0"
			 : "=r"(v)
			 : "0"(1ull << 31));
	__asm__ volatile("msr cntp_cval_el0, %1\n\tmsr cntp_ctl_el0, %2\n\tmrs %0, cntp_cval_el0"
			 : "=r"(v)
			 : "r"(~0ull), "r"(1ull));
	(void)v;
	CHECK_OK(sel4_ext_close_el0(ABI_ROOT_IRQ_CONTROL));
}

static void set_up(void)
{
	cap_t big = find_pool(), pool;

	next_slot = rt_bootinfo()->empty.start;
	map_uart(big);
	put_string("TAP version 13\n");
	use_and_close_el0();
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
	static const struct kt_group *const groups[] = {
		&kt_boot,
		&kt_edges,
		&kt_calls,
		&kt_lookups,
		&kt_bad,
		&kt_syscall,
		&kt_untyped,
		&kt_cnode,
		&kt_deletion,
		&kt_ipc,
		&kt_transfer,
		&kt_notification,
		&kt_reply,
		&kt_fault,
		&kt_answered,
		&kt_tcb,
		&kt_sched,
#if !SELVAGE_DEBUG /* its checks take time */
		&kt_budget,
		&kt_expiry,
#endif
		&kt_donation,
		&kt_irq,
		&kt_domain,
		&kt_memory,
		&kt_vspace,
		&kt_vcpu,
		&kt_state,
		&kt_stopped,
		&kt_exit_message,
		&kt_extension,
		&kt_direct,
		&kt_hostile,
		&kt_el0,
		&kt_corners,
		&kt_fastpath,
		&kt_plain_kernel,
		&kt_benchmark,
	};
	unsigned number = 0, failures = 0;

	set_up();
	for (unsigned i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (has_group(groups[i]))
			run_group(groups[i], &number, &failures);
	print("1..%u\n# %u failed\n", number, failures);
	for (;;)
		(void)sel4_wait(stop_ntfn);
}
