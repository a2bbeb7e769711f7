/* Any sequence of hypercalls from any vCPU: no vCPU number out of range
 * reaches the environment, and power states stay truthful. */
#include "psci.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define VCPUS 3u
static struct psci psci;

static bool cpu_on(void *opaque, unsigned vcpu, uint64_t entry,
		   uint64_t context)
{
	(void)opaque;
	(void)context;
	if (vcpu >= VCPUS || psci.power[vcpu] != PSCI_ON_PENDING)
		abort();
	return entry % 3 != 0;
}

static bool entry_valid(void *opaque, uint64_t entry)
{
	(void)opaque;
	return entry % 2 == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct psci_env env = {
		.cpu_on = cpu_on, .entry_valid = entry_valid
	};

	psci_init(&psci, VCPUS, &env);
	psci_running(&psci, 0);
	while (size >= 33) {
		uint64_t args[4], result;
		unsigned vcpu = data[0] % (VCPUS + 1);

		memcpy(args, data + 1, sizeof(args));
		data += 33;
		size -= 33;
		if (vcpu == VCPUS) {
			psci_running(&psci, (unsigned)args[0] % 8);
			continue;
		}
		if (psci.power[vcpu] == PSCI_OFF)
			continue;
		if (psci_call(&psci, vcpu, args, &result) == PSCI_PARK &&
		    psci.power[vcpu] != PSCI_OFF)
			abort();
	}
	return 0;
}
