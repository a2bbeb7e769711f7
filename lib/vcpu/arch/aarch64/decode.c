/* ESR_EL2 to the unified exit record (Arm ARM DDI 0487 D17.2.37). */
#include "decode.h"

enum esr_class {
	EC_WFX = 0x01,
	EC_CP15 = 0x03,
	EC_CP15_64 = 0x04,
	EC_CP14 = 0x05,
	EC_VMRS = 0x08,
	EC_CP14_64 = 0x0c,
	EC_HVC32 = 0x12,
	EC_SMC32 = 0x13,
	EC_SMC64 = 0x17,
	EC_SYSREG = 0x18,
	EC_IABT_LOWER = 0x20,
};

static const char *const class_names[64] = {
	[0x00] = "unknown reason",
	[0x01] = "WFI or WFE",
	[0x03] = "MCR or MRC (CP15)",
	[0x04] = "MCRR or MRRC (CP15)",
	[0x05] = "MCR or MRC (CP14)",
	[0x06] = "LDC or STC (CP14)",
	[0x07] = "SIMD or floating point",
	[0x08] = "VMRS",
	[0x09] = "pointer authentication",
	[0x0a] = "LD64B or ST64B",
	[0x0c] = "MRRC (CP14)",
	[0x0d] = "branch target",
	[0x0e] = "illegal execution state",
	[0x11] = "SVC (AArch32)",
	[0x12] = "HVC (AArch32)",
	[0x13] = "SMC (AArch32)",
	[0x15] = "SVC",
	[0x16] = "HVC",
	[0x17] = "SMC",
	[0x18] = "MSR, MRS or system instruction",
	[0x19] = "SVE",
	[0x1a] = "ERET",
	[0x1c] = "pointer authentication failure",
	[0x1d] = "SME",
	[0x20] = "instruction abort",
	[0x21] = "instruction abort in EL2",
	[0x22] = "PC alignment",
	[0x24] = "data abort",
	[0x25] = "data abort in EL2",
	[0x26] = "SP alignment",
	[0x27] = "memory operation",
	[0x2c] = "floating-point exception",
	[0x2f] = "SError",
	[0x30] = "breakpoint",
	[0x32] = "software step",
	[0x34] = "watchpoint",
	[0x38] = "BKPT (AArch32)",
	[0x3c] = "BRK",
};

static unsigned esr_ec(uint64_t esr)
{
	return (unsigned)(esr >> 26) & 0x3f;
}

const char *vcpu_esr_class(uint64_t esr)
{
	const char *name = class_names[esr_ec(esr)];

	return name ? name : "reserved class";
}

const char *vcpu_esr_fault(uint64_t esr)
{
	static const char *const by_group[16] = {
		[0] = "address size fault",
		[1] = "translation fault",
		[2] = "access flag fault",
		[3] = "permission fault",
		[4] = "external abort",
		[5] = "external abort on a table walk",
		[6] = "parity or ECC error",
		[7] = "parity or ECC error on a table walk",
		[8] = "alignment fault",
		[12] = "TLB conflict or unsupported atomic",
		[13] = "lockdown or exclusive-access fault",
	};
	const char *name = by_group[esr >> 2 & 0xf];

	return name ? name : "reserved fault status";
}

/* CP15 and CP14 in one register have the ISS of the system registers, but for
 * op0. VMRS names MVFR2, 1, 0 as CRn 5, 6, 7, which are ID registers. */
static unsigned sysreg_op0(uint64_t esr)
{
	switch (esr_ec(esr)) {
	case EC_SYSREG:
		return esr >> 20 & 3;
	case EC_CP14:
		return 2;
	default:
		return 0;
	}
}

/* ISS: Op0 21:20, Op2 19:17, Op1 16:14, CRn 13:10, Rt 9:5, CRm 4:1, read 0. */
static void decode_sysreg(uint64_t esr, struct vcpu_exit *e)
{
	e->code = VCPU_SYSREG(sysreg_op0(esr), (esr >> 14 & 7),
			      (esr >> 10 & 15), (esr >> 1 & 15),
			      (esr >> 17 & 7));
	if (esr_ec(esr) == EC_VMRS)
		e->code = VCPU_SYSREG(0, 0, 0, 3, 7 - (esr >> 10 & 7));
	e->reg = (uint8_t)(esr >> 5 & 0x1f);
	e->size = esr_ec(esr) == EC_SYSREG ? 8 : 4;
}

/* ISS: Opc1 19:16, Rt2 14:10, Rt 9:5, CRm 4:1, read 0. */
static void decode_pair(uint64_t esr, struct vcpu_exit *e)
{
	unsigned op0 = esr_ec(esr) == EC_CP14_64 ? 2 : 1;

	/* No register has an opc1 above 7: those get a CRn that none has. */
	e->code = VCPU_SYSREG(op0, (esr >> 16 & 7), (esr >> 19 & 1) * 15, (esr >> 1 & 15), 0);
	e->reg = (uint8_t)(esr >> 5 & 0x1f);
	e->reg2 = (uint8_t)(esr >> 10 & 0x1f);
	e->size = 8;
}

/* Conditions by bits 3:1, the inverse if bit 0 is set; NZCV in bits 31:28. */
static bool condition(unsigned cond, uint64_t pstate)
{
	bool n = pstate >> 31 & 1, z = pstate >> 30 & 1, c = pstate >> 29 & 1,
	     v = pstate >> 28 & 1;
	const bool holds[8] = { z, c, n, v, c && !z, n == v, n == v && !z, true };

	return holds[cond >> 1] != ((cond & 1) && cond != 15);
}

#define PSTATE_NRW 0x10u
#define PSTATE_T 0x20u

/* ISS: COND 23:20, valid with CV 24. Without it ITSTATE has the condition in
 * bits 7:4 (pstate 15:12), if its low bits are not zero. */
bool vcpu_condition_holds(uint64_t esr, uint64_t pstate)
{
	uint64_t it = (pstate >> 25 & 3) | (pstate >> 8 & 0xfc);
	unsigned ec = esr_ec(esr);

	if (!(pstate & PSTATE_NRW) || !(ec == EC_WFX || (ec >= EC_CP15 && ec <= EC_VMRS) ||
					ec == EC_CP14_64 || ec == EC_SMC32))
		return true;
	if (esr >> 24 & 1)
		return condition(esr >> 20 & 15, pstate);
	return !(pstate & PSTATE_T) || !(it & 15) || condition((unsigned)it >> 4, pstate);
}

static enum vcpu_exit_reason reason_of(uint64_t esr)
{
	switch (esr_ec(esr)) {
	case EC_WFX:
		return esr & 1 ? VCPU_EXIT_WAIT_EVENT : VCPU_EXIT_WAIT_IRQ;
	case EC_SMC64:
	case EC_SMC32:
		return VCPU_EXIT_SECURE_CALL;
	case EC_HVC32:
		return VCPU_EXIT_HYPERCALL;
	case EC_SYSREG:
	case EC_CP15:
	case EC_CP15_64:
	case EC_CP14:
	case EC_CP14_64:
	case EC_VMRS:
		return VCPU_EXIT_SYSREG;
	case EC_IABT_LOWER:
		return VCPU_EXIT_FETCH;
	case EC_DABT_LOWER:
		return VCPU_EXIT_MMIO_OPAQUE;
	case 0x06:
	case 0x07:
	case 0x09:
	case 0x0a:
	case 0x19:
	case 0x1a:
	case 0x1d:
	case 0x00:
		return VCPU_EXIT_UNDEFINED;
	case 0x30:
	case 0x32:
	case 0x34:
	case 0x38:
	case 0x3c:
		return VCPU_EXIT_DEBUG;
	default:
		return VCPU_EXIT_UNKNOWN;
	}
}

void vcpu_decode_esr(uint64_t esr, struct vcpu_exit *e)
{
	if (decode_is_mmio(esr)) {
		decode_mmio(esr, e);
		return;
	}
	if (decode_is_hypercall(esr)) {
		decode_hypercall(esr, e);
		return;
	}
	e->reason = reason_of(esr);
	e->syndrome = esr;
	e->code = 0;
	e->reg = 31;
	e->size = 0;
	e->reg2 = 31;
	e->write = e->reason == VCPU_EXIT_SYSREG && !(esr & 1);
	if (esr_ec(esr) == EC_CP15_64 || esr_ec(esr) == EC_CP14_64)
		decode_pair(esr, e);
	else if (e->reason == VCPU_EXIT_SYSREG)
		decode_sysreg(esr, e);
	else if (e->reason == VCPU_EXIT_MMIO_OPAQUE)
		e->write = esr >> 6 & 1;
	else if (e->reason == VCPU_EXIT_SECURE_CALL || e->reason == VCPU_EXIT_HYPERCALL)
		e->code = (uint16_t)esr;
}

uint64_t vcpu_sign_extend(const struct vcpu_exit *e, uint64_t value)
{
	unsigned unused = 64u - e->size * 8u;

	value = (uint64_t)((int64_t)(value << unused) >> unused);
	return e->syndrome & ESR_SF ? value : (uint32_t)value;
}
