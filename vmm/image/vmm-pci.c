/* A 64-bit Linux on board virt, with a PCI bus, for virtio devices or to serve some to
 * other VMs. */
#include "part.h"

#include <stddef.h>

const struct vm_part *const vm_parts[] = {
	&part_pci, /* before what is plugged into it */
	&part_virtio,
	&part_link,
	&part_serve,
	&part_passthrough,
	&part_watchdog,
	NULL,
};
