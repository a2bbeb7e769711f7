/* A guest's vector registers, which the kernel keeps as FXSAVE does (SDM 1, 10.5.1). */
#include <selvage/vcpu_sel4.h>

#include <selvage/sel4.h>

#define TOP_SHIFT 27             /* of FSW, bits 11 to 13 */
#define ALL_TAGS (0xffull << 32) /* none is empty */
#define STACK 8u
#define MMX_EXPONENT 0xffffull

static bool get(struct vcpu_sel4 *v, unsigned part, uint64_t word[2])
{
	return sel4_vcpu_read_fpu(v->caps.vcpu, part, word) == ABI_OK;
}

static bool set(struct vcpu_sel4 *v, unsigned part, const uint64_t word[2])
{
	return sel4_vcpu_write_fpu(v->caps.vcpu, part, word) == ABI_OK;
}

bool vcpu_sel4_get_xmm(struct vcpu_sel4 *v, unsigned reg, uint64_t value[2])
{
	return get(v, ABI_VCPU_FPU_XMM + reg, value);
}

bool vcpu_sel4_set_xmm(struct vcpu_sel4 *v, unsigned reg, const uint64_t value[2])
{
	return set(v, ABI_VCPU_FPU_XMM + reg, value);
}

/* The area has the registers as the stack has them, from its top on. */
static bool turn(struct vcpu_sel4 *v, unsigned top)
{
	uint64_t st[STACK][2];

	for (unsigned i = 0; i < STACK; i++)
		if (!get(v, ABI_VCPU_FPU_ST + i, st[(top + i) % STACK]))
			return false;
	for (unsigned i = 0; i < STACK; i++)
		if (!set(v, ABI_VCPU_FPU_ST + i, st[i]))
			return false;
	return true;
}

/* The top is register 0, and none is empty. */
static bool enter_mmx(struct vcpu_sel4 *v)
{
	uint64_t control[2];
	unsigned top;

	if (!get(v, ABI_VCPU_FPU_CONTROL, control))
		return false;
	top = control[0] >> TOP_SHIFT & (STACK - 1);
	if (top == 0 && (control[0] & ALL_TAGS) == ALL_TAGS)
		return true;
	if (top != 0 && !turn(v, top))
		return false;
	control[0] &= ~((uint64_t)(STACK - 1) << TOP_SHIFT);
	control[0] |= ALL_TAGS;
	return set(v, ABI_VCPU_FPU_CONTROL, control);
}

bool vcpu_sel4_get_mmx(struct vcpu_sel4 *v, unsigned reg, uint64_t *value)
{
	uint64_t word[2] = { 0 };
	const bool done = enter_mmx(v) && get(v, ABI_VCPU_FPU_ST + reg, word);

	*value = word[0];
	return done;
}

bool vcpu_sel4_set_mmx(struct vcpu_sel4 *v, unsigned reg, uint64_t value)
{
	const uint64_t word[2] = { value, MMX_EXPONENT };

	return enter_mmx(v) && set(v, ABI_VCPU_FPU_ST + reg, word);
}
