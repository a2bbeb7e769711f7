/* A 64-bit Linux on board virt, with virtio devices on a PCI bus. */
#include "part.h"

#include <stddef.h>

const struct vm_part *const vm_parts[] = {
	&part_pci, /* before what is plugged into it */
	&part_virtio,
	&part_link,
	NULL,
};
