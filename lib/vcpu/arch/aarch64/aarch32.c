/* AArch32 at EL1: banked registers and exceptions (Arm ARM G1.12, G1.15). */
#include "inject.h"

#define A32_MODE_MASK 0x1fu
#define A32_T (1u << 5)
#define A32_I (1u << 7)
#define A32_A (1u << 8)
#define A32_E (1u << 9)
#define A32_PAN (1u << 22)
#define A32_SSBS (1u << 23)
/* Exception entry clears these: mode, T, E, IT, IL, J. */
#define A32_CLEARED (A32_MODE_MASK | A32_T | A32_E | 0xfc00u | 1u << 20 | 0x07000000u)
#define A32_ABT 0x17u
#define A32_UND 0x1bu
#define SCTLR_V (1u << 13)
#define SCTLR_SPAN (1u << 23)
#define SCTLR_EE (1u << 25)
#define SCTLR_TE (1u << 30)
#define SCTLR_DSSBS (1u << 31)
#define HIGH_VECTORS 0xffff0000u
#define TTBCR_EAE (1u << 31)
/* Synchronous external abort, for either format of the tables (G8.2.48). */
#define FSR_SHORT 0x008u
#define FSR_LONG 0x210u
#define FSR_DEBUG_SHORT 0x002u
#define FSR_DEBUG_LONG 0x222u
#define VECTOR_UNDEFINED 0x4u
#define VECTOR_FETCH 0xcu
#define VECTOR_DATA 0x10u

/* r8-r14 of FIQ mode are X24-X30; r13 and r14 of the others by the mode's low
 * bits: usr and sys, (fiq), irq, svc, abt, und (D1.6.4). */
unsigned vcpu_r_number(unsigned r, uint64_t pstate)
{
	/* X number of r13: usr, irq, svc, abt, und, sys. */
	static const uint8_t sp[16] = { 13, 0, 17, 19, 0, 0, 0, 21, 0, 0, 0, 23, 0, 0, 0, 13 };
	unsigned mode = (unsigned)pstate & 0xf;

	if (r >= 15)
		return VCPU_NO_REG;
	if (r >= 8 && mode == 1)
		return r + 16;
	if (r < 13 || mode == 0 || mode == 15 || sp[mode] == 0)
		return r;
	return r == 13 ? sp[mode] : sp[mode] - 1u;
}

static uint32_t entry_cpsr(uint32_t old, uint32_t mode, uint32_t sctlr)
{
	uint32_t cpsr = (old & ~A32_CLEARED & ~A32_SSBS) | mode | A32_I;

	if (mode == A32_ABT)
		cpsr |= A32_A;
	if (sctlr & SCTLR_TE)
		cpsr |= A32_T;
	if (sctlr & SCTLR_EE)
		cpsr |= A32_E;
	if (!(sctlr & SCTLR_SPAN))
		cpsr |= A32_PAN;
	if (sctlr & SCTLR_DSSBS)
		cpsr |= A32_SSBS;
	return cpsr;
}

static void enter(struct vcpu *v, uint32_t mode, uint32_t vector, uint32_t lr_offset)
{
	uint32_t cpsr = (uint32_t)vcpu_get(v, VCPU_PSTATE);
	uint32_t sctlr = (uint32_t)vcpu_get(v, vcpu_field(ABI_VCPU_SCTLR_EL1));
	uint32_t base = (uint32_t)vcpu_get(v, vcpu_field(ABI_VCPU_VBAR_EL1));
	uint32_t pc = (uint32_t)vcpu_get(v, VCPU_PC);

	if (sctlr & SCTLR_V)
		base = HIGH_VECTORS;
	vcpu_set(v, mode == A32_UND ? VCPU_SPSR_UND : VCPU_SPSR_ABT, cpsr);
	vcpu_set(v, vcpu_r_number(14, mode), (uint32_t)(pc + lr_offset));
	/* AArch64's view keeps PAN in bit 22 as well, but not the low SSBS. */
	vcpu_set(v, VCPU_PSTATE, entry_cpsr(cpsr, mode, sctlr));
	vcpu_set(v, VCPU_PC, (uint32_t)(base + vector));
	v->advance = false;
}

void inject32_undefined(struct vcpu *v)
{
	enter(v, A32_UND, VECTOR_UNDEFINED, vcpu_get(v, VCPU_PSTATE) & A32_T ? 2 : 4);
}

/* IFAR is unknown then (G2.8). */
void inject32_break(struct vcpu *v)
{
	bool longs = vcpu_get(v, vcpu_field(ABI_VCPU_TCR_EL1)) & TTBCR_EAE;

	vcpu_set(v, VCPU_IFSR32, longs ? FSR_DEBUG_LONG : FSR_DEBUG_SHORT);
	enter(v, A32_ABT, VECTOR_FETCH, 4);
}

/* DFAR is the low half of FAR_EL1, IFAR the high one. */
void inject32_abort(struct vcpu *v, uint32_t address, bool fetch)
{
	bool longs = vcpu_get(v, vcpu_field(ABI_VCPU_TCR_EL1)) & TTBCR_EAE;
	uint64_t far = vcpu_get(v, vcpu_field(ABI_VCPU_FAR_EL1));
	uint32_t fsr = longs ? FSR_LONG : FSR_SHORT;

	if (fetch) {
		far = (uint32_t)far | (uint64_t)address << 32;
		vcpu_set(v, VCPU_IFSR32, fsr);
	} else {
		far = (far & ~0xffffffffull) | address;
		vcpu_set(v, vcpu_field(ABI_VCPU_ESR_EL1), fsr);
	}
	vcpu_set(v, vcpu_field(ABI_VCPU_FAR_EL1), far);
	enter(v, A32_ABT, fetch ? VECTOR_FETCH : VECTOR_DATA, fetch ? 4 : 8);
}
