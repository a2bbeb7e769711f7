/* A guest of a PC with a PCI bus, for virtio devices. */
#include "part.h"

#include <stddef.h>

const struct vm_part *const vm_parts[] = {
	&part_pci, /* before what is plugged into it */
	&part_virtio,
	&part_link,
	NULL,
};
