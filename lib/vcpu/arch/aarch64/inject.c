/* The state at the start, and exceptions that the guest's EL1 takes (Arm ARM
 * D1.3, D1.4). */
#include "inject.h"

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

/* MMU and caches off; RES1 bits of Armv8.0 set (D19.2.118, G8.2.126). */
#define SCTLR_RESET 0x30d00800ull
#define SCTLR32_RESET 0x00c50878ull
#define PSTATE32_RESET 0x1d3ull /* supervisor mode, A, I, F masked */
#define PSTATE32_T 0x20ull

void vcpu_reset(struct vcpu *v, uint64_t entry)
{
	static const enum abi_vcpu_reg zeroed[] = {
		ABI_VCPU_CPACR_EL1,
		ABI_VCPU_TTBR0_EL1,
		ABI_VCPU_TTBR1_EL1,
		ABI_VCPU_TCR_EL1,
		ABI_VCPU_VBAR_EL1,
		ABI_VCPU_CNTV_CTL,
		ABI_VCPU_CNTKCTL_EL1,
	};
	bool thumb = v->narrow && (entry & 1);

	for (unsigned i = 0; i < sizeof(zeroed) / sizeof(zeroed[0]); i++)
		vcpu_set(v, vcpu_field(zeroed[i]), 0);
	vcpu_set(v, vcpu_field(ABI_VCPU_SCTLR_EL1), v->narrow ? SCTLR32_RESET : SCTLR_RESET);
	vcpu_set(v, VCPU_PC, thumb ? entry - 1 : entry);
	vcpu_set(v, VCPU_PSTATE,
		 v->narrow ? PSTATE32_RESET | (thumb ? PSTATE32_T : 0) : VCPU_PSTATE_RESET);
	for (unsigned i = 0; i < 4; i++)
		vcpu_set(v, VCPU_X0 + i, 0);
}

uint64_t vcpu_get_x(struct vcpu *v, unsigned number)
{
	uint64_t value = number < 31 ? vcpu_get(v, VCPU_X0 + number) : 0;

	return v->narrow ? (uint32_t)value : value;
}

void vcpu_set_x(struct vcpu *v, unsigned number, uint64_t value)
{
	if (number < 31)
		vcpu_set(v, VCPU_X0 + number, v->narrow ? (uint32_t)value : value);
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
	if (v->narrow) {
		inject32_undefined(v);
		return;
	}
	inject_sync(v, ESR_EC(0x00) | ESR_IL);
}

void vcpu_inject_break(struct vcpu *v, uint64_t esr)
{
	if (v->narrow)
		inject32_break(v);
	else /* the syndrome of BRK is the same at each exception level */
		inject_sync(v, esr);
}

void vcpu_inject_abort(struct vcpu *v, uint64_t far, bool fetch)
{
	uint64_t ec = fetch ? 0x20 : 0x24;

	if (v->narrow) {
		inject32_abort(v, (uint32_t)far, fetch);
		return;
	}
	if (!from_el0(vcpu_get(v, VCPU_PSTATE)))
		ec++;
	vcpu_set(v, vcpu_field(ABI_VCPU_FAR_EL1), far);
	inject_sync(v, ESR_EC(ec) | ESR_IL | FSC_EXTERNAL_ABORT);
}
