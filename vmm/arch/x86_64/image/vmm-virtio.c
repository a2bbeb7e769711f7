/* A guest of a PC with virtio devices. */
#include "part.h"

#include <stddef.h>

const struct vm_part *const vm_parts[] = {
	&part_virtio,
	&part_link,
	NULL,
};
