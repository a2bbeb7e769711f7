/* VCPU invocations. */
#include <arch/gic.h>
#include <arch/types.h>
#include <arch/vcpu.h>
#include <kernel/invoke.h>

#define PRIORITY_MAX 31

static int set_tcb(struct invocation *inv, struct vcpu *v)
{
	if (cap_type(inv_extra(inv, 0)) != CAP_TCB)
		return ABI_ILLEGAL_OPERATION;
	struct tcb *t = cap_object(inv_extra(inv, 0));
	/* The invoker's own registers are loaded as a native thread's. */
	if (t == inv->thread)
		return ABI_ILLEGAL_OPERATION;
	vcpu_bind(v, t);
	return ABI_OK;
}

/* virq, priority, group, list register in one word */
static int inject_irq(struct invocation *inv, struct vcpu *v)
{
	word_t w = inv_arg(inv, 0), virq = w & ABI_INJECT_VIRQ_MASK;
	word_t priority = w >> ABI_INJECT_PRIORITY_SHIFT & 0xff;
	word_t group = w >> ABI_INJECT_GROUP_SHIFT & 0xff;
	unsigned index = (unsigned)(w >> ABI_INJECT_INDEX_SHIFT & 0xff);

	if (virq > ABI_VIRQ_MAX)
		return inv_range(inv, 0, ABI_VIRQ_MAX);
	if (priority > PRIORITY_MAX)
		return inv_range(inv, 0, PRIORITY_MAX);
	if (group > 1)
		return inv_range(inv, 0, 1);
	if (index >= direct_user_lrs(v))
		return inv_range(inv, 0, direct_user_lrs(v) - 1);
	bool live = arch_cpu()->el1_owner == v;
	if ((live ? vgic_read_lr(index) : v->vgic.lr[index]) & LR_STATE_MASK)
		return ABI_DELETE_FIRST;

	uint64_t lr = virq | priority << (LR_PRIORITY_SHIFT + 3) | LR_PENDING | LR_EOI;
	v->vgic.lr[index] = group ? lr | LR_GROUP1 : lr;
	if (live)
		vgic_write_lr(index, v->vgic.lr[index]);
	return ABI_OK;
}

static int read_regs(struct invocation *inv, struct vcpu *v)
{
	word_t value;

	word_t field = inv_arg(inv, 0);
	if (field < ABI_VCPU_REG_COUNT)
		value = vcpu_read(v, (enum abi_vcpu_reg)field);
	else if (!SELVAGE_EXTENSIONS || !vcpu_read_ext(v, field, &value))
		return inv_invalid_argument(inv, 1);
	inv_result(inv, 0, value);
	return ABI_OK;
}

static int write_regs(struct invocation *inv, struct vcpu *v)
{
	word_t field = inv_arg(inv, 0), value = inv_arg(inv, 1);
	if (field < ABI_VCPU_REG_COUNT)
		vcpu_write(v, (enum abi_vcpu_reg)field, value);
	else if (!SELVAGE_EXTENSIONS || !vcpu_write_ext(v, field, value))
		return inv_invalid_argument(inv, 1);
	return ABI_OK;
}

static int ack_vppi(struct invocation *inv, struct vcpu *v)
{
	word_t irq = inv_arg(inv, 0);
	if (irq >= arch_irq_count())
		return inv_range(inv, 0, arch_irq_count() - 1);
	if (irq != PPI_VIRTUAL_TIMER)
		return inv_invalid_argument(inv, 0);
	v->vtimer_masked = false; /* vcpu_enter unmasks it */
	return ABI_OK;
}

static int set_traps(struct invocation *inv, struct vcpu *v)
{
	if (inv_arg(inv, 0) & ~ABI_EXT_TRAP_MASK)
		return inv_invalid_argument(inv, 0);
	v->hcr = (v->hcr & ~ABI_EXT_TRAP_MASK) | inv_arg(inv, 0);
	return ABI_OK;
}

static int set_exit_message(struct invocation *inv, struct vcpu *v)
{
	if (inv_arg(inv, 0) > 1)
		return inv_range(inv, 0, 1);
	v->exit_message = inv_arg(inv, 0);
	return ABI_OK;
}

static int set_width(struct invocation *inv, struct vcpu *v)
{
	word_t width = inv_arg(inv, 0);
	if (width != 32 && width != 64)
		return inv_range(inv, 32, 64);
	return vcpu_set_aarch32(v, width == 32) ? ABI_OK : inv_range(inv, 64, 64);
}

static int set_debug(struct invocation *inv, struct vcpu *v)
{
	word_t mode = inv_arg(inv, 0);
	if (mode > (ABI_EXT_DEBUG_EVENTS | ABI_EXT_DEBUG_STEP) || mode == ABI_EXT_DEBUG_STEP)
		return inv_invalid_argument(inv, 0);
	vcpu_set_debug(v, (uint8_t)mode);
	return ABI_OK;
}

int vcpu_invoke(struct invocation *inv)
{
	struct vcpu *v = cap_object(inv->cap);

	if (unlikely(!v->id)) /* its first use: Retype of many must not take long */
		vcpu_init(v);
	switch (inv->label) {
	case ABI_INV_ARM_VCPU_SET_TCB: return set_tcb(inv, v);
	case ABI_INV_ARM_VCPU_INJECT_IRQ: return inject_irq(inv, v);
	case ABI_INV_ARM_VCPU_READ_REGS: return read_regs(inv, v);
	case ABI_INV_ARM_VCPU_WRITE_REGS: return write_regs(inv, v);
	case ABI_INV_ARM_VCPU_ACK_VPPI: return ack_vppi(inv, v);
	case ABI_EXT_VCPU_SET_TRAPS: return set_traps(inv, v);
	case ABI_EXT_VCPU_SET_EXIT_MESSAGE: return set_exit_message(inv, v);
	case ABI_EXT_VCPU_SET_WIDTH: return set_width(inv, v);
	case ABI_EXT_VCPU_SET_DEBUG: return set_debug(inv, v);
	case ABI_EXT_VCPU_SET_DOORBELL: return doorbell_invoke(inv, v);
	default: return direct_invoke(inv, v);
	}
}
