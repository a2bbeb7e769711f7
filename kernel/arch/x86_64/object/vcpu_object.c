/* VCPU invocations. */
#include <arch/vcpu.h>

#include <arch/cpu.h>
#include <kernel/invoke.h>

#define MSR_VMX_MISC 0x485
#define RFLAGS_IF (1ull << 9)
#define DB_AC_MC (1u << 1 | 1u << 17 | 1u << 18)

static int set_tcb(struct invocation *inv, struct vcpu *v)
{
	if (cap_type(inv_extra(inv, 0)) != CAP_TCB)
		return ABI_ILLEGAL_OPERATION;
	struct tcb *t = cap_object(inv_extra(inv, 0));
	/* A caller that became a guest would have nobody to answer. */
	if (t == inv->thread && v->exit_message)
		return ABI_ILLEGAL_OPERATION;
	vcpu_bind(v, t);
	return ABI_OK;
}

static int set_exit_message(struct invocation *inv, struct vcpu *v)
{
	if (inv_arg(inv, 0) > 1)
		return inv_range(inv, 0, 1);
	if (v->tcb == inv->thread)
		return ABI_ILLEGAL_OPERATION;
	v->exit_message = inv_arg(inv, 0);
	if (v->tcb)
		vcpu_update_guest(v->tcb);
	return ABI_OK;
}

/* eax ebx ecx edx esi edi ebp r8-r15 */
static int write_registers(struct invocation *inv, struct vcpu *v)
{
	static const uint8_t order[] = { ABI_VCPU_RAX, ABI_VCPU_RBX, ABI_VCPU_RCX, ABI_VCPU_RDX,
					 ABI_VCPU_RSI, ABI_VCPU_RDI, ABI_VCPU_RBP };

	for (unsigned i = 0; i < 15; i++)
		vcpu_set_reg(v, i < 7 ? order[i] : ABI_VCPU_R8 + i - 7, inv_arg(inv, i));
	return ABI_OK;
}

/* MSRs that the ABI names, and this processor has. */
static unsigned msr_register(word_t msr)
{
	if (msr < MSR_STAR || msr > MSR_FMASK)
		return ABI_VCPU_REG_COUNT;
	return ABI_VCPU_STAR + (unsigned)(msr - MSR_STAR);
}

/* The value is in MR0, though the reply's length is 0. */
static int access_msr(struct invocation *inv, struct vcpu *v, bool write)
{
	if (inv->length < 1u + write)
		return ABI_ILLEGAL_OPERATION;
	unsigned reg = msr_register(inv_arg(inv, 0));
	if (reg == ABI_VCPU_REG_COUNT)
		return ABI_ILLEGAL_OPERATION;
	if (write)
		vcpu_set_reg(v, reg, inv_arg(inv, 1));
	if (inv->call)
		arch_set_msg_reg(inv->thread, 0, vcpu_get_reg(v, reg));
	return ABI_OK;
}

/* In an exit it does not: that may be what holds the interrupt up. */
static bool takes_irq(struct vcpu *v)
{
	return v->tcb && tcb_is_runnable(v->tcb) &&
	       vcpu_get_reg(v, ABI_VCPU_RFLAGS) & RFLAGS_IF &&
	       !vcpu_get_reg(v, ABI_VCPU_SHADOW) &&
	       !(vcpu_get_reg(v, ABI_VCPU_EVENT) & ABI_VCPU_EVENT_VALID) &&
	       !vcpu_get_reg(v, ABI_VCPU_IRQ);
}

/* ABI_VCPU_SET: set, values */
static int transfer_set(struct invocation *inv, struct vcpu *v, bool write)
{
	if (inv->length < 2)
		return ABI_TRUNCATED_MESSAGE;
	word_t set = inv_arg(inv, 1);
	if (set >> ABI_VCPU_REG_COUNT)
		return inv_invalid_argument(inv, 1);
	unsigned n = (unsigned)__builtin_popcountll(set);
	if (write && inv->length < 2 + n)
		return ABI_TRUNCATED_MESSAGE;
	for (unsigned i = 0; i < n; i++, set &= set - 1) {
		unsigned reg = (unsigned)__builtin_ctzll(set);
		if (write && reg == ABI_VCPU_IRQ && inv_arg(inv, 2 + i) & ABI_VCPU_IRQ_NOW &&
		    !takes_irq(v))
			return ABI_ILLEGAL_OPERATION;
		if (write)
			vcpu_set_reg(v, reg, inv_arg(inv, 2 + i));
		else
			inv_result(inv, i, vcpu_get_reg(v, reg));
	}
	return ABI_OK;
}

static int read_field(struct invocation *inv, struct vcpu *v)
{
	switch (inv->length ? inv_arg(inv, 0) : 0) {
	case ABI_VCPU_SET: return transfer_set(inv, v, false);
	case ABI_VCPU_EXCEPTIONS: inv_result(inv, 0, v->exceptions); return ABI_OK;
	case ABI_VCPU_CR_ACCESSES: inv_result(inv, 0, v->vmcb.cr_accesses); return ABI_OK;
	case ABI_VCPU_DR_ACCESSES: inv_result(inv, 0, v->vmcb.dr_accesses); return ABI_OK;
	default: return ABI_ILLEGAL_OPERATION;
	}
}

static int write_field(struct invocation *inv, struct vcpu *v)
{
	word_t field = inv->length ? inv_arg(inv, 0) : 0;

	if (field == ABI_VCPU_SET)
		return transfer_set(inv, v, true);
	if (inv->length < 2 || field < ABI_VCPU_EXCEPTIONS || field > ABI_VCPU_DR_ACCESSES)
		return ABI_ILLEGAL_OPERATION;
	uint32_t value = (uint32_t)inv_arg(inv, 1);
	if (value != inv_arg(inv, 1))
		return inv_invalid_argument(inv, 1);
	if (field == ABI_VCPU_EXCEPTIONS) {
		v->exceptions = value;
		v->vmcb.exceptions = value | DB_AC_MC;
	} else if (field == ABI_VCPU_CR_ACCESSES) {
		v->vmcb.cr_accesses = value;
	} else {
		v->vmcb.dr_accesses = value;
	}
	inv_result(inv, 0, value);
	return ABI_OK;
}

int vcpu_invoke(struct invocation *inv)
{
	struct vcpu *v = cap_object(inv->cap);

	if (unlikely(!v->vmcb_paddr)) /* its first use: Retype of many must not take long */
		svm_vcpu_init(v);
	switch (inv->label) {
	case ABI_INV_X86_VCPU_SET_TCB: return set_tcb(inv, v);
	case ABI_INV_X86_VCPU_READ_MSR: return access_msr(inv, v, false);
	case ABI_INV_X86_VCPU_WRITE_MSR: return access_msr(inv, v, true);
	case ABI_INV_X86_VCPU_READ_VMCS: return read_field(inv, v);
	case ABI_INV_X86_VCPU_WRITE_VMCS: return write_field(inv, v);
	case ABI_INV_X86_VCPU_WRITE_REGISTERS: return write_registers(inv, v);
	case ABI_EXT_VCPU_SET_EXIT_MESSAGE: return set_exit_message(inv, v);
	case ABI_EXT_VCPU_SET_DOORBELL: return doorbell_invoke(inv, v);
	default: return ABI_ILLEGAL_OPERATION; /* ports: the map is shared */
	}
}
