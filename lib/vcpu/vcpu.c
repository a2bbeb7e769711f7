/* Register cache: fetched when first asked for, written back when changed. */
#include <selvage/vcpu.h>
#include <string.h>

void vcpu_init(struct vcpu *v, const struct vcpu_ops *ops)
{
	memset(v, 0, sizeof(*v));
	v->ops = ops;
}

uint64_t vcpu_fetch(struct vcpu *v, unsigned reg)
{
	if (reg >= VCPU_MAX_REGS)
		return 0;
	if (!v->ops->fetch(v, vcpu_bit(reg))) {
		v->failed = true;
		return 0;
	}
	return v->reg[reg];
}

void vcpu_learn(struct vcpu *v, unsigned reg, uint64_t value)
{
	if (v->dirty & vcpu_bit(reg))
		return;
	v->reg[reg] = value;
	v->valid |= vcpu_bit(reg);
}

bool vcpu_flush(struct vcpu *v)
{
	if (v->dirty == 0)
		return true;
	if (!v->ops->store(v, v->dirty)) {
		v->failed = true;
		return false;
	}
	v->dirty = 0;
	return true;
}

void vcpu_forget(struct vcpu *v)
{
	v->valid = v->dirty;
}
