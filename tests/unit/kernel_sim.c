#include "kernel_sim.h"

#include "mock_arch/mock_arch.h"

#include <abi/error.h>
#include <abi/invocation.h>
#include <kernel/boot.h>
#include <kernel/debug.h>
#include <kernel/endpoint.h>
#include <kernel/entry.h>
#include <kernel/ipc.h>
#include <kernel/notification.h>
#include <kernel/panic.h>
#include <kernel/reply.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RADIX 6
#define SLOTS (1u << RADIX)
#define THREADS 5
#define UNTYPED_BITS 16
#define ARENA_BYTES (1u << 19)
#define UNTYPED_SLOT 6

/* Not assert(): in every build, and with what the kernel said last. */
#define CHECK(cond) ((cond) ? (void)0 : panic("%s:%d: %s", __FILE__, __LINE__, #cond))

static char *arena;
static size_t arena_used;
static struct slot *root;
static struct kernel_sim_source *source;
static unsigned rounds_idle;

static unsigned below(unsigned n) { return source->below(source, n); }
static uint64_t any_word(void)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < 4; i++)
		v = v << 16 | below(1u << 16);
	return v;
}

/* The last that the kernel said, shown if it panics. */
static char said[1024];
static unsigned said_at;

static void keep(char c)
{
	said[said_at++ % sizeof(said)] = c;
}

static void halted(void)
{
	for (unsigned i = 0; i < sizeof(said); i++)
		if (said[(said_at + i) % sizeof(said)])
			putchar(said[(said_at + i) % sizeof(said)]);
	fflush(stdout);
}

static void *take(size_t *used, size_t bytes, size_t align)
{
	void *p;

	*used = (*used + align - 1) & ~(align - 1);
	p = arena + *used;
	*used += bytes;
	CHECK(*used <= ARENA_BYTES);
	return p;
}

static struct tcb *new_thread(size_t *used, unsigned i, struct slot *slot)
{
	struct tcb *t = take(used, 1u << ABI_TCB_BITS, 1u << ABI_TCB_BITS);
	struct sched_context *sc = take(used, 256, 256);
	char *frame = take(used, 4096, 4096);

	slot_set_root(slot, cap_tcb(t));
	slot_set_root(slot + THREADS, cap_sched_context(sc, 8));
	slot_set_root(slot + 2 * THREADS, cap_make(CAP_FRAME, ptr_to_paddr(frame), 0, 0));
	slot_insert_copy(&t->slots[TCB_CSPACE], root[1].cap, &root[1]);
	slot_insert_copy(&t->slots[TCB_VSPACE], root[2].cap, &root[2]);
	slot_insert_copy(&t->slots[TCB_IPC_BUFFER], slot[2 * THREADS].cap, slot + 2 * THREADS);
	t->ipc_buffer = 0x1000;
	boot_sched_context(sc, 8, 1000);
	boot_bind(t, sc, (prio_t)(100 + i % 3), 255);
	return t;
}

/* Endpoint, notification or reply object, as boot() placed them. */
static cptr_t ipc_slot(unsigned which)
{
	return 7 + 3 * THREADS + 3 * below(3) + which;
}

/* Slots: 1 CNode, 2 VSpace, 3-5 controls, 6 untyped, then threads, contexts,
 * frames, then endpoints, notifications, replies. */
void kernel_sim_boot(struct kernel_sim_source *from)
{
	size_t used = 0;
	struct slot *s;
	void *memory;

	source = from;
	rounds_idle = 0;
	mock_console = keep;
	mock_halt = halted;
	if (!arena)
		arena = mock_memory(ARENA_BYTES);
	memset(arena, 0, ARENA_BYTES);
	memset(this_cpu(), 0, sizeof(*this_cpu()));
	invariants_reset();
	for (irq_t i = 0; i < ARCH_IRQ_COUNT; i++)
		*irq_release(i) = (struct slot){ 0 };
	cpu_init();
	root = take(&used, SLOTS * sizeof(struct slot), 4096);
	slot_set_root(&root[1], cap_cnode(root, RADIX, 64 - RADIX, 0));
	slot_set_root(&root[2], cap_make(CAP_VSPACE, 0x1000, 0, 1));
	slot_set_root(&root[3], cap_irq_control());
	slot_set_root(&root[4], cap_domain());
	slot_set_root(&root[5], cap_sched_control(0));
	memory = take(&used, 1u << UNTYPED_BITS, 1u << UNTYPED_BITS);
	slot_set_root(&root[6], cap_untyped(ptr_to_paddr(memory), UNTYPED_BITS, false,
					    1u << UNTYPED_BITS));
	s = &root[7 + 3 * THREADS];
	for (unsigned i = 0; i < 3; i++, s += 3) {
		slot_set_root(s, cap_endpoint(take(&used, 16, 16)));
		slot_set_root(s + 1, cap_notification(take(&used, 64, 64)));
		slot_set_root(s + 2, cap_reply(take(&used, 32, 32)));
	}
	for (unsigned i = 0; i < THREADS; i++) {
		struct tcb *t = new_thread(&used, i, &root[7 + i]);
		struct slot *ep = &root[ipc_slot(0)];

		if (i < 3)
			slot_insert_copy(&t->slots[TCB_FAULT_HANDLER], ep->cap, ep);
		if (i < 2)
			slot_insert_copy(&t->slots[TCB_TIMEOUT_HANDLER], ep->cap, ep);
		sched_wake(t);
	}
	arena_used = used;
	sched_finish();
}

static word_t random_word(void)
{
	switch (below(8)) {
	case 0: return any_word();
	case 1: return 64;
	case 2: return 1ull << below(64);
	case 3: return 1000 + below(3000);
	default: return below(SLOTS);
	}
}

static cptr_t random_cptr(void)
{
	return below(50) ? below(SLOTS) : any_word();
}

static void random_registers(struct tcb *t)
{
	struct abi_ipcbuf *buffer = ipc_buffer(t, true);
	word_t label = below(40), length = below(10) ? below(10) : below(128);

	arch_context_set(t, ABI_CTX_X0, random_cptr());
	arch_context_set(t, ABI_CTX_X1, msginfo_make(label, 0, below(4), length));
	arch_context_set(t, ABI_CTX_X6, random_cptr());
	arch_context_set(t, ABI_CTX_X8, random_cptr());
	for (unsigned i = 0; i < 4; i++)
		arch_set_msg_reg(t, i, random_word());
	if (!buffer)
		return;
	for (unsigned i = 4; i < 12; i++)
		buffer->msg[i] = random_word();
	for (unsigned i = 0; i < 3; i++)
		buffer->caps_or_badges[i] = random_cptr();
	buffer->receive_cnode = 1;
	buffer->receive_index = below(SLOTS);
	buffer->receive_depth = 64;
}

/* A system call of a client or server. */
static int64_t likely_ipc(struct tcb *t)
{
	static const signed char numbers[] = {
		ABI_SYS_CALL, ABI_SYS_CALL, ABI_SYS_RECV, ABI_SYS_RECV, ABI_SYS_RECV,
		ABI_SYS_REPLY_RECV, ABI_SYS_REPLY_RECV, ABI_SYS_REPLY_RECV, ABI_SYS_NB_SEND_RECV,
		ABI_SYS_NB_SEND_WAIT, ABI_SYS_SEND, ABI_SYS_NB_SEND, ABI_SYS_WAIT, ABI_SYS_YIELD
	};
	int64_t nr = numbers[below(sizeof(numbers))];

	arch_context_set(t, ABI_CTX_X0, ipc_slot(below(6) == 0));
	arch_context_set(t, ABI_CTX_X1, msginfo_make(below(2), 0, below(6) == 0, below(6)));
	arch_context_set(t, ABI_CTX_X6, ipc_slot(nr == ABI_SYS_NB_SEND_WAIT ? 0 : 2));
	arch_context_set(t, ABI_CTX_X8, ipc_slot(below(3)));
	if (nr == ABI_SYS_SEND && below(2))
		arch_context_set(t, ABI_CTX_X0, ipc_slot(2));
	return nr;
}

/* A method with arguments that have a chance. */
static void likely_method(struct tcb *t)
{
	struct abi_ipcbuf *buffer = ipc_buffer(t, true);
	static const word_t types[] = { ABI_OBJ_UNTYPED, ABI_OBJ_TCB, ABI_OBJ_ENDPOINT,
					ABI_OBJ_NOTIFICATION, ABI_OBJ_CNODE,
					ABI_OBJ_SCHED_CONTEXT, ABI_OBJ_REPLY };
	word_t thread = 7 + below(THREADS), label;

	if (!buffer)
		return;
	switch (below(6)) {
	case 0:
		arch_context_set(t, ABI_CTX_X0, 6);
		arch_context_set(t, ABI_CTX_X1, msginfo_make(ABI_INV_UNTYPED_RETYPE, 0, 1, 6));
		arch_set_msg_reg(t, 0, types[below(7)]);
		arch_set_msg_reg(t, 1, 4 + below(8));
		arch_set_msg_reg(t, 2, 0);
		arch_set_msg_reg(t, 3, 0);
		buffer->msg[4] = below(SLOTS);
		buffer->msg[5] = 1;
		buffer->caps_or_badges[0] = 1;
		break;
	case 1: /* mostly not Revoke and Delete: something is to be left */
		arch_context_set(t, ABI_CTX_X0, 1);
		arch_context_set(t, ABI_CTX_X1,
				 msginfo_make(ABI_INV_CNODE_ROTATE - below(below(4) ? 6 : 8), 0,
					      2, 8));
		arch_set_msg_reg(t, 1, 64);
		arch_set_msg_reg(t, 3, 64);
		buffer->msg[4] = buffer->msg[7] = 64;
		buffer->caps_or_badges[0] = buffer->caps_or_badges[1] = 1;
		break;
	case 2:
		arch_context_set(t, ABI_CTX_X0, thread);
		break;
	case 3: /* a CNode into another */
		arch_context_set(t, ABI_CTX_X0, below(SLOTS));
		arch_context_set(t, ABI_CTX_X1, msginfo_make(ABI_INV_CNODE_MOVE, 0, 1, 4));
		arch_set_msg_reg(t, 0, below(8));
		arch_set_msg_reg(t, 1, 1 + below(6));
		arch_set_msg_reg(t, 3, 64);
		buffer->caps_or_badges[0] = 1;
		break;
	case 4:
		arch_context_set(t, ABI_CTX_X0, 3 + below(2));
		label = below(2) ? ABI_INV_IRQ_CONTROL_GET : ABI_INV_DOMAIN_SET_SET + below(3);
		arch_context_set(t, ABI_CTX_X1, msginfo_make(label, 0, 1, 3));
		arch_set_msg_reg(t, 0, below(64));
		arch_set_msg_reg(t, 2, 64);
		buffer->caps_or_badges[0] = 1;
		break;
	default:
		arch_context_set(t, ABI_CTX_X0, 5);
		arch_context_set(t, ABI_CTX_X1,
				 msginfo_make(ABI_INV_SCHED_CONTROL_CONFIGURE_FLAGS, 0, 1, 5));
		arch_set_msg_reg(t, 0, 20 + below(500));
		arch_set_msg_reg(t, 1, 20 + below(2000));
		arch_set_msg_reg(t, 2, below(6));
		buffer->caps_or_badges[0] = thread + THREADS;
		break;
	}
}

/* Nobody runs: sets the threads going that still can be reached. */
static void revive(void)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		struct tcb *t = cap_object(root[i].cap);
		struct cap c = root[(i + THREADS) % SLOTS].cap;

		if (cap_type(root[i].cap) != CAP_TCB)
			continue;
		if (!t->sc && cap_type(c) == CAP_SCHED_CONTEXT) {
			struct sched_context *sc = cap_object(c);

			if (!sc->tcb)
				sc_bind_tcb(sc, t);
		}
		if (below(4))
			tcb_resume(t);
	}
	sched_finish();
}

/* --- an invocation that fails changes nothing --- */

static char before[ARENA_BYTES];
static struct {
	struct tcb *thread;
	struct abi_ipcbuf *buffer;
} caller;

static void remember(struct tcb *t)
{
	caller.thread = t;
	caller.buffer = ipc_buffer(t, true);
	memcpy(before, arena, arena_used);
}

static bool is_error(const struct tcb *t, word_t pc)
{
	word_t label = msginfo_label(arch_msginfo_reg(t));

	return this_cpu()->current == t && t->arch.pc == pc && label >= ABI_INVALID_ARGUMENT &&
	       label <= ABI_NOT_ENOUGH_MEMORY;
}

static void forget(const void *p, size_t bytes)
{
	if ((uintptr_t)p - (uintptr_t)arena < arena_used)
		memcpy(before + ((uintptr_t)p - (uintptr_t)arena), p, bytes);
}

/* But for the answer, in the caller's registers and buffer. */
static void check_unchanged(void)
{
	forget(&caller.thread->arch, sizeof(caller.thread->arch));
	if (caller.buffer)
		forget(caller.buffer, sizeof(*caller.buffer));
	for (size_t i = 0; memcmp(arena, before, arena_used) != 0; i++)
		if (arena[i] != before[i])
			panic("a failed invocation changed memory: thread %p, at %p, label %lu",
			      (void *)caller.thread, (void *)&arena[i],
			      (unsigned long)msginfo_label(arch_msginfo_reg(caller.thread)));
}

/* A call of an object of the kernel, no time having passed. */
static void call_object(struct tcb *t)
{
	struct lookup_failure f;
	struct slot *s = cnode_lookup(t, arch_cap_reg(t), &f);
	word_t pc = t->arch.pc;
	bool watch = s && cap_type(s->cap) != CAP_ENDPOINT && !slot_is_empty(s) &&
		     mock_time == this_cpu()->now;

	if (watch)
		remember(t);
	arch_set_badge_reg(t, arch_cap_reg(t));
	syscall_handle(t, ABI_SYS_CALL);
	if (watch && is_error(t, pc))
		check_unchanged();
}

/* --- steps --- */

static void idle_step(void)
{
	if (mock_deadline != ~0ull && mock_deadline > mock_time)
		mock_time = mock_deadline;
	rounds_idle++;
	timer_handle();
	irq_handle((irq_t)(32 + below(32)));
	if (rounds_idle % 3 == 0)
		revive();
}

static void act(struct tcb *t)
{
	t->arch.pc += 4;
	t->arch.restart_pc = t->arch.pc - 4;
	random_registers(t);
	if (below(4) == 0)
		likely_method(t);
	switch (below(40)) {
	case 0: fault_current(t, ABI_FAULT_VM, 1, 2, 3); break;
	case 1: timer_handle(); break;
	case 2: irq_handle((irq_t)(32 + below(32))); break;
	case 3: syscall_handle(t, (int64_t)below(3) + 5); break;
	case 4 ... 14:
		if (below(3))
			call_object(t);
		else
			syscall_handle(t, -(int64_t)(1 + below(11)));
		break;
	default: syscall_handle(t, likely_ipc(t)); break;
	}
}

bool kernel_sim_step(void)
{
	/* Mostly none: then what a failed call leaves can be compared. */
	switch (below(30)) {
	case 0: mock_time += below(20000); break;
	case 1 ... 14: mock_time += below(100); break;
	default: break;
	}
	if (this_cpu()->current) {
		rounds_idle = 0;
		act(this_cpu()->current);
	} else {
		idle_step();
	}
	invariants_check();
	return rounds_idle < 20;
}

/* The untyped of the start: nobody's child. */
static struct slot *first_untyped(paddr_t base)
{
	for (unsigned i = 0; i < SLOTS; i++)
		if (cap_type(root[i].cap) == CAP_UNTYPED && cap_addr(root[i].cap) == base &&
		    cap_untyped_bits(root[i].cap) == UNTYPED_BITS && !slot_prev(&root[i]))
			return &root[i];
	return NULL;
}

void kernel_sim_end(void)
{
	paddr_t memory = ptr_to_paddr(arena) + (1u << UNTYPED_BITS), base;
	struct slot *s = first_untyped(memory);
	unsigned bits;

	mock_preempt_every = 0;
	if (!s)
		return;
	CHECK(slot_revoke(s) == ABI_OK);
	for (unsigned i = 0; i < SLOTS; i++)
		if (&root[i] != s && cap_region(root[i].cap, &base, &bits))
			CHECK(base - memory >= 1u << UNTYPED_BITS);
	sched_finish();
	invariants_check();
}
