/*
 * System registers that trap: the ID registers, filtered to what the kernel
 * saves and restores for a vCPU, and a table of what happens on the others.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* ID registers are op0 3, op1 0, CRn 0; index = CRm << 3 | op2, CRm 0-7. */
#define SYSREG_IDS 64
#define SYSREG_ID(crm, op2) ((crm) << 3 | (op2))

struct sysreg_config {
	unsigned gic_version; /* 2 or 3 */
	unsigned pa_bits;     /* width of guest-physical addresses: 40 or 44 */
};

/*
 * What the guest reads: the machine's value with every field that is not
 * listed as supported read as "not implemented". Registers that no table
 * names read as 0.
 */
uint64_t sysreg_filter_id(const struct sysreg_config *c, unsigned index,
			  uint64_t machine);

enum sysreg_action {
	SYSREG_ID_READ,   /* an ID register: sysreg_filter_id */
	SYSREG_VALUE,     /* reads as *value, ignores writes */
	SYSREG_UNDEFINED, /* the guest takes an undefined-instruction exception */
	SYSREG_SGI1R,     /* writes generate SGIs of group 1 */
	SYSREG_SGI0R,     /* writes generate SGIs of group 0 */
	SYSREG_COUNTER,   /* reads the physical counter */
	SYSREG_CNTP_TVAL, /* the guest's physical timer */
	SYSREG_CNTP_CTL,
	SYSREG_CNTP_CVAL,
};

/* code: VCPU_SYSREG(). For SYSREG_VALUE *value is set. */
enum sysreg_action sysreg_lookup(uint16_t code, bool write, uint64_t *value);
/* The same for registers of CP15, whose codes are below this. */
#define SYSREG_CP15_END (2u << 14)
enum sysreg_action sysreg_narrow(uint16_t code, bool write, uint64_t *value);

/* --- What sysreg.c and sysreg_narrow.c share --- */

#define SYSREG_ANY 0xffu

struct sysreg_rule {
	uint8_t op0, op1, crn, crm, op2; /* SYSREG_ANY matches all */
	uint8_t action;
	bool writable; /* false: a write is undefined */
	bool readable;
	uint32_t value; /* SYSREG_VALUE */
	const char *name;
};

/* ICC_SRE_EL1: system registers only, bypass disabled. */
#define SYSREG_ICC_SRE 7

/* The first rule that matches decides; none: undefined. */
enum sysreg_action sysreg_find(const struct sysreg_rule *list, unsigned n, uint16_t code,
			       bool write, uint64_t *value);
