#include "cpus.h"

#include <string.h>

/* Address sizes: ID_AA64MMFR0_EL1.PARange. Without SVE and SME in `max`: the
 * kernel saves neither. pauth-impdef: the architected algorithm is slow to
 * emulate. */
/* Of the model, what QEMU does not emulate, and would warn of. */
#define LACKED                                                                              \
	",-rdseed,-sha-ni,-fxsr-opt,-misalignsse,-3dnowprefetch,-osvw,-topoext,-nrip-save," \
	"-xsavec"
static const struct cpu cpus[] = {
	{ "cortex-a53", "cortex-a53", "pa40", 40, true, false },
	{ "cortex-a57", "cortex-a57", "pa44", 44, true, false },
	{ "cortex-a72", "cortex-a72", "pa44", 44, true, false },
	{ "cortex-a76", "cortex-a76", "pa40", 40, false, false },
	{ "max", "max,sve=off,sme=off,pauth-impdef=on", "pa44", 44, true, false },
	{ "epyc", "EPYC" LACKED, "pc", 47, false, true },
	{ "qemu64", "qemu64", "pc", 47, false, true },
};

const struct cpu *cpu_at(size_t index)
{
	if (index >= sizeof(cpus) / sizeof(cpus[0]))
		return NULL;
	return &cpus[index];
}

const struct cpu *cpu_find(const char *name)
{
	for (size_t i = 0; cpu_at(i); i++) {
		if (strcmp(cpus[i].name, name) == 0)
			return &cpus[i];
	}
	return NULL;
}
