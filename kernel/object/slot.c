/* Slots: the derivation list. Deletion is in delete.c. */
#include <kernel/slot.h>

#include <kernel/untyped.h>

static void set_next(struct slot *s, struct slot *next)
{
	s->next = (word_t)(uintptr_t)next | (s->next & SLOT_FLAGS);
}

/* Links `s` behind `before`, which may be NULL (a tree of its own). */
static void link_after(struct slot *s, struct slot *before, word_t flags)
{
	struct slot *after = before ? slot_next(before) : NULL;

	s->prev = (word_t)(uintptr_t)before;
	s->next = (word_t)(uintptr_t)after | flags;
	if (before)
		set_next(before, s);
	if (after)
		after->prev = (word_t)(uintptr_t)s;
}

/* Points the neighbours of `s` at it after it took over another's links. */
static void relink_neighbours(struct slot *s)
{
	if (slot_prev(s))
		set_next(slot_prev(s), s);
	if (slot_next(s))
		slot_next(s)->prev = (word_t)(uintptr_t)s;
}

void slot_set_root(struct slot *dest, struct cap c)
{
	dest->cap = c;
	link_after(dest, NULL, SLOT_ORIGINAL | SLOT_BADGED);
}

/* Flags of a capability derived from another: may it have children? */
static word_t copy_flags(struct cap c, struct cap parent)
{
	switch (cap_type(c)) {
	case CAP_ENDPOINT:
	case CAP_NOTIFICATION: return c.w1 != parent.w1 ? SLOT_ORIGINAL | SLOT_BADGED : 0;
	case CAP_UNTYPED: return SLOT_ORIGINAL | SLOT_BADGED;
	default: return 0;
	}
}

/* A copy of an untyped takes its memory over: the source counts as full. */
static void fill_copied_untyped(struct slot *src, struct cap c)
{
	if (cap_type(src->cap) == CAP_UNTYPED && cap_same_object(src->cap, c))
		src->cap.w1 = 1ull << cap_untyped_bits(src->cap);
}

void slot_insert_copy(struct slot *dest, struct cap c, struct slot *src)
{
	dest->cap = c;
	link_after(dest, src, copy_flags(c, src->cap));
	fill_copied_untyped(src, c);
}

/* The last one first: each new child stands directly behind the parent. */
void slot_insert_children(struct slot *dest, word_t n, struct cap c, word_t step,
			  struct slot *parent)
{
	struct slot *last = dest + n - 1;

	dest->cap = c;
	link_after(dest, parent, SLOT_ORIGINAL | SLOT_BADGED);
	for (struct slot *s = dest + 1; s <= last; s++) {
		c.w0 += step;
		s->cap = c;
		s->next = (word_t)(uintptr_t)(s - 1) | SLOT_ORIGINAL | SLOT_BADGED;
		s[-1].prev = (word_t)(uintptr_t)s;
	}
	last->prev = (word_t)(uintptr_t)parent;
	set_next(parent, last);
}

void slot_move(struct slot *dest, struct cap c, struct slot *src)
{
	dest->cap = c;
	dest->next = src->next;
	dest->prev = src->prev;
	relink_neighbours(dest);
	*src = (struct slot){ 0 };
}

/* A capability keeps its place in the list and its flags; only the slot that
 * holds it changes. Here `a` stands directly before `b`. */
static void swap_adjacent(struct slot *a, struct slot *b)
{
	struct slot *before = slot_prev(a), *after = slot_next(b);
	word_t a_flags = a->next & SLOT_FLAGS, b_flags = b->next & SLOT_FLAGS;

	b->prev = (word_t)(uintptr_t)before;
	b->next = (word_t)(uintptr_t)a | a_flags;
	a->prev = (word_t)(uintptr_t)b;
	a->next = (word_t)(uintptr_t)after | b_flags;
	relink_neighbours(b);
	relink_neighbours(a);
}

static void swap_apart(struct slot *a, struct slot *b)
{
	word_t next = a->next, prev = a->prev;

	a->next = b->next;
	a->prev = b->prev;
	b->next = next;
	b->prev = prev;
	relink_neighbours(a);
	relink_neighbours(b);
}

void slot_swap(struct slot *a, struct cap into_b, struct slot *b, struct cap into_a)
{
	a->cap = into_a;
	b->cap = into_b;
	if (slot_next(a) == b)
		swap_adjacent(a, b);
	else if (slot_next(b) == a)
		swap_adjacent(b, a);
	else
		swap_apart(a, b);
}

void slot_clear(struct slot *s)
{
	struct slot *before = slot_prev(s), *after = slot_next(s);

	if (before)
		set_next(before, after);
	if (after)
		after->prev = (word_t)(uintptr_t)before;
	*s = (struct slot){ 0 };
}

static bool region_contains(struct cap untyped, struct cap c)
{
	paddr_t base;
	unsigned bits;

	if (!cap_region(c, &base, &bits))
		return false;
	return base - cap_addr(untyped) < 1ull << cap_untyped_bits(untyped) &&
	       bits <= cap_untyped_bits(untyped);
}

static bool badge_covers(const struct slot *a, const struct slot *b)
{
	return a->cap.w1 == 0 ||
	       (a->cap.w1 == b->cap.w1 && !(b->next & SLOT_BADGED));
}

bool slot_is_parent_of(const struct slot *a, const struct slot *b)
{
	if (!(a->next & SLOT_ORIGINAL) || slot_is_empty(a))
		return false;
	switch (cap_type(a->cap)) {
	case CAP_UNTYPED: return region_contains(a->cap, b->cap);
	case CAP_IRQ_CONTROL:
		return cap_type(b->cap) == CAP_IRQ_HANDLER ||
		       cap_type(b->cap) == CAP_SGI_SIGNAL;
	case CAP_ENDPOINT:
	case CAP_NOTIFICATION: return cap_same_object(a->cap, b->cap) && badge_covers(a, b);
	default: return cap_same_object(a->cap, b->cap) || ARCH_DERIVES(a->cap, b->cap);
	}
}

bool slot_has_children(const struct slot *s)
{
	return slot_next(s) && slot_is_parent_of(s, slot_next(s));
}

bool slot_is_final(const struct slot *s)
{
	const struct slot *before = slot_prev(s), *after = slot_next(s);

	return !(before && cap_same_object(before->cap, s->cap)) &&
	       !(after && cap_same_object(s->cap, after->cap));
}

bool slot_delete_is_long(const struct slot *s)
{
	switch (cap_type(s->cap)) {
	case CAP_CNODE:
	case CAP_TCB:
	case CAP_ZOMBIE: return slot_is_final(s);
	default: return false;
	}
}
