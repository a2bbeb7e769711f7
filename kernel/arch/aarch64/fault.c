/* Fault messages and replies that show registers. */
#include <abi/ext.h>
#include <abi/fault.h>
#include <abi/regs.h>
#include <arch/sysreg.h>
#include <arch/trap.h>
#include <arch/vcpu.h>
#include <kernel/arch.h>
#include <kernel/entry.h>
#include <kernel/tcb.h>

#define ISS_ISV (1ull << 24)
#define ISS_SAS(esr) ((unsigned)((esr) >> 22) & 3)
#define ISS_SSE (1ull << 21)
#define ISS_SRT(esr) ((unsigned)((esr) >> 16) & 31)
#define ISS_SF (1ull << 15)
#define ISS_WNR (1ull << 6)
#define ISS_SYSREG_RT(esr) ((unsigned)((esr) >> 5) & 31)
#define ISS_SYSREG_READ 1ull
#define ESR_IL (1ull << 25)
#define REG_ZERO 31
#define EXIT_WORDS 4
#define EXIT_CALL_WORDS 11 /* HVC, SMC: x0 to x7 */

static unsigned syscall_message(const struct arch_context *c, word_t nr, word_t *w)
{
	for (unsigned i = 0; i < 8; i++)
		w[ABI_SYSFAULT_X0 + i] = c->x[i];
	w[ABI_SYSFAULT_IP] = c->fault_ip;
	w[ABI_SYSFAULT_SP] = c->sp;
	w[ABI_SYSFAULT_LR] = c->elr;
	w[ABI_SYSFAULT_SPSR] = c->spsr;
	w[ABI_SYSFAULT_NUMBER] = nr;
	return ABI_SYSFAULT_WORDS;
}

/* The register that a trapped store or MSR gives, or a load or MRS wants. */
static unsigned exit_register(word_t esr)
{
	if (ESR_EC(esr) == EC_SYSREG)
		return ISS_SYSREG_RT(esr);
	if (ESR_EC(esr) == EC_DABT_LOWER && (esr & ISS_ISV))
		return ISS_SRT(esr);
	return REG_ZERO;
}

static bool is_call(word_t esr)
{
	switch (ESR_EC(esr)) {
	case EC_HVC32:
	case EC_HVC64:
	case EC_SMC32:
	case EC_SMC64:
		return true;
	default:
		return false;
	}
}

static unsigned exit_message(const struct arch_context *c, const struct fault *f, word_t *w)
{
	word_t esr = f->word[0];
	unsigned rt = exit_register(esr);

	w[0] = c->fault_ip;
	w[1] = esr;
	w[2] = f->word[1];
	w[3] = rt == REG_ZERO ? 0 : c->x[rt];
	if (!is_call(esr))
		return EXIT_WORDS;
	for (unsigned i = 0; i < 8; i++)
		w[3 + i] = c->x[i];
	return EXIT_CALL_WORDS;
}

void exit_fault(word_t esr, word_t ipa)
{
	struct fault f = { .kind = ABI_EXT_FAULT_EXIT, .word = { esr, ipa } };

	fault_current(&f);
}

unsigned arch_fault_message(struct tcb *faulter, const struct fault *f, word_t *w)
{
	const struct arch_context *c = &faulter->arch.context;

	switch (f->kind) {
	case ABI_FAULT_UNKNOWN_SYSCALL:
		return syscall_message(c, f->word[0], w);
	case ABI_FAULT_USER_EXCEPTION:
		w[ABI_EXCFAULT_IP] = c->fault_ip;
		w[ABI_EXCFAULT_SP] = c->sp;
		w[ABI_EXCFAULT_SPSR] = c->spsr;
		w[ABI_EXCFAULT_NUMBER] = f->word[0];
		w[ABI_EXCFAULT_CODE] = f->word[1];
		return ABI_EXCFAULT_WORDS;
	case ABI_FAULT_VM:
		w[ABI_VMFAULT_IP] = c->fault_ip;
		w[ABI_VMFAULT_ADDR] = f->word[0];
		w[ABI_VMFAULT_IS_FETCH] = f->word[1];
		w[ABI_VMFAULT_FSR] = f->word[2];
		return ABI_VMFAULT_WORDS;
	case ABI_EXT_FAULT_EXIT:
		return exit_message(c, f, w);
	default: /* VGIC maintenance, VCPU, VPPI event */
		w[0] = f->word[0];
		return 1;
	}
}

static void set_pc(struct arch_context *c, word_t pc)
{
	c->fault_ip = pc;
	c->elr = pc;
}

static void syscall_reply(struct tcb *t, const word_t *w, unsigned n)
{
	struct arch_context *c = &t->arch.context;

	for (unsigned i = 0; i < 8 && i < n; i++)
		c->x[i] = w[i];
	if (n > ABI_SYSFAULT_IP)
		set_pc(c, w[ABI_SYSFAULT_IP]);
	if (n > ABI_SYSFAULT_SP)
		c->sp = w[ABI_SYSFAULT_SP];
	if (n > ABI_SYSFAULT_SPSR)
		c->spsr = spsr_sanitise(w[ABI_SYSFAULT_SPSR], t);
}

static void exception_reply(struct tcb *t, const word_t *w, unsigned n)
{
	struct arch_context *c = &t->arch.context;

	if (n > ABI_EXCFAULT_IP)
		set_pc(c, w[ABI_EXCFAULT_IP]);
	if (n > ABI_EXCFAULT_SP)
		c->sp = w[ABI_EXCFAULT_SP];
	if (n > ABI_EXCFAULT_SPSR)
		c->spsr = spsr_sanitise(w[ABI_EXCFAULT_SPSR], t);
}

/* The value as the load would have left it in the register. */
static word_t loaded_value(word_t esr, word_t v)
{
	unsigned bits = 8u << ISS_SAS(esr);

	if (ESR_EC(esr) != EC_DABT_LOWER)
		return v;
	if (bits < 64)
		v &= (1ull << bits) - 1;
	if ((esr & ISS_SSE) && bits < 64)
		v = (word_t)((int64_t)(v << (64 - bits)) >> (64 - bits));
	return esr & ISS_SF ? v : (uint32_t)v;
}

static bool reads_register(word_t esr)
{
	if (ESR_EC(esr) == EC_SYSREG)
		return esr & ISS_SYSREG_READ;
	return ESR_EC(esr) == EC_DABT_LOWER && (esr & ISS_ISV) && !(esr & ISS_WNR);
}

/* A skipped instruction counts for a Thumb IT block (ITSTATE, Arm ARM
 * F1.2.2), and as a step that is done. */
static void advance(struct arch_context *c, word_t esr)
{
	word_t it = (c->spsr >> 25 & 3) | (c->spsr >> 8 & 0xfc);

	set_pc(c, c->fault_ip + (esr & ESR_IL ? 4 : 2));
	c->spsr &= ~SPSR_SS;
	if (!(c->spsr & SPSR_AARCH32_USER) || !it)
		return;
	it = it & 7 ? (it & 0xe0) | (it << 1 & 0x1f) : 0;
	c->spsr = (c->spsr & ~0x0600fc00ull) | (it & 3) << 25 | (it & 0xfc) << 8;
}

static void exit_reply(struct tcb *t, const struct fault *f, const word_t *w, unsigned n)
{
	struct arch_context *c = &t->arch.context;
	word_t esr = f->word[0], flags = n ? w[0] : 0;
	unsigned rt = exit_register(esr);

	if ((flags & ABI_EXIT_WRITE_RT) && n > 1 && reads_register(esr) && rt != REG_ZERO)
		c->x[rt] = loaded_value(esr, w[1]);
	if (flags & ABI_EXIT_WRITE_X0_3)
		for (unsigned i = 0; i < 4 && i + 1 < n; i++)
			c->x[i] = w[i + 1];
	if (flags & ABI_EXIT_ADVANCE)
		advance(c, esr);
}

bool arch_fault_reply(struct tcb *faulter, const struct fault *f, word_t label,
		      const word_t *words, unsigned count)
{
	switch (f->kind) {
	case ABI_FAULT_UNKNOWN_SYSCALL:
		syscall_reply(faulter, words, count);
		return label == 0;
	case ABI_FAULT_USER_EXCEPTION:
		exception_reply(faulter, words, count);
		return label == 0;
	case ABI_EXT_FAULT_EXIT:
		if (label == 0)
			exit_reply(faulter, f, words, count);
		return label == 0;
	default:
		return true;
	}
}
