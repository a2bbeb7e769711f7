/* Trapped registers of AArch32: those of AArch64 under their other names. */
#include "sysreg.h"

#include <selvage/base.h>

#define ANY SYSREG_ANY

/* The first rule that matches decides; none: undefined. */
static const struct sysreg_rule rules[] = {
	{ 0, 0, 0, ANY, ANY, SYSREG_ID_READ, false, true, 0, "ID registers (CP15)" },
	{ 0, 0, 1, 0, 1, SYSREG_VALUE, true, true, 0, "ACTLR" },
	{ 0, 0, 1, 0, 3, SYSREG_VALUE, true, true, 0, "ACTLR2" },
	{ 0, 0, 12, 12, 5, SYSREG_VALUE, true, true, SYSREG_ICC_SRE, "ICC_SRE" },
	{ 0, 0, 14, 2, 0, SYSREG_CNTP_TVAL, true, true, 0, "CNTP_TVAL" },
	{ 0, 0, 14, 2, 1, SYSREG_CNTP_CTL, true, true, 0, "CNTP_CTL" },
	{ 1, 0, 0, 12, 0, SYSREG_SGI1R, true, false, 0, "ICC_SGI1R" },
	{ 1, 1, 0, 12, 0, SYSREG_SGI0R, true, false, 0, "ICC_ASGI1R" },
	{ 1, 2, 0, 12, 0, SYSREG_SGI0R, true, false, 0, "ICC_SGI0R" },
	{ 1, 0, 0, 14, 0, SYSREG_COUNTER, false, true, 0, "CNTPCT" },
	{ 1, 2, 0, 14, 0, SYSREG_CNTP_CVAL, true, true, 0, "CNTP_CVAL" },
	/* Implementation-defined: firmware-minded guests set them. Of c9, c12 and
	 * above are the performance monitors', which there are not. */
	{ 0, ANY, 9, 12, ANY, SYSREG_UNDEFINED, true, true, 0, "PMCR, ..." },
	{ 0, ANY, 9, 13, ANY, SYSREG_UNDEFINED, true, true, 0, "PMCCNTR, ..." },
	{ 0, ANY, 9, 14, ANY, SYSREG_UNDEFINED, true, true, 0, "PMUSERENR, ..." },
	{ 0, ANY, 9, ANY, ANY, SYSREG_VALUE, true, true, 0, "implementation defined" },
	{ 0, ANY, 10, ANY, ANY, SYSREG_VALUE, true, true, 0, "implementation defined" },
	{ 0, ANY, 11, ANY, ANY, SYSREG_VALUE, true, true, 0, "implementation defined" },
	{ 0, ANY, 15, ANY, ANY, SYSREG_VALUE, true, true, 0, "implementation defined" },
};

enum sysreg_action sysreg_narrow(uint16_t code, bool write, uint64_t *value)
{
	return sysreg_find(rules, ARRAY_SIZE(rules), code, write, value);
}
