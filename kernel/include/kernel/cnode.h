/* CNodes: tables of slots, and the resolution of capability pointers. */
#pragma once

#include <kernel/fault.h>
#include <kernel/slot.h>

static inline struct cap cap_cnode(struct slot *slots, unsigned radix,
				   unsigned guard_bits, word_t guard)
{
	bool flat = radix + guard_bits == 64 && guard == 0;

	return cap_make(CAP_CNODE, ptr_to_paddr(slots),
			flat | radix << 1 | (word_t)guard_bits << 7, guard);
}
/* A CNode that resolves a whole pointer, small numbers without a guard. */
static inline bool cap_is_flat_cnode(struct cap c)
{
	return (c.w0 >> 44 & 63) == (CAP_CNODE | 1u << 5);
}
static inline unsigned cap_cnode_radix(struct cap c) { return (unsigned)cap_sub_field(c, 1, 6); }
static inline unsigned cap_cnode_guard_bits(struct cap c)
{
	return (unsigned)cap_sub_field(c, 7, 6);
}

/*
 * Resolves `bits` low bits of `cptr` from `root`. On success *out and the
 * bits left over after a slot that holds no CNode; else false and *failure.
 * At most 64 steps: every level consumes a bit.
 */
bool cnode_resolve(struct cap root, cptr_t cptr, unsigned bits, struct slot **out,
		   unsigned *bits_left, struct lookup_failure *failure);
/* As users' capability pointers: 64 bits from the thread's root. */
struct tcb;
struct slot *cnode_lookup(const struct tcb *t, cptr_t cptr, struct lookup_failure *f);
