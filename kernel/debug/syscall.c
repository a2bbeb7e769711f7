/* System calls that only a debug build has. */
#include <kernel/debug.h>

#include <abi/syscall.h>
#include <kernel/arch.h>
#include <kernel/cap.h>
#include <kernel/cnode.h>
#include <kernel/ipc.h>
#include <kernel/printk.h>
#include <kernel/sched.h>
#include <kernel/tcb.h>

static void dump_scheduler(void)
{
	struct cpu *c = this_cpu();

	if (c->current)
		printk("current %s prio %u\n", c->current->name, c->current->priority);
	for (int p = NUM_PRIORITIES - 1; p >= 0; p--)
		for (unsigned d = 0; d < SELVAGE_DOMAINS; d++)
			for (struct tcb *t = c->ready[d].list[p].head; t; t = t->sched_next)
				printk("ready %s prio %u\n", t->name, t->priority);
	for (struct tcb *t = c->release; t; t = t->sched_next)
		printk("parked %s prio %u\n", t->name, t->priority);
}

static word_t identify(const struct tcb *t, cptr_t cptr)
{
	static const unsigned char answers[CAP_ARCH_FIRST] = {
		[CAP_UNTYPED] = ABI_DEBUG_CAP_UNTYPED,
		[CAP_ENDPOINT] = ABI_DEBUG_CAP_ENDPOINT,
		[CAP_NOTIFICATION] = ABI_DEBUG_CAP_NOTIFICATION,
		[CAP_REPLY] = ABI_DEBUG_CAP_REPLY,
		[CAP_CNODE] = ABI_DEBUG_CAP_CNODE,
		[CAP_TCB] = ABI_DEBUG_CAP_TCB,
		[CAP_SCHED_CONTEXT] = ABI_DEBUG_CAP_SCHED_CONTEXT,
		[CAP_SCHED_CONTROL] = ABI_DEBUG_CAP_SCHED_CONTROL,
		[CAP_IRQ_CONTROL] = ABI_DEBUG_CAP_IRQ_CONTROL,
		[CAP_IRQ_HANDLER] = ABI_DEBUG_CAP_IRQ_HANDLER,
		[CAP_SGI_SIGNAL] = ABI_DEBUG_CAP_SGI_SIGNAL,
		[CAP_DOMAIN] = ABI_DEBUG_CAP_DOMAIN,
		[CAP_ZOMBIE] = ABI_DEBUG_CAP_ZOMBIE,
	};
	struct lookup_failure f;
	struct slot *s = cnode_lookup(t, cptr, &f);

	if (!s)
		return ABI_DEBUG_CAP_NULL;
	if (cap_type(s->cap) >= CAP_ARCH_FIRST)
		return arch_debug_cap_identify(s->cap);
	return answers[cap_type(s->cap)];
}

static void name_thread(const struct tcb *t, cptr_t cptr)
{
	struct lookup_failure f;
	struct slot *s = cnode_lookup(t, cptr, &f);
	const struct abi_ipcbuf *buffer = ipc_buffer(t, false);
	struct tcb *named;

	if (!s || cap_type(s->cap) != CAP_TCB || !buffer)
		return;
	named = cap_object(s->cap);
	for (unsigned i = 0; i < TCB_NAME_BYTES - 1; i++)
		named->name[i] = (char)(buffer->msg[i / 8] >> (i % 8 * 8));
}

bool debug_syscall(struct tcb *t, int64_t nr)
{
	switch (nr) {
	case ABI_SYS_DEBUG_PUT_CHAR:
		arch_putc((char)arch_cap_reg(t));
		return true;
	case ABI_SYS_DEBUG_DUMP_SCHEDULER:
	case ABI_SYS_DEBUG_SNAPSHOT:
		dump_scheduler();
		return true;
	case ABI_SYS_DEBUG_HALT:
		printk("halted by %s\n", t->name);
		arch_halt();
	case ABI_SYS_DEBUG_CAP_IDENTIFY:
		arch_set_badge_reg(t, identify(t, arch_cap_reg(t)));
		return true;
	case ABI_SYS_DEBUG_NAME_THREAD:
		name_thread(t, arch_cap_reg(t));
		return true;
	default:
		return false;
	}
}
