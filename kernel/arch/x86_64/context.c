/* A thread's registers as the core and messages see them. */
#include <abi/regs.h>
#include <arch/cpu.h>
#include <arch/trap.h>
#include <kernel/arch.h>
#include <kernel/cpu.h>

#define CONTEXT(t) ((t)->arch.context)

word_t arch_msg_reg(const struct tcb *t, unsigned i)
{
	const struct arch_context *c = &CONTEXT(t);

	switch (i) {
	case 0: return c->r10;
	case 1: return c->r8;
	case 2: return c->r9;
	default: return c->r15;
	}
}

void arch_set_msg_reg(struct tcb *t, unsigned i, word_t v)
{
	struct arch_context *c = &CONTEXT(t);

	switch (i) {
	case 0: c->r10 = v; break;
	case 1: c->r8 = v; break;
	case 2: c->r9 = v; break;
	default: c->r15 = v; break;
	}
}

cptr_t arch_cap_reg(const struct tcb *t) { return CONTEXT(t).rdi; }
word_t arch_msginfo_reg(const struct tcb *t) { return CONTEXT(t).rsi; }
cptr_t arch_reply_reg(const struct tcb *t) { return CONTEXT(t).r12; }
cptr_t arch_nbsend_dest_reg(const struct tcb *t) { return CONTEXT(t).r13; }
void arch_set_badge_reg(struct tcb *t, word_t v) { CONTEXT(t).rdi = v; }
void arch_set_msginfo_reg(struct tcb *t, word_t v) { CONTEXT(t).rsi = v; }

word_t arch_restart_pc(const struct tcb *t) { return CONTEXT(t).fault_ip; }
word_t arch_pc(const struct tcb *t) { return CONTEXT(t).rip; }
void arch_restart(struct tcb *t) { CONTEXT(t).rip = CONTEXT(t).fault_ip; }
void arch_restart_here(struct tcb *t) { CONTEXT(t).fault_ip = CONTEXT(t).rip; }

bool arch_tls_base_ok(word_t base) { return is_canonical(base); }
void arch_set_tls_base(struct tcb *t, word_t base)
{
	cpu_sync_bases(t);
	CONTEXT(t).fs_base = base;
	arch_space_changed(t);
}

/* Positions in struct arch_context, in the order of ABI_CONTEXT_REGS. */
#define POS_RIP offsetof(struct arch_context, rip)
#define POS_RSP offsetof(struct arch_context, rsp)
#define POS_RFLAGS offsetof(struct arch_context, rflags)
static const uint8_t position[ABI_CTX_COUNT] = {
	[ABI_CTX_RIP] = POS_RIP,
	[ABI_CTX_RSP] = POS_RSP,
	[ABI_CTX_RFLAGS] = POS_RFLAGS,
	[ABI_CTX_RAX] = offsetof(struct arch_context, rax),
	[ABI_CTX_RBX] = offsetof(struct arch_context, rbx),
	[ABI_CTX_RCX] = offsetof(struct arch_context, rcx),
	[ABI_CTX_RDX] = offsetof(struct arch_context, rdx),
	[ABI_CTX_RSI] = offsetof(struct arch_context, rsi),
	[ABI_CTX_RDI] = offsetof(struct arch_context, rdi),
	[ABI_CTX_RBP] = offsetof(struct arch_context, rbp),
	[ABI_CTX_R8] = offsetof(struct arch_context, r8),
	[ABI_CTX_R9] = offsetof(struct arch_context, r9),
	[ABI_CTX_R10] = offsetof(struct arch_context, r10),
	[ABI_CTX_R11] = offsetof(struct arch_context, r11),
	[ABI_CTX_R12] = offsetof(struct arch_context, r12),
	[ABI_CTX_R13] = offsetof(struct arch_context, r13),
	[ABI_CTX_R14] = offsetof(struct arch_context, r14),
	[ABI_CTX_R15] = offsetof(struct arch_context, r15),
	[ABI_CTX_FS_BASE] = offsetof(struct arch_context, fs_base),
	[ABI_CTX_GS_BASE] = offsetof(struct arch_context, gs_base),
};

static word_t *word_at(const struct tcb *t, unsigned index)
{
	return (word_t *)((uintptr_t)&CONTEXT(t) + position[index]);
}

word_t arch_context_get(const struct tcb *t, unsigned index)
{
	switch (index) {
	case ABI_CTX_RIP:
		/* Of a system call that is done, the restart PC is past. */
		return t->state == THREAD_RUNNING ? CONTEXT(t).rip : CONTEXT(t).fault_ip;
	case ABI_CTX_RFLAGS: return CONTEXT(t).rflags | RFLAGS_FIXED;
	case ABI_CTX_FS_BASE:
	case ABI_CTX_GS_BASE:
		cpu_sync_bases((struct tcb *)(uintptr_t)t);
		arch_space_changed((struct tcb *)(uintptr_t)t);
		break;
	}
	return *word_at(t, index);
}

void arch_context_set(struct tcb *t, unsigned index, word_t v)
{
	/* Only IRET restores all registers. */
	CONTEXT(t).by_syscall = 0;
	switch (index) {
	case ABI_CTX_RIP:
		v = is_canonical(v) ? v : 0;
		CONTEXT(t).fault_ip = v;
		break;
	case ABI_CTX_RFLAGS: v = (v & RFLAGS_USER) | RFLAGS_FIXED; break;
	case ABI_CTX_FS_BASE:
	case ABI_CTX_GS_BASE:
		v = is_canonical(v) ? v : 0;
		cpu_sync_bases(t);
		break;
	}
	*word_at(t, index) = v;
	if (index >= ABI_CTX_FS_BASE)
		arch_space_changed(t);
}
