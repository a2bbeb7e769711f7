/*
 * That each invariant of the debug build can be broken, and is then named: a
 * small system in good order, damaged in one place, and the panic's text.
 */
#include "mock_arch/mock_arch.h"
#include "unit.h"

#include <kernel/boot.h>
#include <kernel/debug.h>
#include <kernel/notification.h>
#include <kernel/reply.h>
#include <stdio.h>
#include <string.h>

#define RADIX 6
#define SLOTS (1u << RADIX)
#define POOL_BITS 16
#define ARENA_BYTES (1u << 18)

/* Threads: what each does. */
enum { MAIN, /* current */
       READY,
       READY2,
       PARKED,
       PARKED2,
       SENDER,
       SENDER2,
       RECEIVER,
       WAITER,
       CALLER, /* waits for a reply of the callee, on whose call stack */
       CALLEE,
       IDLE, /* inactive, bound to a notification */
       THREADS };
enum { S_NULL,
       S_CNODE,
       S_POOL,
       S_TCB, /* THREADS of them */
       S_SC = S_TCB + THREADS,
       S_EP = S_SC + THREADS,
       S_EP2,
       S_NTFN,
       S_NTFN2,
       S_REPLY,
       S_REPLY2,
       S_COPY,
       S_UNTYPED,
       S_CHILD,
       S_CHILD2,
       S_FREE };

static char *arena;
static struct slot *root;
static struct tcb *thread[THREADS];
static struct sched_context *sc[THREADS];
static struct endpoint *ep, *ep2;
static struct notification *ntfn, *ntfn2;
static struct reply *reply, *reply2;

static char said[2048];
static unsigned said_bytes;
static jmp_buf back;

static void keep(char c)
{
	if (said_bytes < sizeof(said) - 1)
		said[said_bytes++] = c;
}

static void halted(void) { longjmp(back, 1); }

/* --- the system --- */

static void *take(size_t *used, unsigned bits)
{
	size_t size = 1ull << bits;
	void *p;

	*used = (*used + size - 1) & ~(size - 1);
	p = arena + *used;
	*used += size;
	return p;
}

static void make_thread(size_t *used, unsigned i)
{
	thread[i] = take(used, ABI_TCB_BITS);
	sc[i] = take(used, 8);
	slot_set_root(&root[S_TCB + i], cap_tcb(thread[i]));
	slot_set_root(&root[S_SC + i], cap_sched_context(sc[i], 8));
	boot_sched_context(sc[i], 8, 1000);
	boot_bind(thread[i], sc[i], (prio_t)(i == MAIN ? 200 : 100), 255);
}

static void make_objects(size_t *used)
{
	ep = take(used, 4);
	ep2 = take(used, 4);
	ntfn = take(used, 6);
	ntfn2 = take(used, 6);
	reply = take(used, 5);
	reply2 = take(used, 5);
	slot_set_root(&root[S_EP], cap_endpoint(ep));
	slot_set_root(&root[S_EP2], cap_endpoint(ep2));
	slot_set_root(&root[S_NTFN], cap_notification(ntfn));
	slot_set_root(&root[S_NTFN2], cap_notification(ntfn2));
	slot_set_root(&root[S_REPLY], cap_reply(reply));
	slot_set_root(&root[S_REPLY2], cap_reply(reply2));
	slot_insert_copy(&root[S_COPY], cap_endpoint(ep), &root[S_EP]);
}

static void make_untypeds(size_t *used)
{
	paddr_t pool = ptr_to_paddr(take(used, POOL_BITS));

	slot_set_root(&root[S_POOL], cap_untyped(pool, POOL_BITS, false, 0x4000));
	slot_insert_child(&root[S_UNTYPED], cap_untyped(pool, 12, false, 0x40), &root[S_POOL]);
	slot_insert_child(&root[S_CHILD], cap_endpoint(paddr_to_ptr(pool)), &root[S_UNTYPED]);
	slot_insert_child(&root[S_CHILD2], cap_endpoint(paddr_to_ptr(pool + 16)),
			  &root[S_UNTYPED]);
}

static void park(unsigned i, ticks_t due)
{
	sc[i]->period = 100000;
	refill_head(sc[i])->time = due;
	sched_park(thread[i]);
}

static void block_threads(void)
{
	ep_send(cap_endpoint(ep), thread[SENDER], true, false, false);
	ep_send(cap_endpoint(ep), thread[SENDER2], true, false, false);
	ep_receive(ep2, thread[RECEIVER], reply2, true);
	ntfn_receive(ntfn, thread[WAITER], true);
	sc_unbind_tcb(sc[CALLEE]);
	reply_push(reply, thread[CALLER], thread[CALLEE], true);
	thread[IDLE]->state = THREAD_INACTIVE;
	ntfn_bind_tcb(ntfn2, thread[IDLE]);
	ntfn2->sc = sc[CALLEE];
	sc[CALLEE]->ntfn = ntfn2;
}

static void boot(void)
{
	size_t used = 0;

	memset(arena, 0, ARENA_BYTES);
	memset(this_cpu(), 0, sizeof(*this_cpu()));
	invariants_reset();
	cpu_init();
	root = take(&used, RADIX + ABI_SLOT_BITS);
	slot_set_root(&root[S_CNODE], cap_cnode(root, RADIX, 64 - RADIX, 0));
	for (unsigned i = 0; i < THREADS; i++)
		make_thread(&used, i);
	make_objects(&used);
	make_untypeds(&used);
	slot_insert_copy(&thread[MAIN]->slots[TCB_CSPACE], root[S_CNODE].cap, &root[S_CNODE]);
	block_threads();
	park(PARKED, mock_time + 50000);
	park(PARKED2, mock_time + 60000);
	sched_wake(thread[READY]);
	sched_wake(thread[READY2]);
	sched_wake(thread[CALLEE]);
	sched_wake(thread[MAIN]);
	sched_finish();
	assert_ptr_equal(this_cpu()->current, thread[MAIN]);
}

/* --- damage --- */

static struct cpu *cpu(void) { return this_cpu(); }

/* Takes a thread out of sight of all but the queues. */
static void hide(unsigned i) { root[S_TCB + i] = (struct slot){ 0 }; }

static void copy_to(struct slot *s) { slot_insert_copy(s, root[S_EP2].cap, &root[S_EP2]); }

#define DAMAGE(name, ...)      \
	static void name(void) \
	{                      \
		__VA_ARGS__;   \
	}
DAMAGE(word_bit, cpu()->ready[0].words ^= 4)
DAMAGE(map_bit, cpu()->ready[0].map[0] |= 1; cpu()->ready[0].words |= 1)
DAMAGE(no_map_bit, cpu()->ready[0].map[1] &= ~(1ull << 36); cpu()->ready[0].words &= ~2ull;
       cpu()->ready[0].top = -1)
DAMAGE(ready_unmarked, thread[READY]->queue = QUEUE_NONE)
DAMAGE(ready_priority, thread[READY2]->priority++)
DAMAGE(ready_blocked, thread[READY]->state = THREAD_ON_REPLY)
DAMAGE(ready_current, cpu()->current = thread[READY])
DAMAGE(ready_no_sc, thread[READY]->sc = NULL)
DAMAGE(ready_no_budget, refill_head(sc[READY])->amount = 1)
DAMAGE(ready_ring, thread[READY2]->sched_next = thread[READY])
DAMAGE(ready_back, thread[READY2]->sched_prev = NULL)
DAMAGE(ready_tail, cpu()->ready[0].list[100].tail = thread[READY])
DAMAGE(release_mark, thread[PARKED]->queue = QUEUE_READY)
DAMAGE(release_back, thread[PARKED2]->sched_prev = NULL)
DAMAGE(release_blocked, thread[PARKED]->state = THREAD_INACTIVE)
DAMAGE(release_no_sc, sc[PARKED]->tcb = NULL)
DAMAGE(release_due, refill_head(sc[PARKED])->time = cpu()->now)
DAMAGE(release_order, refill_head(sc[PARKED])->time += 20000)
DAMAGE(left_candidate, cpu()->candidate = thread[READY])
DAMAGE(left_timer, cpu()->timer_dirty = true)
DAMAGE(idle_work, cpu()->current = NULL; cpu()->sc = NULL)
DAMAGE(current_state, thread[MAIN]->state = THREAD_RESTART)
DAMAGE(current_queue, thread[MAIN]->queue = QUEUE_RELEASE)
DAMAGE(current_sc, cpu()->sc = sc[READY])
DAMAGE(current_fault, thread[MAIN]->fault.kind = ABI_FAULT_VM)
DAMAGE(top, cpu()->ready[0].top = 101)
DAMAGE(quiet_budget, cpu()->quiet_until += 10000)
DAMAGE(quiet_release, cpu()->quiet_until = refill_head(sc[PARKED])->time;
       refill_head(sc[MAIN])->amount = 100000000)
DAMAGE(buffer, thread[IDLE]->buffer = (struct abi_ipcbuf *)arena)
DAMAGE(cnode_flat, root[S_CNODE].cap.w0 ^= 1ull << 49)
DAMAGE(current_low, thread[MAIN]->priority = 99)
DAMAGE(current_config, sc[MAIN]->refill_max = 0)

DAMAGE(refill_count, sc[IDLE]->count = 3)
DAMAGE(refill_index, sc[IDLE]->head = 2)
DAMAGE(refill_small, refill_head(sc[IDLE])->amount = 1)
DAMAGE(refill_rr, sc[IDLE]->count = 2)
DAMAGE(refill_sum, sc[PARKED]->budget++)
DAMAGE(refill_order, sc[PARKED]->count = 2; sc[PARKED]->refill[1] = *refill_head(sc[PARKED]))
DAMAGE(refill_room, sc[IDLE]->refill_max = 1000)

DAMAGE(context_thread, thread[IDLE]->sc = NULL)
DAMAGE(context_thread2, sc[IDLE]->tcb = NULL)
DAMAGE(context_ntfn, ntfn2->sc = NULL)
DAMAGE(context_ntfn2, sc[CALLEE]->ntfn = NULL)
DAMAGE(context_yield, sc[IDLE]->yield_from = thread[MAIN])
DAMAGE(context_stack, reply->next = 0)
DAMAGE(context_stack2, sc[CALLER]->reply = NULL)

DAMAGE(tcb_state, thread[IDLE]->state = 9)
DAMAGE(tcb_queue_value, thread[IDLE]->queue = 3)
DAMAGE(tcb_slot_type, copy_to(&thread[IDLE]->slots[TCB_VSPACE]))
DAMAGE(tcb_for_nothing, thread[SENDER]->blocked_on = NULL)
DAMAGE(tcb_endpoint, thread[SENDER]->blocked_on = ep2)
DAMAGE(tcb_ntfn, ntfn->state = NTFN_IDLE)
DAMAGE(tcb_reply, thread[IDLE]->reply = reply)
DAMAGE(tcb_reply2, thread[CALLER]->reply = reply2)
DAMAGE(tcb_no_reply, thread[CALLER]->reply = NULL)
DAMAGE(tcb_fault, thread[IDLE]->fault.kind = ABI_FAULT_VM)
DAMAGE(tcb_yield, thread[IDLE]->yield_to = sc[READY])
DAMAGE(tcb_bound, thread[IDLE]->bound_ntfn = ntfn)
DAMAGE(tcb_forgotten, thread[IDLE]->state = THREAD_RUNNING)
DAMAGE(tcb_queued, thread[IDLE]->queue = QUEUE_READY)
DAMAGE(tcb_not_queued, thread[IDLE]->queue = QUEUE_RELEASE; thread[IDLE]->state = THREAD_RUNNING)

DAMAGE(tcb_link_forth, thread[SENDER]->ipc_next = thread[MAIN])
DAMAGE(tcb_link_back, hide(SENDER); thread[SENDER2]->ipc_prev = thread[MAIN])
DAMAGE(tcb_head, thread[SENDER2]->ipc_prev = NULL; thread[SENDER]->ipc_next = NULL)
DAMAGE(tcb_tail, ep->tail = thread[SENDER])
DAMAGE(tcb_ntfn_tail, ntfn->tail = NULL)
DAMAGE(tcb_ntfn_head, ntfn->head = thread[MAIN])
DAMAGE(reply_waits, hide(CALLER); thread[CALLER]->state = THREAD_RUNNING)
DAMAGE(reply_newer, hide(CALLER); reply->next = (word_t)(uintptr_t)reply2;
       sc[CALLER]->reply = NULL)
DAMAGE(wait_ring, hide(SENDER), hide(SENDER2); thread[SENDER2]->ipc_next = thread[SENDER])
DAMAGE(wait_back, hide(SENDER), hide(SENDER2); thread[SENDER2]->ipc_prev = NULL)
DAMAGE(wait_state, hide(SENDER2); thread[SENDER2]->state = THREAD_INACTIVE)
DAMAGE(wait_here, hide(SENDER2); thread[SENDER2]->blocked_on = ep2)
DAMAGE(wait_priority, thread[SENDER2]->priority = 150)
DAMAGE(wait_tail, hide(SENDER), hide(SENDER2); ep->tail = thread[SENDER])
DAMAGE(ep_state_bad, hide(SENDER), hide(SENDER2); ep->head_state |= 3)
DAMAGE(ep_state_idle, hide(SENDER), hide(SENDER2); ep->head_state &= ~3ull)
DAMAGE(ep_empty, hide(RECEIVER); ep2->head_state = 2)
DAMAGE(ntfn_state, ntfn2->state = 3)
DAMAGE(ntfn_waiting, ntfn2->state = NTFN_WAITING)
DAMAGE(ntfn_bound, hide(IDLE); ntfn2->bound_tcb = thread[MAIN])
DAMAGE(reply_tcb, hide(RECEIVER); reply2->tcb = thread[IDLE])
DAMAGE(reply_stack, reply2->next = (word_t)(uintptr_t)reply)
DAMAGE(reply_prev, reply->prev = reply2)

DAMAGE(slot_dirty, root[S_FREE].cap.w1 = 1)
DAMAGE(slot_type, root[S_COPY].cap.w0 |= 31ull << 44)
DAMAGE(slot_forth, root[S_EP].next = SLOT_ORIGINAL)
DAMAGE(slot_back, root[S_COPY].prev = (word_t)(uintptr_t)&root[S_EP2])
DAMAGE(slot_ring, root[S_COPY].next = (word_t)(uintptr_t)&root[S_EP];
       root[S_EP].prev = (word_t)(uintptr_t)&root[S_COPY])
DAMAGE(slot_hole, root[S_COPY].cap = cap_null())
DAMAGE(slot_apart, slot_set_root(&root[S_FREE], cap_endpoint(ep)))
DAMAGE(slot_overlap, root[S_CHILD].cap = cap_notification(cap_object(root[S_CHILD].cap)))
DAMAGE(slot_beyond, root[S_UNTYPED].cap.w1 = 16)
DAMAGE(slot_unaligned, root[S_CHILD].cap.w0 += 8)
DAMAGE(slot_parent, root[S_UNTYPED].next &= ~SLOT_ORIGINAL)
DAMAGE(untyped_bits, root[S_UNTYPED].cap = cap_untyped(cap_addr(root[S_UNTYPED].cap), 60, false, 0))
DAMAGE(untyped_free, root[S_UNTYPED].cap.w1 = 0x1001)
DAMAGE(cnode_radix, root[S_CNODE].cap.w0 &= ~(63ull << 50))
DAMAGE(cnode_guard, root[S_CNODE].cap.w1 = ~0ull)
DAMAGE(sc_bits, root[S_SC].cap.w0 &= ~(63ull << 49))

static const struct {
	const char *says;
	void (*damage)(void);
} cases[] = {
	{ "ready queue: bitmap of words", word_bit },
	{ "ready queue: bitmap", map_bit },
	{ "ready queue: bitmap", no_map_bit },
	{ "ready queue: thread marked", ready_unmarked },
	{ "ready queue: priority", ready_priority },
	{ "ready queue: runnable", ready_blocked },
	{ "ready queue: not current", ready_current },
	{ "ready queue: has a context", ready_no_sc },
	{ "ready queue: has budget", ready_no_budget },
	{ "ready queue: link back", ready_ring },
	{ "ready queue: link back", ready_back },
	{ "ready queue: tail", ready_tail },
	{ "release queue: thread marked", release_mark },
	{ "release queue: link back", release_back },
	{ "release queue: runnable", release_blocked },
	{ "release queue: has a context", release_no_sc },
	{ "release queue: not due", release_due },
	{ "release queue: by time", release_order },
	{ "ready queue: not current", left_candidate },
	{ "scheduler: nothing left to do", left_timer },
	{ "scheduler: idle without work", idle_work },
	{ "current: running", current_state },
	{ "current: in no queue", current_queue },
	{ "current: on its context", current_sc },
	{ "current: no fault", current_fault },
	{ "ready queue: best priority", top },
	{ "quiet time: within the budget", quiet_budget },
	{ "quiet time: before the next release", quiet_release },
	{ "thread: IPC buffer", buffer },
	{ "CNode: flat", cnode_flat },
	{ "current: best priority", current_low },
	{ "current: context configured", current_config },
	{ "refills: count", refill_count },
	{ "refills: head index", refill_index },
	{ "refills: head amount", refill_small },
	{ "refills: one of round robin", refill_rr },
	{ "refills: sum", refill_sum },
	{ "refills: in order", refill_order },
	{ "context: refills fit", refill_room },
	{ "context: its thread", context_thread },
	{ "thread: its context", context_thread2 },
	{ "context: its notification", context_ntfn },
	{ "notification: its context", context_ntfn2 },
	{ "context: yielder", context_yield },
	{ "context: call stack", context_stack },
	{ "reply: top of the context's stack", context_stack2 },
	{ "thread: state", tcb_state },
	{ "thread: queue", tcb_queue_value },
	{ "thread: type of a capability", tcb_slot_type },
	{ "waiting thread: for something", tcb_for_nothing },
	{ "waiting thread: state of the endpoint", tcb_endpoint },
	{ "waiting thread: notification waits", tcb_ntfn },
	{ "thread: reply only while waiting", tcb_reply },
	{ "thread: its reply", tcb_reply2 },
	{ "thread: waits for a reply", tcb_no_reply },
	{ "thread: fault only while it is told", tcb_fault },
	{ "thread: yields to", tcb_yield },
	{ "thread: bound notification", tcb_bound },
	{ "thread: runnable but forgotten", tcb_forgotten },
	{ "thread: queued only if runnable", tcb_queued },
	{ "thread: really queued", tcb_not_queued },
	{ "waiting thread: link forth", tcb_link_forth },
	{ "waiting thread: link back", tcb_link_back },
	{ "waiting thread: tail", tcb_head },
	{ "waiting thread: tail", tcb_tail },
	{ "waiting thread: tail", tcb_ntfn_tail },
	{ "waiting thread: head", tcb_ntfn_head },
	{ "reply: its thread waits", reply_waits },
	{ "reply: newer call", reply_newer },
	{ "wait queue: link back", wait_ring },
	{ "wait queue: link back", wait_back },
	{ "wait queue: state of the thread", wait_state },
	{ "wait queue: waits here", wait_here },
	{ "wait queue: by priority", wait_priority },
	{ "wait queue: tail", wait_tail },
	{ "endpoint: state", ep_state_bad },
	{ "endpoint: idle if empty", ep_state_idle },
	{ "endpoint: idle if empty", ep_empty },
	{ "notification: state", ntfn_state },
	{ "notification: waited for", ntfn_waiting },
	{ "notification: bound thread", ntfn_bound },
	{ "reply: its thread", reply_tcb },
	{ "reply: in a stack only with a caller", reply_stack },
	{ "reply: older call", reply_prev },
	{ "slot: empty means zero", slot_dirty },
	{ "capability: type", slot_type },
	{ "derivation: link back", slot_forth },
	{ "derivation: link forth", slot_back },
	{ "derivation: ring", slot_ring },
	{ "derivation: not empty", slot_hole },
	{ "derivation: capabilities to one object stand together", slot_apart },
	{ "derivation: objects do not overlap", slot_overlap },
	{ "derivation: objects do not overlap", slot_beyond },
	{ "capability: alignment of the object", slot_unaligned },
	{ "derivation: parent relation", slot_parent },
	{ "untyped: size", untyped_bits },
	{ "untyped: free offset", untyped_free },
	{ "CNode: radix", cnode_radix },
	{ "CNode: guard", cnode_guard },
	{ "context: size", sc_bits },
};

/* What the check said; "" if it was content. */
static const char *check(void)
{
	memset(said, 0, sizeof(said));
	said_bytes = 0;
	mock_console = keep;
	mock_halt = halted;
	if (setjmp(back) == 0)
		/* The empty queues are looked at in turns. */
		for (unsigned i = 0; i < 20; i++)
			invariants_check();
	mock_console = NULL;
	mock_halt = NULL;
	return said;
}

static void test_good(void **state)
{
	(void)state;
	boot();
	assert_string_equal(check(), "");
}

static void test_each(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char want[100];

		boot();
		(void)check();
		cases[i].damage();
		snprintf(want, sizeof(want), "invariant broken: %s", cases[i].says);
		if (strstr(check(), want))
			continue;
		print_error("case %u: want \"%s\", got \"%s\"\n", i, want, said);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_each),
	};

	arena = mock_memory(ARENA_BYTES);
	invariants_every = 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
