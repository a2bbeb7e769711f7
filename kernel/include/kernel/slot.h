/*
 * Capability slots and the derivation list.
 *
 * Capabilities derived from one another stand in one doubly linked list, in
 * pre-order of the derivation tree. There is no depth: the descendants of a
 * slot are the longest run of slots behind it of which it can be the parent
 * (slot_is_parent_of), so copies of copies of untypeds need no bound.
 *
 *   original  this capability may have children (it came from a retype, or it
 *             is a badged one minted from an unbadged one, or an untyped)
 *   badged    the first capability with its badge: not a descendant of an
 *             earlier one with the same badge
 *
 * Both stand in the low bits of `next`; slots are at least 8-byte aligned.
 */
#pragma once

#include <kernel/cap.h>

struct slot {
	struct cap cap;
	word_t next; /* slot | SLOT_ORIGINAL | SLOT_BADGED */
	word_t prev; /* slot */
};
_Static_assert(sizeof(struct slot) == 32, "slot size is ABI");

#define SLOT_ORIGINAL 1ull
#define SLOT_BADGED 2ull
#define SLOT_FLAGS (SLOT_ORIGINAL | SLOT_BADGED)

/* Status of work that a pending interrupt may stop; the rest are abi_error. */
#define PREEMPTED (-1)

static inline struct slot *slot_next(const struct slot *s)
{
	return (struct slot *)(uintptr_t)(s->next & ~SLOT_FLAGS);
}
static inline struct slot *slot_prev(const struct slot *s)
{
	return (struct slot *)(uintptr_t)s->prev;
}
static inline bool slot_is_empty(const struct slot *s) { return cap_type(s->cap) == CAP_NULL; }

/* Puts `c` into the empty slot as the root of its own derivation tree (boot). */
void slot_set_root(struct slot *dest, struct cap c);
/* Puts `c`, derived from the capability in `src`, into the empty `dest`. */
void slot_insert_copy(struct slot *dest, struct cap c, struct slot *src);
/* Puts new objects' first capabilities into `n` slots, children of `parent`;
 * the objects lie `step` bytes apart, `c` is the first one's. */
void slot_insert_children(struct slot *dest, word_t n, struct cap c, word_t step,
			  struct slot *parent);
static inline void slot_insert_child(struct slot *dest, struct cap c, struct slot *parent)
{
	slot_insert_children(dest, 1, c, 0, parent);
}
/* Moves (with `c` replacing the capability) to the empty `dest`. */
void slot_move(struct slot *dest, struct cap c, struct slot *src);
/* Exchanges two slots; each capability may be replaced by a changed one. */
void slot_swap(struct slot *a, struct cap into_b, struct slot *b, struct cap into_a);
/* Unlinks and empties; the object has been finalised. */
void slot_clear(struct slot *s);

bool slot_is_parent_of(const struct slot *a, const struct slot *b);
bool slot_has_children(const struct slot *s);
/* Whether no other capability to the same object exists. */
bool slot_is_final(const struct slot *s);
/* Whether deleting it would have to empty a CNode or TCB. */
bool slot_delete_is_long(const struct slot *s);

/* ABI_OK or PREEMPTED (then the caller lets the system call restart). */
int slot_delete(struct slot *s);
int slot_revoke(struct slot *s);
/* Deletes a capability for which !slot_delete_is_long: never preempted. */
void slot_delete_short(struct slot *s);

/* Derivation for Copy, Mint, transfer: abi error; *out may be null. */
int cap_derive(const struct slot *src, struct cap c, struct cap *out);
struct cap cap_mask_rights(struct cap c, word_t rights);
/* Badge or guard update; the null cap if the data is refused. `preserve`:
 * Mutate and Rotate, which never change a badge. */
struct cap cap_update_data(struct cap c, word_t data, bool preserve);
bool cap_same_object(struct cap a, struct cap b);
/* Memory of the object, for ancestry of untypeds: false if it has none. */
bool cap_region(struct cap c, paddr_t *base, unsigned *bits);
