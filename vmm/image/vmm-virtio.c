/* A 64-bit Linux on board virt, with virtio devices. */
#include "part.h"

#include <stddef.h>

const struct vm_part *const vm_parts[] = {
	&part_virtio,
	&part_link,
	&part_passthrough,
	&part_watchdog,
	NULL,
};
