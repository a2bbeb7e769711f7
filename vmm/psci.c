/* PSCI and SMCCC version calls, table-driven by function number. */
#include "psci.h"

#include <selvage/base.h>
#include <string.h>

#define SUCCESS 0
#define NOT_SUPPORTED (-1)
#define INVALID_PARAMETERS (-2)
#define DENIED (-3)
#define ALREADY_ON (-4)
#define ON_PENDING (-5)
#define INTERNAL_FAILURE (-6)
#define INVALID_ADDRESS (-9)

#define PSCI_VERSION_1_1 0x10001
#define SMCCC_VERSION_1_1 0x10001
/* MIGRATE_INFO_TYPE: no Trusted OS, nothing to migrate. */
#define MIGRATE_NOT_NEEDED 2
/* CPU_SUSPEND's power_state in the original format: bit 16 is the type, the
 * bits that are neither type, level nor state number must be zero. */
#define POWER_STATE_POWERDOWN (1u << 16)
#define POWER_STATE_RESERVED 0xfcfe0000u

struct call {
	struct psci *p;
	unsigned vcpu;
	const uint64_t *args;
	uint64_t *result;
};

typedef enum psci_action (*call_handler)(const struct call *c);

/* Bit 30 of a function number: the call is a 64-bit one. */
#define SMC64 0x40000000u

/* SMC32 calls return 32 bits, sign-extended or not: Linux looks at 32. */
static enum psci_action ret(const struct call *c, int64_t value)
{
	*c->result = (uint64_t)value;
	return PSCI_RETURN;
}

/* A 32-bit call has 32-bit arguments (SMCCC 3.1). */
static uint64_t arg(const struct call *c, unsigned i)
{
	return c->args[0] & SMC64 ? c->args[i] : (uint32_t)c->args[i];
}

/* Affinity to vCPU number: Aff0 is the number, all else is 0. */
static bool find_target(const struct call *c, uint64_t affinity, unsigned *out)
{
	if (affinity >= c->p->n_vcpus)
		return false;
	*out = (unsigned)affinity;
	return true;
}

static enum psci_action do_version(const struct call *c)
{
	return ret(c, PSCI_VERSION_1_1);
}

/* Only standby states exist; a power-down request is met by the shallower
 * standby with a normal return, which 5.4.2 of the specification allows. */
static enum psci_action do_suspend(const struct call *c)
{
	if ((uint32_t)arg(c, 1) & POWER_STATE_RESERVED & ~POWER_STATE_POWERDOWN)
		return ret(c, INVALID_PARAMETERS);
	ret(c, SUCCESS);
	return PSCI_STANDBY;
}

static enum psci_action do_cpu_off(const struct call *c)
{
	c->p->power[c->vcpu] = PSCI_OFF;
	return PSCI_PARK;
}

static enum psci_action do_cpu_on(const struct call *c)
{
	unsigned target;

	if (!find_target(c, arg(c, 1), &target))
		return ret(c, INVALID_PARAMETERS);
	if (c->p->power[target] == PSCI_ON)
		return ret(c, ALREADY_ON);
	if (c->p->power[target] == PSCI_ON_PENDING)
		return ret(c, ON_PENDING);
	if (!c->p->env.entry_valid(c->p->env.opaque, arg(c, 2)))
		return ret(c, INVALID_ADDRESS);
	c->p->power[target] = PSCI_ON_PENDING;
	if (!c->p->env.cpu_on(c->p->env.opaque, target, arg(c, 2),
			      arg(c, 3))) {
		c->p->power[target] = PSCI_OFF;
		return ret(c, INTERNAL_FAILURE);
	}
	return ret(c, SUCCESS);
}

static enum psci_action do_affinity_info(const struct call *c)
{
	unsigned target;

	/* Level 0 only: higher ones are optional since PSCI 1.0. */
	if (arg(c, 2) != 0 || !find_target(c, arg(c, 1), &target))
		return ret(c, INVALID_PARAMETERS);
	switch (c->p->power[target]) {
	case PSCI_ON:
		return ret(c, 0);
	case PSCI_OFF:
		return ret(c, 1);
	default:
		return ret(c, 2);
	}
}

static enum psci_action do_migrate_info(const struct call *c)
{
	return ret(c, MIGRATE_NOT_NEEDED);
}

static enum psci_action do_system_off(const struct call *c)
{
	(void)c;
	return PSCI_VM_OFF;
}

static enum psci_action do_system_reset(const struct call *c)
{
	(void)c;
	return PSCI_VM_RESET;
}

/* Reset type 0 is SYSTEM_WARM_RESET; vendor types do not exist here. */
static enum psci_action do_system_reset2(const struct call *c)
{
	if ((uint32_t)arg(c, 1) != 0)
		return ret(c, (uint32_t)arg(c, 1) >> 31 ? NOT_SUPPORTED : INVALID_PARAMETERS);
	return PSCI_VM_RESET;
}

static enum psci_action do_smccc_version(const struct call *c)
{
	return ret(c, SMCCC_VERSION_1_1);
}

static enum psci_action do_psci_features(const struct call *c);
static enum psci_action do_smccc_features(const struct call *c);

#define PSCI_BASE 0x84000000u
#define PSCI_NUMBERS 0x1fu
#define SMCCC_VERSION 0x80000000u
#define SMCCC_ARCH_FEATURES 0x80000001u

/* By number. `wide`: there is a 64-bit call of that number, too. */
static const struct {
	call_handler handler;
	bool wide;
} table[PSCI_NUMBERS + 1] = {
	[0x00] = { do_version, false },
	[0x01] = { do_suspend, true },
	[0x02] = { do_cpu_off, false },
	[0x03] = { do_cpu_on, true },
	[0x04] = { do_affinity_info, true },
	[0x06] = { do_migrate_info, false },
	[0x08] = { do_system_off, false },
	[0x09] = { do_system_reset, false },
	[0x0a] = { do_psci_features, false },
	[0x12] = { do_system_reset2, true },
};

static call_handler find_handler(uint32_t function)
{
	uint32_t number = function & PSCI_NUMBERS;

	if ((function & ~(SMC64 | PSCI_NUMBERS)) == PSCI_BASE)
		return (function & SMC64) && !table[number].wide ? NULL : table[number].handler;
	if (function == SMCCC_VERSION)
		return do_smccc_version;
	return function == SMCCC_ARCH_FEATURES ? do_smccc_features : NULL;
}

bool psci_known(uint32_t function)
{
	return find_handler(function) != NULL;
}

static enum psci_action do_psci_features(const struct call *c)
{
	uint32_t function = (uint32_t)arg(c, 1);

	/* SMCCC_ARCH_FEATURES is asked about through itself only. */
	if (function == SMCCC_ARCH_FEATURES || !psci_known(function))
		return ret(c, NOT_SUPPORTED);
	return ret(c, SUCCESS); /* CPU_SUSPEND: original format, no OSI */
}

static enum psci_action do_smccc_features(const struct call *c)
{
	uint32_t function = (uint32_t)arg(c, 1);

	if (function == SMCCC_VERSION || function == SMCCC_ARCH_FEATURES)
		return ret(c, SUCCESS);
	return ret(c, NOT_SUPPORTED);
}

void psci_init(struct psci *p, unsigned n_vcpus, const struct psci_env *env)
{
	memset(p, 0, sizeof(*p));
	p->env = *env;
	p->n_vcpus = n_vcpus < PSCI_MAX_VCPUS ? n_vcpus : PSCI_MAX_VCPUS;
}

void psci_running(struct psci *p, unsigned vcpu)
{
	if (vcpu < p->n_vcpus)
		p->power[vcpu] = PSCI_ON;
}

enum psci_action psci_call(struct psci *p, unsigned vcpu,
			   const uint64_t args[4], uint64_t *result)
{
	call_handler handler = find_handler((uint32_t)args[0]);
	const struct call c = { p, vcpu, args, result };

	if (handler == NULL || vcpu >= p->n_vcpus)
		return ret(&c, NOT_SUPPORTED);
	return handler(&c);
}
