/* Devices of the machine that a server drives itself (selvage/serve.h). */
#pragma once

#include "process.h"

/*
 * Gives the server, which does not run yet, the page of the device at `paddr` (one of
 * sysdesc_machine_device()'s), its interrupt, and a piece of memory of known address that
 * the device is to work in. The device can reach all of the machine's memory all the
 * same: there is no IOMMU. `what` it is, for the capability dump. False: out of memory.
 */
bool device_give(struct process *p, uint64_t paddr, const char *what);
