/* Any guest of a PC, and a debugger's stub: all the parts. */
#include "part.h"

#include <stddef.h>

const struct vm_part *const vm_parts[] = {
	&part_pci, /* before what is plugged into it */
	&part_virtio,
	&part_link,
	&part_debug,
	NULL,
};
