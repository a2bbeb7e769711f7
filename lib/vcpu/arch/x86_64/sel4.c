/*
 * The back end on the kernel's objects: exits are messages, and most answers
 * hold all that the guest is to have: RAX to RBX, as far as they changed.
 */
#include <selvage/vcpu_sel4.h>

#include "decode.h"

#include <selvage/sel4.h>
#include <string.h>

#define CALL_REGS 4u /* RAX, RCX, RDX, RBX: numbers 0 to 3 */

static struct vcpu_sel4 *sel4_of(struct vcpu *v) { return (struct vcpu_sel4 *)v; }

static bool op_fetch(struct vcpu *v, uint64_t mask)
{
	uint64_t value[VCPU_MAX_REGS];

	mask &= ~v->valid;
	if (vmx_read_set(&sel4_of(v)->vmx, mask, value) != ABI_OK)
		return false;
	for (; mask; mask &= mask - 1)
		vcpu_learn(v, (unsigned)__builtin_ctzll(mask), value[__builtin_ctzll(mask)]);
	return true;
}

static bool op_store(struct vcpu *v, uint64_t mask)
{
	return vmx_write_set(&sel4_of(v)->vmx, mask, v->reg) == ABI_OK;
}

/* The advance as a plain write of RIP, unless something set it. */
static void advance_rip(struct vcpu_sel4 *s)
{
	struct vcpu *v = &s->cpu;

	if (v->advance && !(v->dirty & vcpu_bit(VCPU_RIP))) {
		vcpu_set(v, VCPU_RIP, vcpu_get(v, VCPU_RIP) + s->insn_bytes);
		vcpu_set(v, VCPU_SHADOW, 0);
	}
}

/* Words of an answer that holds everything, or -1. */
static inline int short_answer(const struct vcpu_sel4 *s)
{
	uint64_t dirty = s->cpu.dirty;

	if (!s->cpu.advance || !s->carried || dirty >> CALL_REGS)
		return -1;
	return dirty ? 64 - __builtin_clzll(dirty) : 0;
}

/* The same for an access: RIP, perhaps a general register and RFLAGS. */
static int access_answer(const struct vcpu_sel4 *s, uint64_t *mr)
{
	const struct vcpu *v = &s->cpu;
	const uint64_t always = vcpu_bit(VCPU_RIP) | vcpu_bit(VCPU_SHADOW);
	const uint64_t gpr = v->dirty & (vcpu_bit(VCPU_RIP) - 1);
	const bool flags = v->dirty & vcpu_bit(VCPU_RFLAGS);

	if (!s->accessed || (v->dirty & ~gpr & ~vcpu_bit(VCPU_RFLAGS)) != always ||
	    gpr & (gpr - 1) || v->reg[VCPU_SHADOW] != 0)
		return -1;
	mr[0] = v->reg[VCPU_RIP];
	mr[1] = gpr ? (unsigned)__builtin_ctzll(gpr) : VCPU_RAX;
	mr[2] = v->reg[mr[1]];
	mr[3] = v->reg[VCPU_RFLAGS];
	return flags ? 4 : gpr ? 3
			       : 1;
}

static msginfo_t answer(struct vcpu_sel4 *s, uint64_t *mr)
{
	int n = short_answer(s);

	if (n >= 0) {
		for (unsigned i = 0; i < CALL_REGS; i++)
			mr[i] = s->cpu.reg[i];
		return msginfo(ABI_EXIT_DONE, 0, (unsigned)n);
	}
	advance_rip(s);
	n = access_answer(s, mr);
	if (n >= 0)
		return msginfo(ABI_EXIT_DONE, 0, (unsigned)n);
	(void)vcpu_flush(&s->cpu);
	return msginfo(ABI_EXIT_AGAIN, 0, 0);
}

static void learn(struct vcpu_sel4 *s, uint64_t label, const uint64_t *mr, struct vcpu_exit *e)
{
	struct vcpu *v = &s->cpu;

	v->valid = v->dirty = 0;
	v->advance = false;
	s->exited = true;
	s->carried = 0;
	s->insn_bytes = 0;
	s->accessed = false;
	if ((uint8_t)label != ABI_EXT_FAULT_EXIT) {
		*e = (struct vcpu_exit){ .reason = VCPU_EXIT_UNKNOWN, .syndrome = mr[0] };
		e->code = (uint16_t)label;
		return;
	}
	vcpu_decode_exit(label, mr, e);
	s->insn_bytes = (uint8_t)exit_bytes(label);
	if (exit_is_access(label)) {
		/* Of others VT-x has no such answer. */
		s->accessed = !s->vmx.on || exit_reason(label) == ABI_EXIT_PAGE;
		memcpy(v->reg, &sel4_ipcbuf->msg[ABI_EXIT_STATE_WORD],
		       ABI_EXIT_STATE * sizeof(v->reg[0]));
		v->valid = vcpu_bit(ABI_EXIT_STATE) - 1;
	} else {
		for (unsigned i = 0; i < CALL_REGS; i++)
			v->reg[i] = mr[i];
		v->valid = vcpu_bit(CALL_REGS) - 1;
		s->carried = s->insn_bytes ? CALL_REGS : 0;
		if (label & ABI_EXIT_STEPPED) /* #DB follows */
			(void)op_fetch(v, vcpu_bit(VCPU_RFLAGS));
	}
}

static void op_run(struct vcpu *v, struct vcpu_exit *e)
{
	struct vcpu_sel4 *s = sel4_of(v);
	const struct vcpu_caps *c = &s->caps;
	uint64_t mr[SEL4_MSG_REGS] = { 0 }, badge;
	msginfo_t info;

	if (s->exited) {
		info = answer(s, mr);
		info = sel4_reply_recv(c->fault_ep, info, &badge, mr, c->reply);
	} else if (c->ready) {
		info = sel4_nb_send_recv(c->ready, msginfo(0, 0, 0), mr, c->fault_ep, &badge,
					 c->reply);
	} else {
		info = sel4_recv(c->fault_ep, &badge, mr, c->reply);
	}
	uint64_t label = msginfo_label(info);
	while (exit_is_raw(label) && !vmx_exit(&s->vmx, &label, mr)) {
		info = msginfo(ABI_EXIT_AGAIN, 0, 0);
		info = sel4_reply_recv(c->fault_ep, info, &badge, mr, c->reply);
		label = msginfo_label(info);
	}
	learn(s, label, mr, e);
}

static const struct vcpu_ops sel4_ops = {
	.fetch = op_fetch,
	.store = op_store,
	.run = op_run,
};

bool vcpu_sel4_init(struct vcpu_sel4 *s, const struct vcpu_caps *caps)
{
	*s = (struct vcpu_sel4){ .caps = *caps };
	vcpu_init(&s->cpu, &sel4_ops);
	return caps->features & ABI_EXTF_EXIT_MESSAGE &&
	       sel4_ext_vcpu_set_exit_message(caps->vcpu, 1) == ABI_OK &&
	       vmx_vcpu_init(&s->vmx, caps->vcpu);
}

bool vcpu_sel4_start(struct vcpu_sel4 *s)
{
	if (!vcpu_flush(&s->cpu) || sel4_tcb_resume(s->caps.tcb) != ABI_OK)
		return false;
	s->cpu.valid = 0;
	return true;
}

bool vcpu_sel4_write(struct vcpu_sel4 *s, unsigned field, uint32_t value)
{
	return vmx_write_control(&s->vmx, field, value) == ABI_OK;
}
