#include "cspace.h"

#include <selvage/base.h>

/* The smallest normal untyped of at least 2^bits bytes. */
static cap_t pick_untyped(const struct abi_bootinfo *bi, unsigned bits)
{
	cap_t best = 0;
	unsigned best_bits = 64;

	for (uint64_t i = 0; i < bi->untyped.end - bi->untyped.start; i++) {
		const struct abi_untyped_desc *u = &bi->untyped_list[i];

		if (!u->is_device && u->size_bits >= bits && u->size_bits < best_bits) {
			best = bi->untyped.start + i;
			best_bits = u->size_bits;
		}
	}
	return best;
}

/* Capabilities that the calls of the move itself need stay and are copied. */
static bool stays(cap_t slot, cap_t fresh)
{
	return slot == ABI_ROOT_TCB || slot == ABI_ROOT_CNODE ||
	       slot == ABI_ROOT_VSPACE || slot == fresh;
}

/* Moves slot by slot; empty slots answer FAILED_LOOKUP and are skipped. */
static bool move_all(cap_t fresh, uint64_t end)
{
	for (cap_t slot = 1; slot < end; slot++) {
		int error = ABI_OK;

		if (slot == ABI_ROOT_TCB || slot == ABI_ROOT_VSPACE)
			error = sel4_cnode_copy(fresh, slot, CSPACE_BITS, ABI_ROOT_CNODE,
						slot, CSPACE_DEPTH, ABI_RIGHTS_ALL);
		else if (!stays(slot, fresh))
			error = sel4_cnode_move(fresh, slot, CSPACE_BITS, ABI_ROOT_CNODE,
						slot, CSPACE_DEPTH);
		if (error != ABI_OK && error != ABI_FAILED_LOOKUP)
			return false;
	}
	return true;
}

const char *cspace_init(const struct abi_bootinfo *bi, uint64_t *next_slot,
			cap_t *used_untyped)
{
	const uint64_t data = sel4_cnode_data(0, CSPACE_DEPTH - CSPACE_BITS);
	cap_t fresh = (*next_slot)++;

	*used_untyped = pick_untyped(bi, CSPACE_BITS + ABI_SLOT_BITS);
	if (*used_untyped == 0)
		return "no untyped is large enough for init's CNode";
	if (sel4_untyped_retype(*used_untyped, ABI_ROOT_CNODE, ABI_OBJ_CNODE, CSPACE_BITS,
				0, 0, fresh, 1) != ABI_OK)
		return "cannot make init's CNode";
	if (!move_all(fresh, bi->empty.start) ||
	    sel4_cnode_mint(fresh, ABI_ROOT_CNODE, CSPACE_BITS, ABI_ROOT_CNODE, fresh,
			    CSPACE_DEPTH, ABI_RIGHTS_ALL, data) != ABI_OK)
		return "cannot fill init's CNode";
	if (sel4_tcb_set_space(ABI_ROOT_TCB, 0, fresh, ABI_ROOT_VSPACE, data, 0) != ABI_OK)
		return "cannot move into init's CNode";
	return NULL;
}

int cspace_copy(cap_t dest, cap_t src, uint64_t rights)
{
	return sel4_cnode_copy(ABI_ROOT_CNODE, dest, CSPACE_DEPTH, ABI_ROOT_CNODE, src,
			       CSPACE_DEPTH, rights);
}

int cspace_mint(cap_t dest, cap_t src, uint64_t rights, uint64_t badge)
{
	return sel4_cnode_mint(ABI_ROOT_CNODE, dest, CSPACE_DEPTH, ABI_ROOT_CNODE, src,
			       CSPACE_DEPTH, rights, badge);
}

int cspace_delete(cap_t slot)
{
	return sel4_cnode_delete(ABI_ROOT_CNODE, slot, CSPACE_DEPTH);
}

int cspace_revoke(cap_t slot)
{
	return sel4_cnode_revoke(ABI_ROOT_CNODE, slot, CSPACE_DEPTH);
}
