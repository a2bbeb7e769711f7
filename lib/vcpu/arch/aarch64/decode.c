/* ESR_EL2 to the unified exit record (Arm ARM DDI 0487 D17.2.37). */
#include "decode.h"

enum esr_class {
	EC_WFX = 0x01,
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

/* ISS: Op0 21:20, Op2 19:17, Op1 16:14, CRn 13:10, Rt 9:5, CRm 4:1, read 0. */
static void decode_sysreg(uint64_t esr, struct vcpu_exit *e)
{
	e->code = VCPU_SYSREG((esr >> 20 & 3), (esr >> 14 & 7),
			      (esr >> 10 & 15), (esr >> 1 & 15),
			      (esr >> 17 & 7));
	e->reg = (uint8_t)(esr >> 5 & 0x1f);
	e->write = !(esr & 1);
	e->size = 8;
}

static enum vcpu_exit_reason reason_of(uint64_t esr)
{
	switch (esr_ec(esr)) {
	case EC_WFX:
		return esr & 1 ? VCPU_EXIT_WAIT_EVENT : VCPU_EXIT_WAIT_IRQ;
	case EC_SMC64:
		return VCPU_EXIT_SECURE_CALL;
	case EC_SYSREG:
		return VCPU_EXIT_SYSREG;
	case EC_IABT_LOWER:
		return VCPU_EXIT_FETCH;
	case EC_DABT_LOWER:
		return VCPU_EXIT_MMIO_OPAQUE;
	case 0x03:
	case 0x04:
	case 0x05:
	case 0x06:
	case 0x07:
	case 0x08:
	case 0x09:
	case 0x0a:
	case 0x0c:
	case 0x12:
	case 0x13:
	case 0x19:
	case 0x1a:
	case 0x1d:
	case 0x00:
		return VCPU_EXIT_UNDEFINED;
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
	e->write = false;
	if (e->reason == VCPU_EXIT_SYSREG)
		decode_sysreg(esr, e);
	else if (e->reason == VCPU_EXIT_MMIO_OPAQUE)
		e->write = esr >> 6 & 1;
	else if (e->reason == VCPU_EXIT_SECURE_CALL)
		e->code = (uint16_t)esr;
}

uint64_t vcpu_sign_extend(const struct vcpu_exit *e, uint64_t value)
{
	unsigned unused = 64u - e->size * 8u;

	value = (uint64_t)((int64_t)(value << unused) >> unused);
	return e->syndrome & ESR_SF ? value : (uint32_t)value;
}
