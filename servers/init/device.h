/* Devices of the machine that a server drives itself (selvage/serve.h). */
#pragma once

#include "machine.h"
#include "process.h"

/*
 * Gives the server, which does not run yet, the device's page, its interrupt, and a
 * piece of memory of known address that the device is to work in. The device can
 * reach all of the machine's memory all the same: there is no IOMMU. `what` it is,
 * for the capability dump. False: out of memory, or there is no such device.
 */
bool device_give(struct process *p, const struct machine_device *device, const char *what);
