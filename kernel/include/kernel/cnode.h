/* CNodes: tables of slots, and the resolution of capability pointers. */
#pragma once

#include <kernel/fault.h>
#include <kernel/slot.h>

static inline struct cap cap_cnode(struct slot *slots, unsigned radix,
				   unsigned guard_bits, word_t guard)
{
	return cap_make(CAP_CNODE, ptr_to_paddr(slots),
			radix | (word_t)guard_bits << 6, guard);
}
static inline unsigned cap_cnode_radix(struct cap c)
{
	return (unsigned)cap_sub_field(c, 0, 6);
}
static inline unsigned cap_cnode_guard_bits(struct cap c)
{
	return (unsigned)cap_sub_field(c, 6, 6);
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
