/* Devices of the machine that a server drives itself (selvage/serve.h). */
#pragma once

#include "process.h"

/* That page of the machine's registers, into the process at `vaddr`. */
bool device_map(struct process *p, uint64_t page, uint64_t vaddr, const char *what);
/*
 * Gives the server, which does not run yet, the registers of the machine's device of that
 * kind (SYSDESC_MACHINE_NIC, _E1000, _DISK), its interrupt, and a piece of memory of known address
 * that the device is to work in. The device can reach all of the machine's memory all the
 * same: there is no IOMMU. A machine without such a device: nothing, and the log says so.
 * `what` it is, for people. False: out of memory.
 */
bool device_give(struct process *p, uint32_t kind, const char *what);
