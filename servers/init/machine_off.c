#include "machine_off.h"

#include <abi/bootinfo.h>
#include <selvage/log.h>
#include <selvage/sel4.h>

/* PSCI 1.1 (Arm DEN 0022), 5.1. */
#define PSCI_SYSTEM_OFF 0x84000008u

static bool requested;

void machine_off_request(void) { requested = true; }
bool machine_off_requested(void) { return requested; }

void machine_off(void)
{
	const uint64_t args[8] = { PSCI_SYSTEM_OFF };
	uint64_t results[8];

	if (sel4_smc_call(ABI_ROOT_SMC, args, results) != ABI_OK)
		log_error("the kernel gives no SMC capability: the machine stays on");
	requested = false; /* not tried again */
}
