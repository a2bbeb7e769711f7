/* Any guest. */
#include "part.h"

#include <stddef.h>

const struct vm_part *const vm_parts[] = {
	&part_kick,
	&part_narrow,
	&part_a9,
	&part_gicc,
	&part_loader,
	&part_watchdog,
	NULL,
};
