/* Trapped system registers. Sections: Arm ARM DDI 0487 D19.2. */
#include "sysreg.h"

#include <selvage/base.h>
#include <selvage/vcpu_arch.h>
#include <stddef.h>

/*
 * One field that the guest may see. Every other field reads as 0, which is
 * "not implemented" for the unsigned ones; the signed ones, for which 0 means
 * "implemented", are listed as SIGNED and keep a negative value.
 */
enum id_policy {
	ID_MAX,     /* unsigned: the machine's value, at most `limit` */
	ID_SIGNED,  /* signed: negative stays, else at most `limit` */
	ID_FIXED,   /* `limit` itself */
	ID_GIC,     /* ID_MAX on a machine with GICv3, else 0 */
	ID_PARANGE, /* ID_MAX, and no more than the guest's address space */
};

struct id_field {
	uint8_t index; /* SYSREG_ID() */
	uint8_t shift; /* fields are four bits wide */
	uint8_t policy;
	uint8_t limit;
	const char *name;
};

/* AArch32 views that are passed on as the machine has them: they describe what
 * EL0 may use in AArch32. ID_MMFR0-3, ID_ISAR0-5, ID_ISAR6, MVFR0-2. */
#define ID_PASSED (0xfull << SYSREG_ID(1, 4) | 0x3full << SYSREG_ID(2, 0) | \
		   1ull << SYSREG_ID(2, 7) | 7ull << SYSREG_ID(3, 0))

/* Sorted by register. What is absent on purpose: EL2, EL3, RAS, SVE, SME,
 * MTE, AMU, MPAM, PMU, SPE, trace, pointer authentication, LOR, NV, FGT, ECV,
 * TME, SPECRES, LS64, WFxT, MOPS: the kernel saves no state for them. */
static const struct id_field fields[] = {
	{ SYSREG_ID(1, 0), 0, ID_MAX, 15, "State0" },
	{ SYSREG_ID(1, 0), 4, ID_MAX, 15, "State1" },
	{ SYSREG_ID(1, 0), 8, ID_MAX, 15, "State2" },
	{ SYSREG_ID(1, 0), 12, ID_MAX, 15, "State3" },
	{ SYSREG_ID(1, 0), 16, ID_MAX, 1, "CSV2" },
	{ SYSREG_ID(1, 0), 24, ID_MAX, 1, "DIT" },
	{ SYSREG_ID(1, 1), 0, ID_MAX, 1, "ProgMod" },
	{ SYSREG_ID(1, 1), 16, ID_MAX, 1, "GenTimer" },
	{ SYSREG_ID(1, 1), 28, ID_GIC, 1, "GIC" },
	{ SYSREG_ID(1, 2), 0, ID_MAX, 6, "CopDbg" },
	{ SYSREG_ID(2, 6), 4, ID_MAX, 1, "AC2" },
	{ SYSREG_ID(2, 6), 8, ID_MAX, 1, "XNX" },
	{ SYSREG_ID(2, 6), 12, ID_MAX, 1, "CnP" },
	{ SYSREG_ID(2, 6), 16, ID_MAX, 2, "HPDS" },
	{ SYSREG_ID(3, 4), 0, ID_MAX, 1, "CSV3" },
	{ SYSREG_ID(3, 4), 4, ID_MAX, 1, "SSBS" },
	{ SYSREG_ID(4, 0), 0, ID_MAX, 2, "EL0" },
	{ SYSREG_ID(4, 0), 4, ID_MAX, 1, "EL1" },
	{ SYSREG_ID(4, 0), 16, ID_SIGNED, 1, "FP" },
	{ SYSREG_ID(4, 0), 20, ID_SIGNED, 1, "AdvSIMD" },
	{ SYSREG_ID(4, 0), 24, ID_GIC, 1, "GIC" },
	{ SYSREG_ID(4, 0), 48, ID_MAX, 1, "DIT" },
	{ SYSREG_ID(4, 0), 56, ID_MAX, 1, "CSV2" },
	{ SYSREG_ID(4, 0), 60, ID_MAX, 1, "CSV3" },
	{ SYSREG_ID(4, 1), 0, ID_MAX, 1, "BT" },
	{ SYSREG_ID(4, 1), 4, ID_MAX, 2, "SSBS" },
	/* Debug is RAZ/WI: architecture version 8 with the fewest resources,
	 * two breakpoints, two watchpoints, one context comparator. */
	{ SYSREG_ID(5, 0), 0, ID_FIXED, 6, "DebugVer" },
	{ SYSREG_ID(5, 0), 12, ID_FIXED, 1, "BRPs" },
	{ SYSREG_ID(5, 0), 20, ID_FIXED, 1, "WRPs" },
	{ SYSREG_ID(6, 0), 4, ID_MAX, 2, "AES" },
	{ SYSREG_ID(6, 0), 8, ID_MAX, 1, "SHA1" },
	{ SYSREG_ID(6, 0), 12, ID_MAX, 2, "SHA2" },
	{ SYSREG_ID(6, 0), 16, ID_MAX, 1, "CRC32" },
	{ SYSREG_ID(6, 0), 20, ID_MAX, 2, "Atomic" },
	{ SYSREG_ID(6, 0), 28, ID_MAX, 1, "RDM" },
	{ SYSREG_ID(6, 0), 32, ID_MAX, 1, "SHA3" },
	{ SYSREG_ID(6, 0), 36, ID_MAX, 1, "SM3" },
	{ SYSREG_ID(6, 0), 40, ID_MAX, 1, "SM4" },
	{ SYSREG_ID(6, 0), 44, ID_MAX, 1, "DP" },
	{ SYSREG_ID(6, 0), 48, ID_MAX, 1, "FHM" },
	{ SYSREG_ID(6, 0), 52, ID_MAX, 2, "TS" },
	{ SYSREG_ID(6, 0), 56, ID_MAX, 2, "TLB" },
	{ SYSREG_ID(6, 0), 60, ID_MAX, 1, "RNDR" },
	{ SYSREG_ID(6, 1), 0, ID_MAX, 2, "DPB" },
	{ SYSREG_ID(6, 1), 12, ID_MAX, 1, "JSCVT" },
	{ SYSREG_ID(6, 1), 16, ID_MAX, 1, "FCMA" },
	{ SYSREG_ID(6, 1), 20, ID_MAX, 2, "LRCPC" },
	{ SYSREG_ID(6, 1), 32, ID_MAX, 1, "FRINTTS" },
	{ SYSREG_ID(6, 1), 36, ID_MAX, 1, "SB" },
	{ SYSREG_ID(6, 1), 44, ID_MAX, 1, "BF16" },
	{ SYSREG_ID(6, 1), 48, ID_MAX, 1, "DGH" },
	{ SYSREG_ID(6, 1), 52, ID_MAX, 1, "I8MM" },
	{ SYSREG_ID(7, 0), 0, ID_PARANGE, 5, "PARange" },
	{ SYSREG_ID(7, 0), 4, ID_MAX, 2, "ASIDBits" },
	{ SYSREG_ID(7, 0), 8, ID_MAX, 1, "BigEnd" },
	{ SYSREG_ID(7, 0), 16, ID_MAX, 1, "BigEndEL0" },
	{ SYSREG_ID(7, 0), 20, ID_MAX, 1, "TGran16" },
	{ SYSREG_ID(7, 0), 24, ID_SIGNED, 0, "TGran64" },
	{ SYSREG_ID(7, 0), 28, ID_SIGNED, 0, "TGran4" },
	{ SYSREG_ID(7, 1), 0, ID_MAX, 2, "HAFDBS" },
	{ SYSREG_ID(7, 1), 12, ID_MAX, 2, "HPDS" },
	{ SYSREG_ID(7, 1), 20, ID_MAX, 3, "PAN" },
	{ SYSREG_ID(7, 1), 36, ID_MAX, 1, "ETS" },
	{ SYSREG_ID(7, 2), 0, ID_MAX, 1, "CnP" },
	{ SYSREG_ID(7, 2), 4, ID_MAX, 1, "UAO" },
	{ SYSREG_ID(7, 2), 16, ID_MAX, 1, "VARange" },
	{ SYSREG_ID(7, 2), 20, ID_MAX, 1, "CCIDX" },
	{ SYSREG_ID(7, 2), 28, ID_MAX, 1, "ST" },
	{ SYSREG_ID(7, 2), 32, ID_MAX, 1, "AT" },
	{ SYSREG_ID(7, 2), 36, ID_MAX, 1, "IDS" },
	{ SYSREG_ID(7, 2), 48, ID_MAX, 1, "TTL" },
	{ SYSREG_ID(7, 2), 52, ID_MAX, 2, "BBM" },
	{ SYSREG_ID(7, 2), 60, ID_MAX, 1, "E0PD" },
};

/* PARange's encoding of a width: 2 is 40 bits, 4 is 44 (D19.2.64). */
static unsigned parange_of(unsigned pa_bits)
{
	return pa_bits >= 44 ? 4 : 2;
}

static unsigned filter_field(const struct sysreg_config *c,
			     const struct id_field *f, unsigned value)
{
	unsigned limit = f->limit;

	switch (f->policy) {
	case ID_FIXED:
		return limit;
	case ID_SIGNED:
		if (value & 8)
			return value;
		break;
	case ID_GIC:
		if (c->gic_version != 3)
			return 0;
		break;
	case ID_PARANGE:
		limit = min_u32(limit, parange_of(c->pa_bits));
		break;
	default:
		break;
	}
	return min_u32(value, limit);
}

uint64_t sysreg_filter_id(const struct sysreg_config *c, unsigned index,
			  uint64_t machine)
{
	uint64_t result = 0;

	if (index >= SYSREG_IDS)
		return 0;
	if (ID_PASSED >> index & 1)
		return machine;
	for (unsigned i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct id_field *f = &fields[i];
		unsigned value = (unsigned)(machine >> f->shift) & 0xf;

		if (f->index == index)
			result |= (uint64_t)filter_field(c, f, value)
				  << f->shift;
	}
	return result;
}

/* --- The other trapped registers ----------------------------------------- */

#define ANY SYSREG_ANY

/* OSLSR_EL1: lock implemented (OSLM 0b10), unlocked. */
#define OSLSR_UNLOCKED 8

/* The first rule that matches decides; none: undefined. */
static const struct sysreg_rule rules[] = {
	{ 3, 0, 0, ANY, ANY, SYSREG_ID_READ, false, true, 0, "ID registers" },
	{ 3, 0, 12, 11, 5, SYSREG_SGI1R, true, false, 0, "ICC_SGI1R_EL1" },
	{ 3, 0, 12, 11, 6, SYSREG_SGI0R, true, false, 0, "ICC_ASGI1R_EL1" },
	{ 3, 0, 12, 11, 7, SYSREG_SGI0R, true, false, 0, "ICC_SGI0R_EL1" },
	{ 3, 0, 12, 12, 5, SYSREG_VALUE, true, true, SYSREG_ICC_SRE,
	  "ICC_SRE_EL1" },
	{ 3, 0, 1, 0, 1, SYSREG_VALUE, true, true, 0, "ACTLR_EL1" },
	/* Debug: no breakpoint ever hits, the OS lock is open. */
	{ 2, 0, 1, 0, 4, SYSREG_VALUE, true, false, 0, "OSLAR_EL1" },
	{ 2, 0, 1, 1, 4, SYSREG_VALUE, false, true, OSLSR_UNLOCKED,
	  "OSLSR_EL1" },
	{ 2, 0, ANY, ANY, ANY, SYSREG_VALUE, true, true, 0,
	  "debug registers" },
	{ 2, 3, 0, ANY, ANY, SYSREG_VALUE, true, true, 0, "DBGDTR, MDCCSR" },
	/* Physical timer and counter of EL1. */
	{ 3, 3, 14, 0, 1, SYSREG_COUNTER, false, true, 0, "CNTPCT_EL0" },
	{ 3, 3, 14, 2, 0, SYSREG_CNTP_TVAL, true, true, 0, "CNTP_TVAL_EL0" },
	{ 3, 3, 14, 2, 1, SYSREG_CNTP_CTL, true, true, 0, "CNTP_CTL_EL0" },
	{ 3, 3, 14, 2, 2, SYSREG_CNTP_CVAL, true, true, 0, "CNTP_CVAL_EL0" },
	/* Implementation-defined: firmware-minded guests set them. */
	{ 3, ANY, 11, ANY, ANY, SYSREG_VALUE, true, true, 0,
	  "implementation defined" },
	{ 3, ANY, 15, ANY, ANY, SYSREG_VALUE, true, true, 0,
	  "implementation defined" },
};

static bool matches(const struct sysreg_rule *r, uint16_t code)
{
	return r->op0 == code >> 14 &&
	       (r->op1 == ANY || r->op1 == (code >> 11 & 7)) &&
	       (r->crn == ANY || r->crn == (code >> 7 & 15)) &&
	       (r->crm == ANY || r->crm == (code >> 3 & 15)) &&
	       (r->op2 == ANY || r->op2 == (code & 7));
}

enum sysreg_action sysreg_find(const struct sysreg_rule *list, unsigned n, uint16_t code,
			       bool write, uint64_t *value)
{
	for (unsigned i = 0; i < n; i++) {
		const struct sysreg_rule *r = &list[i];

		if (!matches(r, code))
			continue;
		if (write ? !r->writable : !r->readable)
			return SYSREG_UNDEFINED;
		*value = r->value;
		return (enum sysreg_action)r->action;
	}
	return SYSREG_UNDEFINED;
}

enum sysreg_action sysreg_lookup(uint16_t code, bool write, uint64_t *value)
{
	return sysreg_find(rules, ARRAY_SIZE(rules), code, write, value);
}
