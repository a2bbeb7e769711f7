/* Fault messages and replies that show registers. */
#include <abi/fault.h>
#include <abi/regs.h>
#include <abi/thread_exit.h>
#include <arch/trap.h>
#include <arch/vcpu.h>
#include <arch/vspace.h>
#include <kernel/cnode.h>
#include <kernel/ipc.h>

static unsigned put_frame(const struct tcb *t, struct tcb *to, struct abi_ipcbuf *b, unsigned i)
{
	const struct arch_context *c = &t->arch.context;

	ipc_put(to, b, i, c->fault_ip);
	ipc_put(to, b, i + 1, c->rsp);
	ipc_put(to, b, i + 2, c->rflags);
	return i + 3;
}

/* From here on it goes on behind its call; until it is told of that, the call is made again. */
static NOINLINE unsigned thread_message(const struct tcb *t, struct tcb *to, struct abi_ipcbuf *b)
{
	struct arch_context *c = (struct arch_context *)(uintptr_t)&t->arch.context;

	c->fault_ip = c->rip;
	for (unsigned i = 0; i < ABI_THREAD_REGS; i++)
		ipc_put(to, b, i, t->fault.word[i]);
	for (unsigned i = 0; i < ABI_CTX_COUNT; i++)
		ipc_put(to, b, ABI_THREAD_REGS + i, arch_context_get(t, i));
	return ABI_THREAD_WORDS;
}

unsigned arch_fault_message(const struct tcb *t, struct tcb *to, struct abi_ipcbuf *b)
{
	const struct fault *f = &t->fault;
	unsigned n;

	switch (f->kind) {
	case ABI_FAULT_UNKNOWN_SYSCALL:
		for (unsigned i = 0; i < ABI_SYSFAULT_IP; i++)
			ipc_put(to, b, i, arch_context_get(t, ABI_CTX_RAX + i));
		n = put_frame(t, to, b, ABI_SYSFAULT_IP);
		ipc_put(to, b, n, f->word[0]);
		return ABI_SYSFAULT_WORDS;
	case ABI_FAULT_USER_EXCEPTION:
		n = put_frame(t, to, b, ABI_EXCFAULT_IP);
		ipc_put(to, b, n, f->word[0]);
		ipc_put(to, b, n + 1, f->word[1]);
		return ABI_EXCFAULT_WORDS;
	case ABI_EXT_FAULT_THREAD: return thread_message(t, to, b);
	default: /* VM */
		ipc_put(to, b, ABI_VMFAULT_IP, t->arch.context.fault_ip);
		ipc_put(to, b, ABI_VMFAULT_ADDR, f->word[0]);
		ipc_put(to, b, ABI_VMFAULT_IS_FETCH, f->word[1]);
		ipc_put(to, b, ABI_VMFAULT_FSR, f->word[2]);
		return ABI_VMFAULT_WORDS;
	}
}

/* RIP, RSP and RFLAGS from word `first` on, as far as `n` words reach. */
static void frame_reply(struct tcb *t, const struct tcb *from, const struct abi_ipcbuf *b,
			unsigned n, unsigned first)
{
	for (unsigned i = 0; i < 3 && first + i < n; i++)
		arch_context_set(t, ABI_CTX_RIP + i, ipc_get(from, b, first + i));
}

/* Registers, and the address space that came along, if one did. */
static NOINLINE bool thread_reply(struct tcb *t, const struct tcb *from,
				  const struct abi_ipcbuf *b, unsigned n)
{
	struct lookup_failure f;

	for (unsigned i = ABI_THREAD_REGS; i < n && i < ABI_THREAD_WORDS; i++)
		arch_context_set(t, i - ABI_THREAD_REGS, ipc_get(from, b, i));
	b = ipc_buffer(from, false);
	if (!b || !msginfo_caps(arch_msginfo_reg(from)))
		return true;
	struct slot *s = cnode_lookup(from, b->caps_or_badges[0], &f);
	if (!s || cap_type(s->cap) != CAP_VSPACE ||
	    asid_space(cap_map_asid(s->cap), false) != cap_addr(s->cap))
		return false;
	hidden_slot_set(&t->slots[TCB_VSPACE], s->cap, s);
	return true;
}

bool arch_fault_reply(struct tcb *t, word_t label, const struct tcb *from,
		      const struct abi_ipcbuf *b, unsigned n)
{
	switch (t->fault.kind) {
	case ABI_FAULT_UNKNOWN_SYSCALL:
		for (unsigned i = 0; i < ABI_SYSFAULT_IP && i < n; i++)
			arch_context_set(t, ABI_CTX_RAX + i, ipc_get(from, b, i));
		frame_reply(t, from, b, n, ABI_SYSFAULT_IP);
		return label == 0;
	case ABI_FAULT_USER_EXCEPTION:
		frame_reply(t, from, b, n, ABI_EXCFAULT_IP);
		return label == 0;
	case ABI_EXT_FAULT_THREAD: return thread_reply(t, from, b, n) && label == 0;
	default: return true;
	}
}
