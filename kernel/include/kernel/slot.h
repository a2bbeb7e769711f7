/*
 * Capability slots and the derivation list.
 *
 * All capabilities of the machine are in one doubly linked list, in pre-order
 * of the derivation tree; each knows its depth. The descendants of a slot are
 * the slots after it with a greater depth that cover the same object (untyped:
 * an object inside its range; badged: the same badge): see slot_is_parent_of.
 * Depth is bounded: nested untypeds (at most 44) plus original, badged, copy.
 *
 *   next  43..0 slot, 44 `original` (may have children), 51..45 depth
 *   prev  43..0 slot
 */
#pragma once

#include <kernel/cap.h>

struct slot {
	struct cap cap;
	word_t next, prev;
};
_Static_assert(sizeof(struct slot) == 32, "slot size is ABI");
