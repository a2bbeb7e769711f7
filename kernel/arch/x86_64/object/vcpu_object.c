/* VCPU invocations. */
#include <arch/vcpu.h>

#include <arch/cpu.h>
#include <arch/trap.h>
#include <arch/vmx.h>
#include <kernel/invoke.h>

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

static int write_registers(struct invocation *inv, struct vcpu *v)
{
	for (unsigned i = 0; i < 15; i++)
		vcpu_set_reg(v, vcpu_abi_reg(i), inv_arg(inv, i));
	return ABI_OK;
}

/* MSRs that the ABI names, and this processor has. The value is in MR0, though the reply's length
 * is 0. */
static int access_msr(struct invocation *inv, struct vcpu *v, bool write)
{
	word_t msr = inv_arg(inv, 0);
	bool is_register = msr >= MSR_STAR && msr <= MSR_FMASK;
	unsigned reg = ABI_VCPU_STAR + (unsigned)(msr - MSR_STAR);
	bool misc = vmx_on && !write && msr == MSR_VMX_MISC;

	if (inv->length < 1u + write || (!is_register && !misc))
		return ABI_ILLEGAL_OPERATION;
	if (write)
		vcpu_set_reg(v, reg, inv_arg(inv, 1));
	word_t value = misc ? msr_read(MSR_VMX_MISC) : vcpu_get_reg(v, reg);
	if (inv->call)
		arch_set_msg_reg(inv->thread, 0, value);
	return ABI_OK;
}

/* In an exit it does not: that may be what holds the interrupt up. */
static bool takes_irq(struct vcpu *v)
{
	const struct vmcb *c = &v->vmcb;

	return v->tcb && tcb_is_runnable(v->tcb) &&
	       (vmx_on ? vmx_takes_irq(v)
		       : c->rflags >> RFLAGS_IF_SHIFT & ~c->shadow & 1 &&
				 !(c->event & ABI_VCPU_EVENT_VALID || c->virq & VIRQ_PENDING));
}

/* ABI_VCPU_SET: set, values */
static int transfer_set(struct invocation *inv, struct vcpu *v, bool write)
{
	if (inv->length < 2)
		return ABI_TRUNCATED_MESSAGE;
	word_t set = inv_arg(inv, 1);
	if (set & ~(vmx_on ? VMX_REGS | (word_t)write << ABI_VCPU_IRQ
			   : (1ull << ABI_VCPU_REG_COUNT) - 1))
		return inv_invalid_argument(inv, 1);
	unsigned n = (unsigned)__builtin_popcountll(set);
	if (write && inv->length < 2 + n)
		return ABI_TRUNCATED_MESSAGE;
	for (unsigned i = 0; i < n; i++, set &= set - 1) {
		unsigned reg = (unsigned)__builtin_ctzll(set);
		if (write && reg == ABI_VCPU_IRQ &&
		    (vmx_on || inv_arg(inv, 2 + i) & ABI_VCPU_IRQ_NOW) && !takes_irq(v))
			return ABI_ILLEGAL_OPERATION;
		if (write)
			vcpu_set_reg(v, reg, inv_arg(inv, 2 + i));
		else
			inv_result(inv, i, vcpu_get_reg(v, reg));
	}
	return ABI_OK;
}

/* SVM's: exceptions, accesses to CRs, to DRs. */
static int control_invoke(struct invocation *inv, struct vcpu *v, bool write)
{
	word_t which = inv_arg(inv, 0) - ABI_VCPU_EXCEPTIONS;
	uint32_t *at[] = { &v->exceptions, &v->vmcb.cr_accesses, &v->vmcb.dr_accesses };

	if (which > 2 || inv->length < 1u + write)
		return ABI_ILLEGAL_OPERATION;
	if (write && inv_arg(inv, 1) >> 32)
		return inv_invalid_argument(inv, 1);
	if (write)
		*at[which] = (uint32_t)inv_arg(inv, 1);
	v->vmcb.exceptions = v->exceptions | GUEST_EXCEPTIONS;
	inv_result(inv, 0, *at[which]);
	return ABI_OK;
}

/* ABI_VCPU_FPU: part, its words. */
static int fpu_invoke(struct invocation *inv, struct vcpu *v, bool write)
{
	word_t part = inv_arg(inv, 1);

	if (inv->length < (write ? 4 : 2))
		return ABI_TRUNCATED_MESSAGE;
	if (part >= ABI_VCPU_FPU_PARTS || (write && part == ABI_VCPU_FPU_MXCSR))
		return inv_invalid_argument(inv, 1);
	word_t *at = fpu_words(&v->fpu) + 2 * part;
	for (unsigned i = 0; i < 2; i++) {
		at[i] = write ? inv_arg(inv, 2 + i) : at[i];
		inv_result(inv, i, at[i]);
	}
	return ABI_OK;
}

static int field_invoke(struct invocation *inv, struct vcpu *v, bool write)
{
	if (inv->length && inv_arg(inv, 0) == ABI_VCPU_FPU)
		return fpu_invoke(inv, v, write);
	if (inv->length && inv_arg(inv, 0) == ABI_VCPU_SET)
		return transfer_set(inv, v, write);
	return vmx_on ? vmx_field_invoke(inv, v, write) : control_invoke(inv, v, write);
}

int vcpu_invoke(struct invocation *inv)
{
	struct vcpu *v = cap_object(inv->cap);

	if (unlikely(!v->vmcb_paddr)) /* its first use: Retype of many must not take long */
		vmx_on ? vmx_vcpu_init(v) : svm_vcpu_init(v);
	switch (inv->label) {
	case ABI_INV_X86_VCPU_SET_TCB: return set_tcb(inv, v);
	case ABI_INV_X86_VCPU_READ_MSR: return access_msr(inv, v, false);
	case ABI_INV_X86_VCPU_WRITE_MSR: return access_msr(inv, v, true);
	case ABI_INV_X86_VCPU_READ_VMCS: return field_invoke(inv, v, false);
	case ABI_INV_X86_VCPU_WRITE_VMCS: return field_invoke(inv, v, true);
	case ABI_INV_X86_VCPU_WRITE_REGISTERS: return write_registers(inv, v);
	case ABI_EXT_VCPU_SET_EXIT_MESSAGE: return set_exit_message(inv, v);
	case ABI_EXT_VCPU_SET_DOORBELL: return doorbell_invoke(inv, v);
	default: return vmx_on ? vmx_ports_invoke(inv, v) : ABI_ILLEGAL_OPERATION;
	}
}
