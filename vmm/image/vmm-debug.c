/* Any guest, with virtio devices, and a debugger's stub: all the parts. */
#include "part.h"

#include <stddef.h>

const struct vm_part *const vm_parts[] = {
	&part_kick,
	&part_narrow,
	&part_a9,
	&part_gicc,
	&part_loader,
	&part_pci, /* before what is plugged into it */
	&part_virtio,
	&part_link,
	&part_serve,
	&part_passthrough,
	&part_debug,
	&part_watchdog,
	NULL,
};
