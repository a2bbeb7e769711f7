/*
 * Random system calls by whichever thread is current, in a system of a few
 * threads that share one CSpace and may destroy each other and everything
 * else. The invariants of kernel/debug hold after every entry.
 */
#include "mock_arch/mock_arch.h"
#include "random.h"
#include "unit.h"

#include <abi/invocation.h>
#include <kernel/boot.h>
#include <kernel/debug.h>
#include <kernel/endpoint.h>
#include <kernel/entry.h>
#include <kernel/ipc.h>
#include <kernel/notification.h>
#include <kernel/reply.h>
#include <stdio.h>
#include <string.h>

#define RADIX 6
#define SLOTS (1u << RADIX)
#define THREADS 5
#define UNTYPED_BITS 16
#define ROUNDS 300
#define STEPS 3000
#define ARENA_BYTES (1u << 19)

static char *arena;
static struct slot *root;
static struct random rnd;
static unsigned rounds_idle;

static unsigned below(unsigned n) { return random_below(&rnd, n); }

static void *take(size_t *used, size_t bytes, size_t align)
{
	void *p;

	*used = (*used + align - 1) & ~(align - 1);
	p = arena + *used;
	*used += bytes;
	assert_true(*used <= ARENA_BYTES);
	return p;
}

static struct tcb *new_thread(size_t *used, unsigned i, struct slot *slot)
{
	struct tcb *t = take(used, 1u << ABI_TCB_BITS, 1u << ABI_TCB_BITS);
	struct sched_context *sc = take(used, 256, 256);
	char *frame = take(used, 4096, 4096);

	tcb_init(t);
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
static void boot(void)
{
	size_t used = 0;
	struct slot *s;
	void *memory;

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
	sched_finish();
}

static word_t random_word(void)
{
	switch (below(8)) {
	case 0: return random_u64(&rnd);
	case 1: return 64;
	case 2: return 1ull << below(64);
	case 3: return 1000 + below(3000);
	default: return below(SLOTS);
	}
}

static cptr_t random_cptr(void)
{
	return below(50) ? below(SLOTS) : random_u64(&rnd);
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

static void step(void)
{
	struct tcb *t = this_cpu()->current;
	struct fault f = { ABI_FAULT_VM, { 1, 2, 3 } };

	mock_time += below(30) ? below(100) : below(20000);
	if (!t) {
		if (mock_deadline != ~0ull && mock_deadline > mock_time)
			mock_time = mock_deadline;
		rounds_idle++;
		timer_handle();
		irq_handle((irq_t)(32 + below(32)));
		if (rounds_idle % 3 == 0)
			revive();
		return;
	}
	rounds_idle = 0;
	t->arch.pc += 4;
	t->arch.restart_pc = t->arch.pc - 4;
	random_registers(t);
	if (below(4) == 0)
		likely_method(t);
	switch (below(40)) {
	case 0:
		fault_current(this_cpu()->current, f.kind, f.word[0], f.word[1], f.word[2]);
		break;
	case 1:
		timer_handle();
		break;
	case 2:
		irq_handle((irq_t)(32 + below(32)));
		break;
	case 3:
		syscall_handle(this_cpu()->current, (int64_t)below(3) + 5);
		break;
	case 4 ... 14:
		syscall_handle(this_cpu()->current,
			       below(3) ? ABI_SYS_CALL : -(int64_t)(1 + below(11)));
		break;
	default:
		syscall_handle(this_cpu()->current, likely_ipc(t));
		break;
	}
}

static int setup(void **state)
{
	(void)state;
	if (!arena)
		arena = mock_memory(ARENA_BYTES);
	return 0;
}

static void run(uint64_t seed, unsigned preempt_every)
{
	rnd.state = seed;
	mock_preempt_every = preempt_every;
	mock_console = keep;
	mock_halt = halted;
	for (unsigned r = 0; r < ROUNDS; r++) {
		boot();
		rounds_idle = 0;
		for (unsigned i = 0; i < STEPS && rounds_idle < 20; i++) {
			step();
			invariants_check();
		}
	}
	mock_preempt_every = 0;
	mock_console = NULL;
	mock_halt = NULL;
}

static void test_random(void **state)
{
	(void)state;
	run(1, 0);
}

static void test_preempted(void **state)
{
	(void)state;
	run(2, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_random, setup),
		cmocka_unit_test_setup(test_preempted, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
