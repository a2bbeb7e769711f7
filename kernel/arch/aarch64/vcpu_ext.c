/* Extension fields of a VCPU: virtual interrupts, machine ID registers. */
#include <arch/gic.h>
#include <arch/sysreg.h>
#include <arch/types.h>
#include <arch/vcpu.h>

#define VMCR_USER_MASK 0xfffc021full

/* Reads of what the assembler must know by number: op0 3, op1 0, CRn 0. */
/* clang-format off */
#define ID_ROW(X, m) X(m, 0) X(m, 1) X(m, 2) X(m, 3) X(m, 4) X(m, 5) X(m, 6) X(m, 7)
#define ID_REGS(X) \
	ID_ROW(X, 1) ID_ROW(X, 2) ID_ROW(X, 3) ID_ROW(X, 4) ID_ROW(X, 5) ID_ROW(X, 6) ID_ROW(X, 7)
/* clang-format on */

static word_t read_id(word_t index)
{
	switch (index) {
	case 0: return SYSREG_READ(midr_el1);
	case 5: return SYSREG_READ(mpidr_el1);
	case 6:
		return SYSREG_READ(revidr_el1);
#define X(m, op2)              \
	case (m) << 3 | (op2): \
		return SYSREG_READ(s3_0_c0_c##m##_##op2);
		ID_REGS(X)
#undef X
	default: return 0;
	}
}

/* A register that is only in memory while the VCPU is not loaded, and what of
 * it can be written; NULL: the field is none. */
static word_t *memory_of(struct vcpu *v, word_t field, word_t *mask)
{
	if (field - ABI_EXTV_DACR32 >= VCPU_REGS32)
		return debug_register(v, field, mask);
	*mask = 0xffffffff;
	return &v->regs32[field - ABI_EXTV_DACR32];
}

static uint32_t *apr_of(struct vcpu *v, word_t field)
{
	if (field >= ABI_EXTV_AP0R0 && field < ABI_EXTV_AP0R0 + VGIC_APRS)
		return &v->vgic.ap0r[field - ABI_EXTV_AP0R0];
	if (field >= ABI_EXTV_AP1R0 && field < ABI_EXTV_AP1R0 + VGIC_APRS)
		return &v->vgic.ap1r[field - ABI_EXTV_AP1R0];
	return NULL;
}

static bool is_lr(word_t field)
{
	return field >= ABI_EXTV_LR0 && field < ABI_EXTV_LR0 + vgic_lr_count();
}

/* All but list registers are rarely asked for: bring the state to memory. */
static bool settle(struct vcpu *v)
{
	if (arch_cpu()->el1_owner == v)
		vcpu_evict(v);
	return true;
}

bool vcpu_read_ext(struct vcpu *v, word_t field, word_t *value)
{
	uint32_t *apr = apr_of(v, field);
	word_t mask, *memory = memory_of(v, field, &mask);

	if (is_lr(field)) {
		unsigned i = (unsigned)(field - ABI_EXTV_LR0);
		*value = arch_cpu()->el1_owner == v ? vgic_read_lr(i) : v->vgic.lr[i];
		return true;
	}
	if (apr)
		return settle(v), *value = *apr, true;
	if (memory)
		return settle(v), *value = *memory, true;
	if (field >= ABI_EXTV_ID0 && field <= ABI_EXTV_ID_LAST)
		return *value = read_id(field - ABI_EXTV_ID0), true;
	if (field >= ABI_EXTV_DIRECT_ISPEND)
		return direct_read(v, field, value);
	switch (field) {
	case ABI_EXTV_VMCR: return settle(v), *value = v->vgic.vmcr, true;
	case ABI_EXTV_ICH_HCR: return *value = v->vgic.hcr, true;
	case ABI_EXTV_NUM_LRS: return *value = vgic_lr_count(), true;
	case ABI_EXTV_GIC_VERSION: return *value = gic_version(), true;
	default: return false;
	}
}

bool vcpu_write_ext(struct vcpu *v, word_t field, word_t value)
{
	uint32_t *apr = apr_of(v, field);
	word_t mask, *memory = memory_of(v, field, &mask);

	if (is_lr(field)) {
		unsigned i = (unsigned)(field - ABI_EXTV_LR0);
		if (i >= direct_user_lrs(v))
			return direct_write_lr(v, i, value & LR_USER_MASK);
		v->vgic.lr[i] = value & LR_USER_MASK;
		if (arch_cpu()->el1_owner == v)
			vgic_write_lr(i, v->vgic.lr[i]);
		return true;
	}
	if (apr)
		return settle(v), *apr = (uint32_t)value, true;
	if (memory)
		return settle(v), *memory = value & mask, true;
	if (field >= ABI_EXTV_DIRECT_ISPEND)
		return direct_write(v, field, value);
	switch (field) {
	case ABI_EXTV_VMCR:
		return settle(v), v->vgic.vmcr = (uint32_t)(value & VMCR_USER_MASK), true;
	case ABI_EXTV_ICH_HCR: /* takes effect when the guest runs next */
		v->vgic.hcr = ICH_HCR_EN | (uint32_t)(value & ICH_HCR_USER_MASK);
		return true;
	default: return false;
	}
}
