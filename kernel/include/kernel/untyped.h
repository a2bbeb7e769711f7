/* Untyped memory. */
#pragma once

#include <kernel/cap.h>

#define UNTYPED_DEVICE 64ull /* of cap_sub */

/*
 * The word w1 is the free offset. Memory that is not known to be zero (at
 * boot: all of it) comes with `free` = its size: the first retype, finding no
 * children, clears it.
 */
static inline struct cap cap_untyped(paddr_t base, unsigned bits, bool device, word_t free)
{
	return cap_make(CAP_UNTYPED, base, bits | (device ? UNTYPED_DEVICE : 0), free);
}
static inline unsigned cap_untyped_bits(struct cap c) { return (unsigned)cap_sub_field(c, 0, 6); }
static inline bool cap_untyped_is_device(struct cap c) { return cap_sub_field(c, 6, 1) != 0; }
