/* Exceptions that the guest's EL1 takes (Arm ARM D1.3, D1.4). */
#include <selvage/vcpu.h>

#define PSTATE_MODE_MASK 0x1full
#define PSTATE_NRW (1ull << 4)
#define PSTATE_EL_MASK 0xcull
#define PSTATE_EL1H 0x5ull
#define PSTATE_DAIF (0xfull << 6)
#define PSTATE_PAN (1ull << 22)
#define PSTATE_SSBS (1ull << 12)
#define PSTATE_NZCV (0xfull << 28)
#define PSTATE_DIT (1ull << 24)
#define SCTLR_SPAN (1ull << 23)
#define SCTLR_DSSBS (1ull << 44)

#define ESR_IL (1ull << 25)
#define ESR_EC(x) ((uint64_t)(x) << 26)
#define FSC_EXTERNAL_ABORT 0x10u

uint64_t vcpu_get_x(struct vcpu *v, unsigned number)
{
	return number < 31 ? vcpu_get(v, VCPU_X0 + number) : 0;
}

void vcpu_set_x(struct vcpu *v, unsigned number, uint64_t value)
{
	if (number < 31)
		vcpu_set(v, VCPU_X0 + number, value);
}

static bool from_el0(uint64_t pstate)
{
	return (pstate & PSTATE_NRW) || (pstate & PSTATE_EL_MASK) == 0;
}

static uint64_t vector_offset(uint64_t pstate)
{
	if (pstate & PSTATE_NRW)
		return 0x600;
	if ((pstate & PSTATE_EL_MASK) == 0)
		return 0x400;
	return pstate & 1 ? 0x200 : 0x000;
}

static uint64_t entry_pstate(uint64_t old, uint64_t sctlr)
{
	uint64_t pstate = PSTATE_EL1H | PSTATE_DAIF;

	pstate |= old & (PSTATE_NZCV | PSTATE_PAN | PSTATE_DIT);
	if (!(sctlr & SCTLR_SPAN))
		pstate |= PSTATE_PAN;
	if (sctlr & SCTLR_DSSBS)
		pstate |= PSTATE_SSBS;
	return pstate;
}

static void inject_sync(struct vcpu *v, uint64_t esr)
{
	uint64_t pstate = vcpu_get(v, VCPU_PSTATE);

	vcpu_set(v, vcpu_field(ABI_VCPU_ESR_EL1), esr);
	vcpu_set(v, vcpu_field(ABI_VCPU_SPSR_EL1), pstate);
	vcpu_set(v, vcpu_field(ABI_VCPU_ELR_EL1), vcpu_get(v, VCPU_PC));
	vcpu_set(v, VCPU_PSTATE,
		 entry_pstate(pstate,
			      vcpu_get(v, vcpu_field(ABI_VCPU_SCTLR_EL1))));
	vcpu_set(v, VCPU_PC,
		 vcpu_get(v, vcpu_field(ABI_VCPU_VBAR_EL1)) +
			 vector_offset(pstate));
	v->advance = false;
}

void vcpu_inject_undefined(struct vcpu *v)
{
	inject_sync(v, ESR_EC(0x00) | ESR_IL);
}

void vcpu_inject_abort(struct vcpu *v, uint64_t far, bool fetch)
{
	uint64_t ec = fetch ? 0x20 : 0x24;

	if (!from_el0(vcpu_get(v, VCPU_PSTATE)))
		ec++;
	vcpu_set(v, vcpu_field(ABI_VCPU_FAR_EL1), far);
	inject_sync(v, ESR_EC(ec) | ESR_IL | FSC_EXTERNAL_ABORT);
}
