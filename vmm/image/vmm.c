/* A 64-bit Linux on board virt: no parts. */
#include "part.h"

#include <stddef.h>

const struct vm_part *const vm_parts[] = { NULL };
