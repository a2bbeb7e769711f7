/* A thread's registers as the core and messages see them. */
#include <arch/sysreg.h>
#include <arch/vcpu.h>
#include <kernel/arch.h>
#include <kernel/cpu.h>

word_t arch_msg_reg(const struct tcb *t, unsigned i) { return t->arch.context.x[2 + i]; }
void arch_set_msg_reg(struct tcb *t, unsigned i, word_t v) { t->arch.context.x[2 + i] = v; }
cptr_t arch_cap_reg(const struct tcb *t) { return t->arch.context.x[0]; }
word_t arch_msginfo_reg(const struct tcb *t) { return t->arch.context.x[1]; }
cptr_t arch_reply_reg(const struct tcb *t) { return t->arch.context.x[6]; }
cptr_t arch_nbsend_dest_reg(const struct tcb *t) { return t->arch.context.x[8]; }
void arch_set_badge_reg(struct tcb *t, word_t v) { t->arch.context.x[0] = v; }
void arch_set_msginfo_reg(struct tcb *t, word_t v) { t->arch.context.x[1] = v; }

word_t arch_restart_pc(const struct tcb *t) { return t->arch.context.fault_ip; }
word_t arch_pc(const struct tcb *t) { return t->arch.context.elr; }
void arch_restart(struct tcb *t) { t->arch.context.elr = t->arch.context.fault_ip; }
void arch_restart_here(struct tcb *t) { t->arch.context.fault_ip = t->arch.context.elr; }

bool arch_tls_base_ok(word_t base) { return base || true; }
void arch_set_tls_base(struct tcb *t, word_t base) { t->arch.context.tpidr_el0 = base; }

/* Positions in struct arch_context, in the order of ABI_CONTEXT_REGS. */
/* clang-format off */
enum {
	POS_X0, POS_X1, POS_X2, POS_X3, POS_X4, POS_X5, POS_X6, POS_X7, POS_X8, POS_X9, POS_X10,
	POS_X11, POS_X12, POS_X13, POS_X14, POS_X15, POS_X16, POS_X17, POS_X18, POS_X19, POS_X20,
	POS_X21, POS_X22, POS_X23, POS_X24, POS_X25, POS_X26, POS_X27, POS_X28, POS_X29, POS_X30,
	POS_SP, POS_PC, POS_SPSR, POS_TPIDR_EL0, POS_TPIDRRO_EL0
};
/* clang-format on */

static const uint8_t position[ABI_CTX_COUNT] = {
#define X(name) POS_##name,
	ABI_CONTEXT_REGS(X)
#undef X
};

word_t arch_context_get(const struct tcb *t, unsigned index)
{
	unsigned pos = position[index];

	switch (pos) {
	case POS_SP: return t->arch.context.sp;
	case POS_PC:
		/* Of a system call that is done, the restart PC is past. */
		return t->state == THREAD_RUNNING ? t->arch.context.elr
						  : t->arch.context.fault_ip;
	case POS_SPSR: return t->arch.context.spsr;
	case POS_TPIDR_EL0: return t->arch.context.tpidr_el0;
	case POS_TPIDRRO_EL0: return t->arch.context.tpidrro_el0;
	default: return t->arch.context.x[pos];
	}
}

void arch_context_set(struct tcb *t, unsigned index, word_t v)
{
	unsigned pos = position[index];

	switch (pos) {
	case POS_SP:
		t->arch.context.sp = v;
		break;
	case POS_PC:
		t->arch.context.fault_ip = v;
		t->arch.context.elr = v;
		break;
	case POS_SPSR:
		t->arch.context.spsr = spsr_sanitise(v, t);
		break;
	case POS_TPIDR_EL0:
		t->arch.context.tpidr_el0 = v;
		break;
	case POS_TPIDRRO_EL0:
		t->arch.context.tpidrro_el0 = v;
		if (this_cpu()->current == t)
			SYSREG_WRITE(tpidrro_el0, v);
		break;
	default:
		t->arch.context.x[pos] = v;
	}
}
