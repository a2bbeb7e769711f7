/*
 * Init's capability space: one CNode of 2^CSPACE_BITS slots in place of the
 * smaller one that the kernel made. Slot numbers are capability addresses;
 * those of abi/bootinfo.h stay valid.
 */
#pragma once

#include <abi/bootinfo.h>
#include <selvage/sel4.h>
#include <stdbool.h>

#define CSPACE_BITS 16
#define CSPACE_SLOTS (1u << CSPACE_BITS)
#define CSPACE_DEPTH 64 /* of (index, depth) pairs: a whole address */

/*
 * Moves init into its own CNode, made of *used_untyped (its slot; nobody else
 * may retype from it). *next_slot: in, the first empty slot; out, the first
 * that is still empty. Returns NULL or what failed.
 */
const char *cspace_init(const struct abi_bootinfo *bi, uint64_t *next_slot,
			cap_t *used_untyped);

/* Between slots of init's own space; enum abi_error. */
int cspace_copy(cap_t dest, cap_t src, uint64_t rights);
int cspace_mint(cap_t dest, cap_t src, uint64_t rights, uint64_t badge);
int cspace_delete(cap_t slot);
int cspace_revoke(cap_t slot);
