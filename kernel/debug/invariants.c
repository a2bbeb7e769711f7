/*
 * Invariants, checked after each kernel entry: the scheduler and the thread
 * that runs always, everything that exists every INVARIANTS_EVERY entries
 * (`make BUILD=debug INVARIANTS_EVERY=1` for always).
 *
 * Everything is found from the root task's CNode: the derivation lists whose
 * heads lie there are walked to their ends, and so are those in every CNode
 * and TCB met on the way.
 */
#include <kernel/debug.h>

#include "check.h"

#include <kernel/arch.h>
#include <kernel/cnode.h>
#include <kernel/cpu.h>
#include <kernel/endpoint.h>
#include <kernel/untyped.h>

#ifndef INVARIANTS_EVERY
#define INVARIANTS_EVERY 64
#endif

#define AREAS 4096u
#define ANCESTORS 128u
#define LIST_MAX 1000000u
#define ZOMBIE_OF_TCB 64ull /* of a zombie's cap_sub (delete.c) */

unsigned invariants_every = INVARIANTS_EVERY;

/* Arrays of slots: CNodes and TCBs. */
static struct area {
	const struct slot *slots;
	word_t count;
} root, areas[AREAS];
static unsigned area_count;

static void add_area(const struct slot *slots, word_t count)
{
	if (area_count < AREAS && set_add(SET_AREA, ptr_to_paddr(slots)))
		areas[area_count++] = (struct area){ slots, count };
}

/* --- one capability --- */

static void check_fields(const struct slot *s)
{
	struct cap c = s->cap;
	unsigned bits = cap_untyped_bits(c), guard = cap_cnode_guard_bits(c);

	INVARIANT("capability: type", s, cap_type(c) < CAP_TYPE_COUNT);
	switch (cap_type(c)) {
	case CAP_UNTYPED:
		INVARIANT("untyped: size", s, bits >= ABI_MIN_UNTYPED_BITS);
		INVARIANT("untyped: size", s, bits <= ABI_MAX_UNTYPED_BITS);
		INVARIANT("untyped: free offset", s, c.w1 <= 1ull << bits);
		break;
	case CAP_CNODE:
		INVARIANT("CNode: radix", s, cap_cnode_radix(c) >= 1);
		INVARIANT("CNode: guard", s, cap_cnode_radix(c) + guard <= 64);
		INVARIANT("CNode: guard", s, c.w1 >> guard == 0);
		INVARIANT("CNode: flat", s,
			  cap_is_flat_cnode(c) ==
				  (cap_cnode_radix(c) + guard == 64 && c.w1 == 0));
		break;
	case CAP_SCHED_CONTEXT:
		INVARIANT("context: size", s, bits >= ABI_MIN_SCHED_CONTEXT_BITS);
		break;
	default:
		break;
	}
}

/* Slots that the object of a capability has. */
static void add_area_of(struct cap c)
{
	struct tcb *t = cap_object(c);
	bool zombie = cap_type(c) == CAP_ZOMBIE, of_tcb = cap_sub(c) & ZOMBIE_OF_TCB;

	if (cap_type(c) == CAP_TCB || (zombie && of_tcb))
		add_area(t->slots, TCB_SLOTS);
	else if (zombie)
		add_area(cap_object(c), 1ull << cap_sub_field(c, 0, 6));
	else if (cap_type(c) == CAP_CNODE)
		add_area(cap_object(c), 1ull << cap_cnode_radix(c));
}

/* --- a derivation list --- */

/* The untypeds that contain what is being looked at, and the lowest address
 * of a child of each so far: children stand in the list from the highest
 * address down, since each new one goes in front. */
static struct {
	struct ancestor {
		const struct slot *slot;
		paddr_t base, end, low;
	} at[ANCESTORS];
	unsigned depth;
} line;

static void leave_ancestors(paddr_t base, paddr_t end)
{
	while (line.depth > 1 &&
	       (base < line.at[line.depth - 1].base || end > line.at[line.depth - 1].end))
		line.depth--;
}

static void check_region(const struct slot *s, bool same_as_before)
{
	struct ancestor *a;
	unsigned bits;
	paddr_t base, end;

	if (!cap_region(s->cap, &base, &bits))
		return;
	end = base + (1ull << bits);
	INVARIANT("capability: alignment of the object", s, (base & ((1ull << bits) - 1)) == 0);
	if (line.depth == ANCESTORS)
		return; /* copies of copies of copies: beyond what is looked at */
	leave_ancestors(base, end);
	a = &line.at[line.depth - 1];
	if (!same_as_before) {
		INVARIANT("derivation: objects do not overlap", s, end <= a->low);
		a->low = base;
	}
	INVARIANT("derivation: parent relation", s,
		  !a->slot || slot_is_parent_of(a->slot, s));
	if (cap_type(s->cap) == CAP_UNTYPED)
		line.at[line.depth++] =
			(struct ancestor){ s, base, end, base + s->cap.w1 };
}

/* slot_is_final() looks at the neighbours alone. */
static void check_identity(const struct slot *s, bool same_as_before)
{
	switch (cap_type(s->cap)) {
	case CAP_ENDPOINT:
	case CAP_NOTIFICATION:
	case CAP_REPLY:
	case CAP_CNODE:
	case CAP_TCB:
	case CAP_SCHED_CONTEXT:
	case CAP_FRAME:
	case CAP_PAGE_TABLE:
	case CAP_VSPACE:
	case CAP_VCPU:
		if (!same_as_before)
			INVARIANT("derivation: capabilities to one object stand together", s,
				  set_add(SET_IDENTITY,
					  object_key(cap_type(s->cap), cap_object(s->cap))));
		break;
	default:
		break;
	}
}

static void visit(const struct slot *s)
{
	const struct slot *before = slot_prev(s);
	bool same = before && cap_same_object(before->cap, s->cap);

	(void)set_add(SET_SLOT, ptr_to_paddr(s));
	INVARIANT("derivation: link forth", s, !slot_next(s) || slot_prev(slot_next(s)) == s);
	INVARIANT("derivation: not empty", s, !slot_is_empty(s));
	check_fields(s);
	check_region(s, same);
	check_identity(s, same);
	if (set_add(SET_OBJECT, object_key(cap_type(s->cap), cap_object(s->cap))))
		check_object(s->cap);
	add_area_of(s->cap);
	check_arch_cap(s);
}

static void walk(const struct slot *head)
{
	line.at[0] = (struct ancestor){ NULL, 0, ~0ull, ~0ull };
	line.depth = 1;
	/* Ends: what follows has a link back, and the head has none. */
	for (const struct slot *s = head; s; s = slot_next(s))
		visit(s);
}

/* --- everything --- */

static void scan(struct area a)
{
	for (word_t i = 0; i < a.count; i++) {
		const struct slot *s = &a.slots[i];

		if (slot_is_empty(s)) {
			INVARIANT("slot: empty means zero", s,
				  !(s->cap.w0 | s->cap.w1 | s->next | s->prev));
			continue;
		}
		if (!slot_prev(s))
			walk(s);
		else
			INVARIANT("derivation: link back", s, slot_next(slot_prev(s)) == s);
	}
}

/* A capability whose list was not walked: its head is out of everybody's
 * reach, or there is none because the list is a ring. */
static void check_walked(struct area a)
{
	for (word_t i = 0; i < a.count; i++) {
		const struct slot *s = &a.slots[i];
		unsigned n = 0;

		if (slot_is_empty(s) || set_has(SET_SLOT, ptr_to_paddr(s)))
			continue;
		for (; s; s = slot_prev(s))
			INVARIANT("derivation: ring", &a.slots[i], n++ < LIST_MAX);
	}
}

static void check_everything(void)
{
	set_clear();
	area_count = 0;
	check_arch_begin();
	add_area(root.slots, root.count);
	if (this_cpu()->current)
		add_area(this_cpu()->current->slots, TCB_SLOTS);
	/* Grows while it is walked. */
	for (unsigned i = 0; i < area_count; i++)
		scan(areas[i]);
	for (unsigned i = 0; i < area_count && !set_full(); i++)
		check_walked(areas[i]);
	if (area_count < AREAS && !set_full())
		check_arch_end();
}

void invariants_reset(void) { root = (struct area){ 0 }; }

void invariants_check(void)
{
	struct cpu *c = this_cpu();
	static unsigned entries;

	if (!root.slots) { /* the first time: the root task runs */
		struct cap space = c->current->slots[TCB_CSPACE].cap;

		root = (struct area){ cap_object(space), 1ull << cap_cnode_radix(space) };
	}
	damage_arch();
	check_scheduler(c);
	check_arch_entry(c);
	if (++entries % invariants_every)
		return;
	check_everything();
	/* Nobody pays for that time. */
	c->now = arch_now();
}
