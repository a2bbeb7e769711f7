#include "trace.h"

#include "machine.h"
#include "self.h"
#include "vm.h"

#include <abi/ext.h>
#include <abi/trace.h>
#include <selvage/base.h>
#include <selvage/clock.h>
#include <selvage/fmt.h>
#include <selvage/vmm_info.h>
#include <string.h>

typedef unsigned long long ull;

/* Those of the ring that can be read: the last ones. */
#define TRACE_EVENTS 16384u
#define TRACE_A_REQUEST 2048u
#define EVENTS_A_LINE 8u
#define VM_EVENTS 64u

/* Numbers of threads in the ring. */
#define THREAD_OF(number, thread) (((number) + 1u) << 8 | (thread))
#define GUEST_THREAD 0x40u

static struct {
	cap_t frame; /* 0: never asked for; kept for the next time */
	const struct abi_trace_ring *ring;
	bool on;
	uint64_t since; /* it began */
	unsigned n_vm;
	struct {
		uint64_t time;
		const char *what;
		char vm[SYSDESC_NAME];
	} vm[VM_EVENTS];
} trace;

static void number_thread(cap_t tcb, unsigned id)
{
	if (tcb != 0)
		(void)sel4_ext_tcb_set_trace_id(tcb, id);
}

void trace_process(const struct process *p)
{
	if (!trace.on)
		return;
	for (unsigned i = 0; i < PROCESS_THREADS; i++)
		number_thread(p->tcb[i], THREAD_OF(p->number, i));
	for (unsigned i = 0; p->kind == PROC_VMM && i < SYSDESC_MAX_VCPUS; i++)
		if (p->vcpu[i] != 0)
			number_thread(p->time[1 + i].tcb[0],
				      THREAD_OF(p->number, GUEST_THREAD | i));
}

void trace_vm(const char *vm, const char *what)
{
	if (!trace.on || trace.n_vm == VM_EVENTS)
		return;
	trace.vm[trace.n_vm].time = clock_now();
	trace.vm[trace.n_vm].what = what;
	fmt_print(trace.vm[trace.n_vm].vm, SYSDESC_NAME, "%s", vm);
	trace.n_vm++;
}

void trace_monitor(unsigned vm)
{
	if (trace.on)
		vm_watch(vm, VMM_WATCH_TRACE, true);
}

static void trace_monitors(bool on)
{
	for (unsigned i = 0; i < SYSDESC_MAX_VMS; i++)
		vm_watch(i, VMM_WATCH_TRACE, on);
}

static bool take_frame(void)
{
	void *at;

	if (trace.frame != 0)
		return true;
	trace.frame = mem_object_sized(&init_arena, ABI_OBJ_LARGE_PAGE, ABI_LARGE_PAGE_BITS);
	at = trace.frame == 0 ? NULL : self_reserve(1u << ABI_LARGE_PAGE_BITS, ABI_LARGE_PAGE_BITS);
	if (at == NULL || !self_map(at, ABI_LARGE_PAGE_BITS, &trace.frame, 1, MAP_RO, MAP_DATA))
		return false;
	trace.ring = at;
	return true;
}

static const char *start(void)
{
	if (!(sel4_ext_query(ABI_ROOT_TCB) & ABI_EXTF_TRACE))
		return "this kernel has no trace";
	if (!take_frame() || trace.ring == NULL)
		return "out of memory";
	trace.on = true;
	trace.since = clock_now();
	trace.n_vm = 0;
	trace_monitors(true);
	number_thread(ABI_ROOT_TCB, THREAD_OF(0, 0));
	for (unsigned i = 1; i < PROCESS_MAX; i++)
		if (processes[i].state == PROCESS_RUNNING)
			trace_process(&processes[i]);
	if (sel4_ext_sched_control_set_trace(init_sched_control, trace.frame) == ABI_OK)
		return NULL;
	trace.on = false;
	trace_monitors(false);
	return "the kernel refused";
}

static const char *stop(void)
{
	trace.on = false;
	trace_monitors(false);
	return sel4_ext_sched_control_set_trace(init_sched_control, 0) == ABI_OK
		       ? NULL
		       : "the kernel refused";
}

/* Who began the one under way may have gone: it begins anew. */
const char *trace_switch(uint64_t on)
{
	const char *wrong = NULL;

	if (on > 1)
		return "1 begins a trace, 0 ends it";
	if (trace.on)
		wrong = stop();
	else if (on == 0)
		return "no trace is under way";
	return on == 1 && wrong == NULL ? start() : wrong;
}

/* How many events can be read, and which of all is the first of them. */
static uint64_t readable(uint64_t *first)
{
	uint64_t written = trace.ring == NULL || trace.on ? 0 : trace.ring->written;
	uint64_t n = min_u64(min_u64(written, TRACE_EVENTS), trace.ring ? trace.ring->slots : 0);

	*first = written - n;
	return n;
}

static void thread_line(const struct process *p, unsigned i, char *text, size_t size)
{
	bool guest = i >= PROCESS_THREADS;
	unsigned thread = guest ? i - PROCESS_THREADS : i;
	const char *kind = guest ? "vCPU" : i == 0 ? "main"
						   : "thread";

	if (p->state != PROCESS_RUNNING ||
	    (guest ? p->kind != PROC_VMM || p->vcpu[thread] == 0 : p->tcb[i] == 0))
		return;
	fmt_print(text, size, "{\"thread\":%u,\"pid\":%u,\"process\":\"%s\",\"name\":\"%s %u\"}",
		  THREAD_OF(p->number, guest ? GUEST_THREAD | thread : thread), p->number + 1u,
		  p->name, kind, thread);
}

#define THREAD_LINES (PROCESS_MAX * (PROCESS_THREADS + SYSDESC_MAX_VCPUS))

static void monitor_line(unsigned vm, unsigned n, char *text, size_t size)
{
	struct vmm_trace_event e;

	if (!trace.on && vm_traced(vm, n, trace.since, &e))
		fmt_print(text, size, "{\"time\":%llu,\"pid\":%u,\"event\":%u,\"detail\":%u}",
			  (ull)e.time, vm_process(vm)->number + 1u, e.what, e.detail);
}

#define MONITOR_LINES (SYSDESC_MAX_VMS * VMM_TRACE_EVENTS)

/* What there is beside the events; false: n is beyond. */
static bool preface(unsigned n, char *text, size_t size)
{
	uint64_t first, count = readable(&first);

	if (n == 0) {
		fmt_print(text, size,
			  "{\"hz\":%llu,\"events\":%llu,\"lost\":%llu,\"exits\":\"%s\"}",
			  (ull)clock_hz(), (ull)count, (ull)first, machine_exit_codes());
		return true;
	}
	n -= 1;
	if (n < THREAD_LINES) {
		thread_line(&processes[n / (PROCESS_THREADS + SYSDESC_MAX_VCPUS)],
			    n % (PROCESS_THREADS + SYSDESC_MAX_VCPUS), text, size);
		return true;
	}
	n -= THREAD_LINES;
	if (n < MONITOR_LINES) {
		monitor_line(n / VMM_TRACE_EVENTS, n % VMM_TRACE_EVENTS, text, size);
		return true;
	}
	n -= MONITOR_LINES;
	if (n < trace.n_vm)
		fmt_print(text, size, "{\"time\":%llu,\"vm\":\"%s\",\"what\":\"%s\"}",
			  (ull)trace.vm[n].time, trace.vm[n].vm, trace.vm[n].what);
	return n < trace.n_vm;
}

bool trace_events(const struct control_subject *s, unsigned n, char *text, size_t size)
{
	const unsigned before = s->number == 0 ? 1 + THREAD_LINES + MONITOR_LINES + trace.n_vm : 0;
	uint64_t first, count = readable(&first), at, end;
	size_t used;

	if (n < before)
		return preface(n, text, size);
	at = s->number + (uint64_t)(n - before) * EVENTS_A_LINE;
	end = min_u64(min_u64(count, s->number + TRACE_A_REQUEST), at + EVENTS_A_LINE);
	if (at >= end)
		return false;
	used = fmt_print(text, size, "{\"at\":%llu,\"e\":\"", (ull)at);
	for (; at < end; at++) {
		const struct abi_trace_event *e =
			&trace.ring->event[(first + at) % trace.ring->slots];

		used += fmt_print(text + used, size - used, "%llx %x %llx %x %llx;", (ull)e->time,
				  e->kind, (ull)e->thread, (unsigned)e->detail, (ull)e->pc);
	}
	(void)fmt_print(text + used, size - used, "\"}");
	return true;
}
