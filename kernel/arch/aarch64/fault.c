/* Fault messages and replies that show registers. */
#include <abi/ext.h>
#include <abi/fault.h>
#include <abi/regs.h>
#include <arch/sysreg.h>
#include <arch/trap.h>
#include <arch/vcpu.h>
#include <kernel/ipc.h>

#define MR0 2 /* message register 0 is x2 */

static unsigned syscall_message(const struct tcb *t, struct tcb *to, struct abi_ipcbuf *b)
{
	const struct arch_context *c = &t->arch.context;

	for (unsigned i = 0; i < 8; i++)
		ipc_put(to, b, ABI_SYSFAULT_X0 + i, c->x[i]);
	ipc_put(to, b, ABI_SYSFAULT_IP, c->fault_ip);
	ipc_put(to, b, ABI_SYSFAULT_SP, c->sp);
	ipc_put(to, b, ABI_SYSFAULT_LR, c->elr);
	ipc_put(to, b, ABI_SYSFAULT_SPSR, c->spsr);
	ipc_put(to, b, ABI_SYSFAULT_NUMBER, t->fault.word[0]);
	return ABI_SYSFAULT_WORDS;
}

unsigned arch_fault_message(const struct tcb *t, struct tcb *to, struct abi_ipcbuf *b)
{
	const struct arch_context *c = &t->arch.context;
	const struct fault *f = &t->fault;

	switch (f->kind) {
	case ABI_FAULT_UNKNOWN_SYSCALL: return syscall_message(t, to, b);
	case ABI_FAULT_USER_EXCEPTION:
		ipc_put(to, b, ABI_EXCFAULT_IP, c->fault_ip);
		ipc_put(to, b, ABI_EXCFAULT_SP, c->sp);
		ipc_put(to, b, ABI_EXCFAULT_SPSR, c->spsr);
		ipc_put(to, b, ABI_EXCFAULT_NUMBER, f->word[0]);
		ipc_put(to, b, ABI_EXCFAULT_CODE, f->word[1]);
		return ABI_EXCFAULT_WORDS;
	case ABI_FAULT_VM:
		ipc_put(to, b, ABI_VMFAULT_IP, c->fault_ip);
		ipc_put(to, b, ABI_VMFAULT_ADDR, f->word[0]);
		ipc_put(to, b, ABI_VMFAULT_IS_FETCH, f->word[1]);
		ipc_put(to, b, ABI_VMFAULT_FSR, f->word[2]);
		return ABI_VMFAULT_WORDS;
	default: /* VGIC maintenance, VCPU, VPPI event */
		ipc_put(to, b, 0, f->word[0]);
		return 1;
	}
}

static void set_pc(struct arch_context *c, word_t pc)
{
	c->fault_ip = pc;
	c->elr = pc;
}

/* PC, SP and SPSR, as far as the reply's `n` words reach. */
static void frame_reply(struct tcb *t, const struct tcb *from, const struct abi_ipcbuf *b,
			unsigned n, unsigned pc, unsigned sp, unsigned spsr)
{
	struct arch_context *c = &t->arch.context;

	if (n > pc)
		set_pc(c, ipc_get(from, b, pc));
	if (n > sp)
		c->sp = ipc_get(from, b, sp);
	if (n > spsr)
		c->spsr = spsr_sanitise(ipc_get(from, b, spsr), t);
}

/* A step is reported again until it is answered: the answer lets the next
 * instruction be executed, not the report, which a budget's end may hold up. */
static bool step_on(struct tcb *t)
{
	if (ESR_EC(t->fault.word[0]) == EC_STEP_LOWER)
		t->arch.context.spsr = spsr_sanitise(t->arch.context.spsr, t);
	return true;
}

bool arch_fault_reply(struct tcb *t, word_t label, const struct tcb *from,
		      const struct abi_ipcbuf *b, unsigned n)
{
	switch (t->fault.kind) {
	case ABI_FAULT_UNKNOWN_SYSCALL:
		for (unsigned i = 0; i < 8 && i < n; i++)
			t->arch.context.x[i] = ipc_get(from, b, i);
		frame_reply(t, from, b, n, ABI_SYSFAULT_IP, ABI_SYSFAULT_SP, ABI_SYSFAULT_SPSR);
		return label == 0;
	case ABI_FAULT_USER_EXCEPTION:
		frame_reply(t, from, b, n, ABI_EXCFAULT_IP, ABI_EXCFAULT_SP, ABI_EXCFAULT_SPSR);
		return label == 0;
	case ABI_FAULT_VCPU: return step_on(t);
	default: return true;
	}
}

/* --- exit messages (abi/ext.h): fault word 0 is ESR_EL2, 1 the IPA, 2 the VA --- */

/* The register that the trapped load, store, MRS or MSR names. */
static unsigned exit_register(word_t esr)
{
	if (ESR_EC(esr) == EC_DABT_LOWER && (esr & ISS_ISV))
		return ISS_SRT(esr);
	return ESR_EC(esr) == EC_SYSREG ? ISS_SYSREG_RT(esr) : REG_ZERO;
}

static bool reads_register(word_t esr)
{
	return ESR_EC(esr) == EC_SYSREG ? esr & ISS_SYSREG_READ : !(esr & ISS_WNR);
}

static bool is_call(word_t esr)
{
	switch (ESR_EC(esr)) {
	case EC_HVC32:
	case EC_HVC64:
	case EC_SMC32:
	case EC_SMC64: return true;
	default: return false;
	}
}

/* A skipped instruction counts for a Thumb IT block (ITSTATE, Arm ARM
 * F1.2.2), and as a step that is done. */
static void advance(struct arch_context *c, word_t esr)
{
	word_t it;

	c->spsr &= ~SPSR_SS;
	set_pc(c, c->fault_ip + 4);
	if (!(c->spsr & SPSR_AARCH32_USER))
		return;
	if (!(esr & ESR_IL))
		set_pc(c, c->fault_ip - 2);
	it = (c->spsr >> 25 & 3) | (c->spsr >> 8 & 0xfc);
	it = it & 7 ? (it & 0xe0) | (it << 1 & 0x1f) : 0;
	c->spsr = (c->spsr & ~0x0600fc00ull) | (it & 3) << 25 | (it & 0xfc) << 8;
}

word_t arch_exit_message(const struct tcb *faulter, struct tcb *to)
{
	const struct arch_context *c = &faulter->arch.context;
	const word_t *f = faulter->fault.word;
	word_t esr = f[0], *mr = &to->arch.context.x[MR0];
	unsigned rt = exit_register(esr);

	if (is_call(esr)) {
		for (unsigned i = 0; i < ABI_EXIT_WORDS; i++)
			mr[i] = c->x[i];
	} else {
		mr[ABI_EXIT_VALUE] = rt == REG_ZERO ? 0 : c->x[rt];
		mr[ABI_EXIT_GPA] = f[1];
		mr[ABI_EXIT_GVA] = f[2];
		mr[ABI_EXIT_PC] = c->fault_ip;
	}
	return ABI_EXT_FAULT_EXIT | (word_t)(uint32_t)esr << ABI_EXIT_SYNDROME_SHIFT;
}

bool arch_exit_reply(struct tcb *faulter, const struct tcb *from, word_t label, unsigned count)
{
	struct arch_context *c = &faulter->arch.context;
	const word_t *mr = &from->arch.context.x[MR0];
	word_t esr = faulter->fault.word[0];
	unsigned rt = exit_register(esr);

	if (label != ABI_EXIT_DONE)
		return label == ABI_EXIT_AGAIN && step_on(faulter);
	if (is_call(esr)) {
		for (unsigned i = 0; i < count && i < ABI_EXIT_WORDS; i++)
			c->x[i] = mr[i];
	} else if (count && rt != REG_ZERO && reads_register(esr)) {
		c->x[rt] = mr[ABI_EXIT_VALUE];
	}
	advance(c, esr);
	return true;
}
