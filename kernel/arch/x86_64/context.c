/* A thread's registers as the core and messages see them. */
#include <abi/regs.h>
#include <arch/cpu.h>
#include <arch/trap.h>
#include <arch/vcpu.h>
#include <kernel/arch.h>
#include <kernel/cpu.h>

#define CONTEXT(t) ((t)->arch.context)

static inline word_t *msg_reg(struct arch_context *c, unsigned i)
{
	switch (i) {
	case 0: return &c->r10;
	case 1: return &c->r8;
	case 2: return &c->r9;
	default: return &c->r15;
	}
}

word_t arch_msg_reg(const struct tcb *t, unsigned i)
{
	return *msg_reg((struct arch_context *)(uintptr_t)&CONTEXT(t), i);
}

void arch_set_msg_reg(struct tcb *t, unsigned i, word_t v) { *msg_reg(&CONTEXT(t), i) = v; }

cptr_t arch_cap_reg(const struct tcb *t) { return CONTEXT(t).rdi; }
word_t arch_msginfo_reg(const struct tcb *t) { return CONTEXT(t).rsi; }
cptr_t arch_reply_reg(const struct tcb *t) { return CONTEXT(t).r12; }
cptr_t arch_nbsend_dest_reg(const struct tcb *t) { return CONTEXT(t).r13; }
void arch_set_badge_reg(struct tcb *t, word_t v) { CONTEXT(t).rdi = v; }
void arch_set_msginfo_reg(struct tcb *t, word_t v) { CONTEXT(t).rsi = v; }

word_t arch_restart_pc(const struct tcb *t) { return CONTEXT(t).fault_ip; }
word_t arch_pc(const struct tcb *t) { return CONTEXT(t).rip; }
void arch_restart(struct tcb *t) { CONTEXT(t).rip = CONTEXT(t).fault_ip; }
void arch_restart_here(struct tcb *t)
{
	if (t->arch.guest != GUEST_CALL) /* that is entered again, or restarted */
		CONTEXT(t).fault_ip = CONTEXT(t).rip;
}

bool arch_tls_base_ok(word_t base) { return is_canonical(base); }
void arch_set_tls_base(struct tcb *t, word_t base)
{
	cpu_sync_bases(t);
	CONTEXT(t).fs_base = base;
	arch_space_changed(t);
}

static word_t *word_at(const struct tcb *t, unsigned index)
{
	struct arch_context *c = (struct arch_context *)(uintptr_t)&CONTEXT(t);

	if (index - ABI_CTX_RAX <= ABI_CTX_R15 - ABI_CTX_RAX)
		return &c->rax + (index - ABI_CTX_RAX); /* in the same order */
	switch (index) {
	case ABI_CTX_RIP: return &c->rip;
	case ABI_CTX_RSP: return &c->rsp;
	case ABI_CTX_RFLAGS: return &c->rflags;
	case ABI_CTX_FS_BASE: return &c->fs_base;
	default: return &c->gs_base;
	}
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
	vcpu_leave_call(t);
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
