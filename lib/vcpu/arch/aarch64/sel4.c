/*
 * The back end on the kernel's objects. Exits arrive as seL4's fault messages
 * or, where the kernel has it, as the exit message that also says what the
 * instruction reads and lets the answer write it: one system call an exit.
 */
#include <selvage/vcpu_sel4.h>

#include "decode.h"

#include <abi/fault.h>
#include <selvage/sel4.h>

#define X0_TO_X7 0xffull
#define X0_TO_X3 0xfull
#define ESR_IL (1ull << 25) /* the instruction has four bytes */
#define ESR_COND_MASK (0x1full << 20)
#define ESR_COND_ALWAYS (0x1eull << 20)

/* Position in the kernel's context order -> register number. */
static const uint8_t context_order[ABI_CTX_COUNT] = {
	[ABI_CTX_PC] = VCPU_PC,
	[ABI_CTX_SP] = VCPU_SP_EL0,
	[ABI_CTX_SPSR] = VCPU_PSTATE,
	[ABI_CTX_X0] = 0,
	[ABI_CTX_X1] = 1,
	[ABI_CTX_X2] = 2,
	[ABI_CTX_X3] = 3,
	[ABI_CTX_X4] = 4,
	[ABI_CTX_X5] = 5,
	[ABI_CTX_X6] = 6,
	[ABI_CTX_X7] = 7,
	[ABI_CTX_X8] = 8,
	[ABI_CTX_X16] = 16,
	[ABI_CTX_X17] = 17,
	[ABI_CTX_X18] = 18,
	[ABI_CTX_X29] = 29,
	[ABI_CTX_X30] = 30,
	[ABI_CTX_X9] = 9,
	[ABI_CTX_X10] = 10,
	[ABI_CTX_X11] = 11,
	[ABI_CTX_X12] = 12,
	[ABI_CTX_X13] = 13,
	[ABI_CTX_X14] = 14,
	[ABI_CTX_X15] = 15,
	[ABI_CTX_X19] = 19,
	[ABI_CTX_X20] = 20,
	[ABI_CTX_X21] = 21,
	[ABI_CTX_X22] = 22,
	[ABI_CTX_X23] = 23,
	[ABI_CTX_X24] = 24,
	[ABI_CTX_X25] = 25,
	[ABI_CTX_X26] = 26,
	[ABI_CTX_X27] = 27,
	[ABI_CTX_X28] = 28,
	[ABI_CTX_TPIDR_EL0] = VCPU_TPIDR_EL0,
	[ABI_CTX_TPIDRRO_EL0] = VCPU_TPIDRRO_EL0,
};

/* The VCPU object's field of a register that is not of the context. */
static unsigned field_of(unsigned reg)
{
	return reg < VCPU_IFSR32 ? reg - VCPU_FIELD0 : ABI_EXTV_IFSR32 + (reg - VCPU_IFSR32);
}

static struct vcpu_sel4 *sel4_of(struct vcpu *v)
{
	return (struct vcpu_sel4 *)v;
}

static bool fetch_context(struct vcpu_sel4 *s)
{
	uint64_t regs[ABI_CTX_COUNT];

	if (sel4_tcb_read_registers(s->caps.tcb, 0, ABI_CTX_COUNT, regs) !=
	    ABI_OK)
		return false;
	for (unsigned i = 0; i < ABI_CTX_COUNT; i++)
		vcpu_learn(&s->cpu, context_order[i], regs[i]);
	return true;
}

static bool op_fetch(struct vcpu *v, uint64_t mask)
{
	struct vcpu_sel4 *s = sel4_of(v);

	if ((mask & VCPU_CONTEXT_MASK & ~v->valid) && !fetch_context(s))
		return false;
	mask &= ~VCPU_CONTEXT_MASK & ~v->valid;
	while (mask != 0) {
		unsigned reg = (unsigned)__builtin_ctzll(mask);
		uint64_t value;

		mask &= mask - 1;
		if (sel4_vcpu_read_regs(s->caps.vcpu, field_of(reg), &value) != ABI_OK)
			return false;
		vcpu_learn(v, reg, value);
	}
	return true;
}

/* Writes the shortest prefix of the context that covers the dirty ones. */
static bool store_context(struct vcpu_sel4 *s, uint64_t mask, int resume)
{
	uint64_t regs[ABI_CTX_COUNT];
	unsigned count = 0;
	uint64_t covered = 0;

	for (unsigned i = 0; i < ABI_CTX_COUNT; i++) {
		if (mask & vcpu_bit(context_order[i]))
			count = i + 1;
	}
	for (unsigned i = 0; i < count; i++)
		covered |= vcpu_bit(context_order[i]);
	if ((covered & ~s->cpu.valid) && !fetch_context(s))
		return false;
	for (unsigned i = 0; i < count; i++)
		regs[i] = s->cpu.reg[context_order[i]];
	return sel4_tcb_write_registers(s->caps.tcb, resume, count, regs) ==
	       ABI_OK;
}

static bool store_fields(struct vcpu_sel4 *s, uint64_t mask)
{
	mask &= ~VCPU_CONTEXT_MASK;
	while (mask != 0) {
		unsigned reg = (unsigned)__builtin_ctzll(mask);

		mask &= mask - 1;
		if (sel4_vcpu_write_regs(s->caps.vcpu, field_of(reg), s->cpu.reg[reg]) != ABI_OK)
			return false;
	}
	return true;
}

static bool op_store(struct vcpu *v, uint64_t mask)
{
	struct vcpu_sel4 *s = sel4_of(v);

	if (!store_fields(s, mask))
		return false;
	return !(mask & VCPU_CONTEXT_MASK) ||
	       store_context(s, mask & VCPU_CONTEXT_MASK, 0);
}

/* The advance as a plain write of the PC, unless something set the PC. */
static void advance_pc(struct vcpu_sel4 *s)
{
	struct vcpu *v = &s->cpu;

	if (v->advance && !(v->dirty & vcpu_bit(VCPU_PC)))
		vcpu_set(v, VCPU_PC, vcpu_get(v, VCPU_PC) + s->insn_bytes);
	v->advance = false;
}

/* x0-x7 and the PC go back in the reply itself. */
static msginfo_t answer_syscall(struct vcpu_sel4 *s, uint64_t *mr)
{
	const uint64_t carried = X0_TO_X7 | vcpu_bit(VCPU_PC);
	struct vcpu *v = &s->cpu;

	advance_pc(s);
	if ((v->dirty & ~carried) || (carried & ~v->valid)) {
		(void)vcpu_flush(v);
		return msginfo(0, 0, 0);
	}
	for (unsigned i = 0; i < 4; i++)
		mr[i] = v->reg[i];
	for (unsigned i = 4; i < 8; i++)
		sel4_ipcbuf->msg[i] = v->reg[i];
	sel4_ipcbuf->msg[ABI_SYSFAULT_IP] = v->reg[VCPU_PC];
	return msginfo(0, 0, ABI_SYSFAULT_IP + 1);
}

/* The usual answers: the guest goes on, with a register or without. */
static inline bool answer_is_short(const struct vcpu_sel4 *s)
{
	uint64_t dirty = s->cpu.dirty;

	return s->answer == VCPU_ANSWER_EXIT && s->cpu.advance &&
	       (dirty == 0 || dirty == vcpu_bit(s->first));
}

/* Longer ones, which still hold all that the guest is to have. */
static bool answer_carries_all(const struct vcpu_sel4 *s)
{
	uint64_t dirty = s->cpu.dirty >> s->first;

	return s->cpu.advance && dirty << s->first == s->cpu.dirty &&
	       dirty >> s->carried == 0;
}

static msginfo_t answer_exit_carried(const struct vcpu_sel4 *s, uint64_t *mr)
{
	unsigned n = 0;

	for (; n < s->carried && s->cpu.dirty >> (s->first + n) != 0; n++)
		mr[n] = s->cpu.reg[s->first + n];
	return msginfo(ABI_EXIT_DONE, 0, n);
}

/* If not: all of it is written now. */
static msginfo_t answer_exit_flushed(struct vcpu *v)
{
	bool again = !v->advance || (v->dirty & vcpu_bit(VCPU_PC));

	(void)vcpu_flush(v);
	return msginfo(again ? ABI_EXIT_AGAIN : ABI_EXIT_DONE, 0, 0);
}

static msginfo_t answer(struct vcpu_sel4 *s, uint64_t *mr)
{
	msginfo_t info;

	switch (s->answer) {
	case VCPU_ANSWER_EXIT:
		info = answer_carries_all(s) ? answer_exit_carried(s, mr)
					     : answer_exit_flushed(&s->cpu);
		break;
	case VCPU_ANSWER_SYSCALL:
		info = answer_syscall(s, mr);
		break;
	default:
		advance_pc(s);
		(void)vcpu_flush(&s->cpu);
		info = msginfo(0, 0, 0);
		break;
	}
	return info;
}

/* The words are those of abi/ext.h. Nothing else is known of registers. */
static inline void learn_call(struct vcpu_sel4 *s, const uint64_t *mr,
			      struct vcpu_exit *e)
{
	struct vcpu *v = &s->cpu;

	v->reg[VCPU_X0] = mr[0];
	v->reg[VCPU_X0 + 1] = mr[1];
	v->reg[VCPU_X0 + 2] = mr[2];
	v->reg[VCPU_X0 + 3] = mr[3];
	v->valid = X0_TO_X3;
	v->dirty = 0;
	s->first = VCPU_X0;
	s->carried = SEL4_MSG_REGS;
	e->gpa = e->gva = 0;
}

static inline void learn_access(struct vcpu_sel4 *s, const uint64_t *mr,
				struct vcpu_exit *e)
{
	struct vcpu *v = &s->cpu;

	e->value = mr[ABI_EXIT_VALUE];
	e->gpa = mr[ABI_EXIT_GPA];
	e->gva = mr[ABI_EXIT_GVA];
	v->reg[VCPU_PC] = mr[ABI_EXIT_PC];
	v->valid = vcpu_bit(VCPU_PC);
	v->dirty = 0;
	s->first = e->write ? VCPU_NO_REG : e->reg;
	s->carried = 1;
}

/* What the exit message leaves to be asked for: whether an instruction's
 * condition holds (most are known to), and the registers that coprocessor
 * instructions name. */
static void learn_narrow(struct vcpu_sel4 *s, struct vcpu_exit *e)
{
	struct vcpu *v = &s->cpu;
	bool sysreg = e->reason == VCPU_EXIT_SYSREG;

	if (sysreg || e->reason == VCPU_EXIT_SECURE_CALL || e->reason == VCPU_EXIT_UNDEFINED ||
	    e->reason == VCPU_EXIT_WAIT_IRQ || e->reason == VCPU_EXIT_WAIT_EVENT)
		e->skip = (e->syndrome & ESR_COND_MASK) != ESR_COND_ALWAYS &&
			  !vcpu_condition_holds(e->syndrome, vcpu_get(v, VCPU_PSTATE));
	if (!sysreg)
		return;
	s->first = VCPU_NO_REG;
	if (e->write)
		e->value = vcpu_get_x(v, e->reg) | vcpu_get_x(v, e->reg2) << 32;
}

static void learn_exit_decoded(struct vcpu_sel4 *s, uint32_t esr,
			       const uint64_t *mr, struct vcpu_exit *e)
{
	s->answer = VCPU_ANSWER_EXIT;
	vcpu_decode_esr(esr, e);
	if (e->reason == VCPU_EXIT_SECURE_CALL ||
	    e->reason == VCPU_EXIT_HYPERCALL)
		learn_call(s, mr, e);
	else
		learn_access(s, mr, e);
	e->skip = false;
	if (s->cpu.narrow)
		learn_narrow(s, e);
}

static void learn_syscall(struct vcpu_sel4 *s, const uint64_t *mr,
			  struct vcpu_exit *e)
{
	s->answer = VCPU_ANSWER_SYSCALL;
	s->insn_bytes = 4;
	e->reason = VCPU_EXIT_HYPERCALL;
	for (unsigned i = 0; i < 4; i++)
		vcpu_learn(&s->cpu, VCPU_X0 + i, mr[i]);
	for (unsigned i = 4; i < 8; i++)
		vcpu_learn(&s->cpu, VCPU_X0 + i, sel4_ipcbuf->msg[i]);
	vcpu_learn(&s->cpu, VCPU_PC, sel4_ipcbuf->msg[ABI_SYSFAULT_IP]);
}

/* VMFault and VCPUFault say nothing of registers: they are fetched. */
static void learn_fault(struct vcpu_sel4 *s, uint64_t esr, struct vcpu_exit *e)
{
	vcpu_decode_esr(esr, e);
	s->insn_bytes = esr & ESR_IL ? 4 : 2;
	if (e->write && (e->reason == VCPU_EXIT_MMIO ||
			 e->reason == VCPU_EXIT_SYSREG))
		e->value = vcpu_get_x(&s->cpu, e->reg);
}

static void learn_other(struct vcpu_sel4 *s, uint64_t label, const uint64_t *mr,
			struct vcpu_exit *e)
{
	*e = (struct vcpu_exit){ .reason = VCPU_EXIT_UNKNOWN, .reg = 31, .reg2 = 31 };
	s->cpu.valid = s->cpu.dirty = 0;
	s->answer = VCPU_ANSWER_RESTART;
	switch (label) {
	case ABI_FAULT_VM:
		vcpu_learn(&s->cpu, VCPU_PC, mr[ABI_VMFAULT_IP]);
		learn_fault(s, mr[ABI_VMFAULT_FSR], e);
		e->gpa = e->gva = mr[ABI_VMFAULT_ADDR];
		break;
	case ABI_FAULT_VCPU:
		learn_fault(s, mr[0], e);
		break;
	case ABI_FAULT_UNKNOWN_SYSCALL:
		learn_syscall(s, mr, e);
		break;
	case ABI_FAULT_CAP:
		/* seL4 takes an HVC with a system call's number in x7 for one. */
		e->reason = VCPU_EXIT_HYPERCALL;
		s->insn_bytes = 4;
		vcpu_learn(&s->cpu, VCPU_PC, mr[ABI_CAPFAULT_IP]);
		break;
	case ABI_FAULT_VGIC_MAINTENANCE:
		e->reason = VCPU_EXIT_MAINTENANCE;
		e->code = mr[0] < 64 ? (uint16_t)mr[0] : VCPU_NO_INDEX;
		break;
	case ABI_FAULT_VPPI_EVENT:
		e->reason = VCPU_EXIT_TIMER;
		e->code = (uint16_t)mr[0];
		break;
	default:
		e->code = (uint16_t)label;
		e->syndrome = mr[0];
		break;
	}
}

static uint32_t syndrome_of(msginfo_t info)
{
	return (uint32_t)(msginfo_label(info) >> ABI_EXIT_SYNDROME_SHIFT);
}

/* The words come one by one, so that op_run needs no memory for them. */
__attribute__((noinline)) static void learn(struct vcpu_sel4 *s, struct vcpu_exit *e,
					    msginfo_t info, uint64_t mr0, uint64_t mr1,
					    uint64_t mr2, uint64_t mr3)
{
	const uint64_t mr[SEL4_MSG_REGS] = { mr0, mr1, mr2, mr3 };
	uint64_t label = msginfo_label(info);

	if ((uint8_t)label == ABI_EXT_FAULT_EXIT)
		learn_exit_decoded(s, syndrome_of(info), mr, e);
	else
		learn_other(s, label, mr, e);
}

__attribute__((noinline)) static void run_slowly(struct vcpu_sel4 *s,
						 struct vcpu_exit *e)
{
	const struct vcpu_caps *c = &s->caps;
	uint64_t mr[SEL4_MSG_REGS] = { 0 };
	uint64_t badge;
	msginfo_t info;

	if (s->answer != VCPU_ANSWER_NONE) {
		info = answer(s, mr);
		info = sel4_reply_recv(c->fault_ep, info, &badge, mr, c->reply);
	} else if (c->ready != 0) {
		info = sel4_nb_send_recv(c->ready, msginfo(0, 0, 0), mr,
					 c->fault_ep, &badge, c->reply);
	} else {
		info = sel4_recv(c->fault_ep, &badge, mr, c->reply);
	}
	s->cpu.advance = false;
	learn(s, e, info, mr[0], mr[1], mr[2], mr[3]);
}

/* The usual answers and exits do without the IPC buffer and without memory. */
static void op_run(struct vcpu *v, struct vcpu_exit *e)
{
	struct vcpu_sel4 *s = sel4_of(v);
	uint64_t mr[SEL4_MSG_REGS], badge;
	msginfo_t info;
	uint32_t esr;

	if (!answer_is_short(s)) {
		run_slowly(s, e);
		return;
	}
	mr[0] = v->reg[s->first];
	mr[1] = mr[2] = mr[3] = 0;
	info = sel4_reply_recv(s->caps.fault_ep,
			       msginfo(ABI_EXIT_DONE, 0, v->dirty != 0), &badge,
			       mr, s->caps.reply);
	v->advance = false;
	esr = syndrome_of(info);
	if ((uint8_t)msginfo_label(info) != ABI_EXT_FAULT_EXIT) {
		learn(s, e, info, mr[0], mr[1], mr[2], mr[3]);
	} else if (decode_is_mmio(esr)) {
		decode_mmio(esr, e);
		learn_access(s, mr, e);
	} else if (decode_is_hypercall(esr)) {
		decode_hypercall(esr, e);
		learn_call(s, mr, e);
	} else {
		learn(s, e, info, mr[0], mr[1], mr[2], mr[3]);
	}
}

static const struct vcpu_ops sel4_ops = {
	.fetch = op_fetch,
	.store = op_store,
	.run = op_run,
};

void vcpu_sel4_init(struct vcpu_sel4 *s, const struct vcpu_caps *caps)
{
	*s = (struct vcpu_sel4){ .caps = *caps };
	vcpu_init(&s->cpu, &sel4_ops);
	if ((caps->features & ABI_EXTF_EXIT_MESSAGE) &&
	    sel4_ext_vcpu_set_exit_message(caps->vcpu, 1) != ABI_OK)
		s->caps.features &= ~(uint64_t)ABI_EXTF_EXIT_MESSAGE;
}

bool vcpu_sel4_narrow(struct vcpu_sel4 *s)
{
	const uint64_t needed = ABI_EXTF_VCPU_WIDTH | ABI_EXTF_EXIT_MESSAGE;

	s->cpu.narrow = (s->caps.features & needed) == needed &&
			sel4_ext_vcpu_set_width(s->caps.vcpu, 32) == ABI_OK;
	return s->cpu.narrow;
}

bool vcpu_sel4_start(struct vcpu_sel4 *s)
{
	uint64_t dirty = s->cpu.dirty;

	if (!store_fields(s, dirty) ||
	    !store_context(s, (dirty & VCPU_CONTEXT_MASK) | vcpu_bit(VCPU_PC),
			   1))
		return false;
	s->cpu.valid = 0;
	s->cpu.dirty = 0;
	return true;
}

bool vcpu_sel4_read(const struct vcpu_sel4 *s, unsigned field, uint64_t *value)
{
	return sel4_vcpu_read_regs(s->caps.vcpu, field, value) == ABI_OK;
}

bool vcpu_sel4_write(const struct vcpu_sel4 *s, unsigned field, uint64_t value)
{
	return sel4_vcpu_write_regs(s->caps.vcpu, field, value) == ABI_OK;
}
