/*
 * Deletion. Deleting the last capability to a CNode or TCB (a container)
 * deletes what its slots hold, and so on to any depth, without recursion and
 * with a preemption point after each slot.
 *
 * The last capability of a container becomes a ZOMBIE that counts the slots
 * left; slots are emptied from the end. Meeting another container in the last
 * slot, its zombie goes to the exposed slot (the one being deleted), and the
 * outer zombie waits in slot 0 of the inner container, whose former content
 * takes the vacated last slot. When the inner container is down to slot 0,
 * the outer zombie returns. So the state between two steps is only ever in
 * slots, and whoever deletes the exposed slot next continues. A waiting
 * zombie is still found by a revoke of its memory: it names the exposed slot,
 * at which the work then continues.
 *
 * The exposed slot may itself lie in a container that is being destroyed (a
 * CNode that holds the last capability to itself, directly or through others).
 * Then that container's zombie must be the last thing to go, or its memory
 * could be reused while the slot is in it: see `self-contained` below.
 */
#include <abi/error.h>
#include <kernel/arch.h>
#include <kernel/cnode.h>
#include <kernel/endpoint.h>
#include <kernel/irq.h>
#include <kernel/notification.h>
#include <kernel/reply.h>
#include <kernel/sched.h>
#include <kernel/slot.h>
#include <kernel/tcb.h>

/* Zombies: sub = radix 0-5, of a TCB 6, waiting 7. w1 = slots left; of a
 * waiting one: 43..0 the exposed slot, 63..44 slots left, in units that make
 * them fit (rounded up: the slots above are empty). */
#define ZOMBIE_OF_TCB 64ull
#define ZOMBIE_WAITS 128ull
#define LEFT_BITS 20
#define MAX_HOPS 64 /* from waiting to exposed slots */

static struct cap make_zombie_cap(struct cap c)
{
	if (cap_type(c) == CAP_TCB)
		return cap_make(CAP_ZOMBIE, cap_addr(c), ZOMBIE_OF_TCB, TCB_SLOTS);
	return cap_make(CAP_ZOMBIE, cap_addr(c), cap_cnode_radix(c), 1ull << cap_cnode_radix(c));
}

static struct slot *zombie_slots(struct cap z)
{
	if (cap_sub(z) & ZOMBIE_OF_TCB)
		return ((struct tcb *)cap_object(z))->slots;
	return cap_object(z);
}

static word_t zombie_size(struct cap z)
{
	return cap_sub(z) & ZOMBIE_OF_TCB ? TCB_SLOTS : 1ull << cap_sub_field(z, 0, 6);
}

static bool zombie_contains(struct cap z, const struct slot *s)
{
	uintptr_t first = (uintptr_t)zombie_slots(z);

	return (uintptr_t)s - first < zombie_size(z) * sizeof(struct slot);
}

static unsigned left_unit_bits(struct cap z)
{
	unsigned radix = (unsigned)cap_sub_field(z, 0, 6);

	return radix < LEFT_BITS ? 0 : radix - (LEFT_BITS - 1);
}

static struct cap zombie_waiting(struct cap z, const struct slot *exposed)
{
	unsigned unit = left_unit_bits(z);
	word_t left = (z.w1 + (1ull << unit) - 1) >> unit;

	return cap_make(CAP_ZOMBIE, cap_addr(z), cap_sub(z) | ZOMBIE_WAITS,
			ptr_to_paddr(exposed) | left << CAP_ADDR_BITS);
}

static bool zombie_waits(struct cap c)
{
	return cap_type(c) == CAP_ZOMBIE && (cap_sub(c) & ZOMBIE_WAITS);
}

static struct cap zombie_at_work(struct cap z)
{
	if (!zombie_waits(z))
		return z;
	return cap_make(CAP_ZOMBIE, cap_addr(z), cap_sub(z) & ~ZOMBIE_WAITS,
			(z.w1 >> CAP_ADDR_BITS) << left_unit_bits(z));
}

/* From a waiting zombie to the one being worked on. */
static struct slot *exposed_slot(struct slot *s)
{
	struct slot *at = s;

	for (unsigned i = 0; i < MAX_HOPS && cap_type(at->cap) == CAP_ZOMBIE; i++) {
		if (!(cap_sub(at->cap) & ZOMBIE_WAITS))
			return at;
		at = paddr_to_ptr(at->cap.w1 & CAP_ADDR_MASK);
	}
	s->cap = zombie_at_work(s->cap);
	return s;
}

/* What the last capability's going means for the object. */
static void finalise_object(struct cap c)
{
	if (cap_type(c) == CAP_NOTIFICATION)
		ntfn_destroy(cap_object(c));
	else if (cap_type(c) == CAP_REPLY)
		reply_destroy(cap_object(c));
	else if (cap_type(c) == CAP_SCHED_CONTEXT)
		sc_destroy(cap_object(c));
	else if (cap_type(c) == CAP_TCB)
		tcb_finalise(cap_object(c));
}

/* Part of a long finalisation: one waiting thread, one address space of an ASID
 * pool. False: there is no more. */
static bool shrink(const struct slot *s)
{
	switch (slot_is_final(s) ? cap_type(s->cap) : CAP_NULL) {
	case CAP_ENDPOINT: return ep_cancel_one(cap_object(s->cap));
	case CAP_NOTIFICATION: return ntfn_cancel_one(cap_object(s->cap));
	case CAP_NULL: return false;
	default: return arch_cap_shrink(s->cap);
	}
}

/*
 * Empties the slot, or, if it holds the last capability of a container, turns
 * it into a zombie and returns true. An interrupt handler takes along the slot
 * with its notification; that one is never a handler, so the loop ends.
 */
static bool empty_or_zombie(struct slot *s)
{
	struct slot *along = NULL;

	while (s) {
		while (shrink(s))
			; /* bounded by what waits: long only where nobody asks before */
		struct cap c = s->cap;
		bool final = slot_is_final(s);

		if (cap_type(c) == CAP_NULL || cap_type(c) == CAP_ZOMBIE)
			return cap_type(c) == CAP_ZOMBIE;
		if (cap_type(c) >= CAP_ARCH_FIRST)
			arch_cap_finalise(c, final);
		else if (final)
			finalise_object(c);
		if (final && (cap_type(c) == CAP_CNODE || cap_type(c) == CAP_TCB)) {
			s->cap = make_zombie_cap(c);
			return true;
		}
		along = final && cap_type(c) == CAP_IRQ_HANDLER ? irq_release(cap_irq(c)) : NULL;
		slot_clear(s);
		s = along;
	}
	return false;
}

/*
 * `e`, the last slot of the container of the zombie in `s`, holds a zombie
 * too: that one's turn. See the head of the file.
 */
static void enter_nested(struct slot *s, struct slot *e)
{
	struct slot *inner = zombie_slots(e->cap);
	unsigned host = &inner[0] == s ? 1 : 0;

	if (e->cap.w1 <= host)
		e->cap.w1 = host + 1;
	slot_swap(s, s->cap, e, e->cap);
	slot_swap(e, zombie_waiting(e->cap, s), &inner[host], zombie_at_work(inner[host].cap));
}

/* empty_or_zombie() for a slot of a container: a zombie there waits no more. */
static bool empty_or_nested(struct slot *e)
{
	if (!empty_or_zombie(e))
		return false;
	e->cap = zombie_at_work(e->cap);
	return true;
}

/* One step at the zombie in `s`; `s` is empty when all is done. */
static void zombie_step(struct slot *s)
{
	struct slot *slots = zombie_slots(s->cap);
	word_t left = s->cap.w1;
	struct slot *e = left ? &slots[left - 1] : s;
	bool returns = left == 1 && zombie_waits(e->cap);

	if (left == 0) {
		slot_clear(s);
	} else if (e != s && shrink(e)) {
		return; /* again */
	} else if (e == s || !empty_or_nested(e)) {
		s->cap.w1 = left - 1;
	} else if (e->cap.w1 == 0) {
		slot_clear(e);
		s->cap.w1 = left - 1;
	} else if (returns) {
		/* Nothing is left in this container but the outer zombie. */
		slot_swap(s, s->cap, e, e->cap);
		slot_clear(e);
	} else {
		enter_nested(s, e);
	}
}

/*
 * The slot at which to work. If the exposed slot lies in its own zombie's
 * container, a nested zombie in the last slot is worked on in its place: no
 * container below it can hold that slot, since this zombie is the only
 * capability to the container.
 */
static struct slot *active_slot(struct slot *s)
{
	struct slot *last;

	if (s->cap.w1 == 0 || !zombie_contains(s->cap, s))
		return s;
	last = &zombie_slots(s->cap)[s->cap.w1 - 1];
	if (last == s)
		return s;
	return empty_or_nested(last) ? last : s;
}

int slot_delete(struct slot *s)
{
	while (shrink(s))
		if (arch_irq_pending())
			return PREEMPTED;
	if (!empty_or_zombie(s))
		return ABI_OK;
	s = exposed_slot(s);
	/* Bounded by the slots of all containers that go, twice. */
	for (;;) {
		zombie_step(active_slot(s));
		if (slot_is_empty(s))
			return ABI_OK;
		if (arch_irq_pending())
			return PREEMPTED;
	}
}

int slot_revoke(struct slot *s)
{
	/* Bounded by the descendants. Deleting one of them may empty `s`. */
	while (slot_has_children(s)) {
		int status = slot_delete(slot_next(s));

		if (status != ABI_OK)
			return status;
		if (slot_has_children(s) && arch_irq_pending())
			return PREEMPTED;
	}
	return ABI_OK;
}

void slot_delete_short(struct slot *s) { (void)empty_or_zombie(s); }
