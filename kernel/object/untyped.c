/* Untyped memory: Retype. */
#include <kernel/untyped.h>

#include <abi/object.h>
#include <kernel/cnode.h>
#include <kernel/cpu.h>
#include <kernel/endpoint.h>
#include <kernel/invoke.h>
#include <kernel/notification.h>
#include <kernel/reply.h>
#include <kernel/sched_context.h>

#define CLEAR_STEP_BYTES 8192ull /* between two preemption points */

struct retype {
	word_t type, size_bits;
	unsigned bits; /* log2 bytes of one object */
	bool device, reset;
	struct slot *first;
	word_t count;
	word_t start; /* offset of the first object */
};

static bool type_is_portable(word_t type) { return type <= ABI_OBJ_REPLY; }

static word_t object_bits(word_t type, word_t size_bits)
{
	switch (type) {
	case ABI_OBJ_UNTYPED:
	case ABI_OBJ_SCHED_CONTEXT: return size_bits;
	case ABI_OBJ_TCB: return ABI_TCB_BITS;
	case ABI_OBJ_ENDPOINT: return ABI_ENDPOINT_BITS;
	case ABI_OBJ_NOTIFICATION: return ABI_NOTIFICATION_BITS;
	case ABI_OBJ_CNODE: return size_bits + ABI_SLOT_BITS;
	case ABI_OBJ_REPLY: return ABI_REPLY_BITS;
	default: return arch_object_bits(type);
	}
}

static int check_type(struct invocation *inv, struct retype *r)
{
	word_t bits;

	r->type = inv_arg(inv, 0);
	r->size_bits = inv_arg(inv, 1);
	if (!type_is_portable(r->type) && !arch_object_type_ok(r->type))
		return inv_invalid_argument(inv, 0);
	bits = r->size_bits < 64 ? object_bits(r->type, r->size_bits) : 64;
	if (bits > ABI_MAX_UNTYPED_BITS)
		return inv_range(inv, 0, ABI_MAX_UNTYPED_BITS);
	if ((r->type == ABI_OBJ_CNODE && r->size_bits == 0) ||
	    (r->type == ABI_OBJ_UNTYPED && bits < ABI_MIN_UNTYPED_BITS) ||
	    (r->type == ABI_OBJ_SCHED_CONTEXT && bits < ABI_MIN_SCHED_CONTEXT_BITS))
		return inv_invalid_argument(inv, 1);
	r->bits = (unsigned)bits;
	return ABI_OK;
}

static int find_node(struct invocation *inv, struct cap *node)
{
	word_t depth = inv_arg(inv, 3);
	struct slot *s;
	int error;

	*node = inv_extra(inv, 0);
	if (depth != 0) {
		error = inv_lookup_slot(inv, false, *node, inv_arg(inv, 2), depth, &s);
		if (error)
			return error;
		*node = s->cap;
	}
	if (cap_type(*node) != CAP_CNODE) {
		struct lookup_failure f = { ABI_LOOKUP_MISSING_CAPABILITY, { depth } };

		return inv_failed_lookup(inv, false, &f);
	}
	return ABI_OK;
}

static int check_window(struct invocation *inv, struct retype *r)
{
	word_t offset = inv_arg(inv, 4), slots;
	struct cap node;
	int error = find_node(inv, &node);

	if (error)
		return error;
	slots = 1ull << cap_cnode_radix(node);
	r->count = inv_arg(inv, 5);
	if (offset > slots - 1)
		return inv_range(inv, 0, slots - 1);
	if (r->count < 1 || r->count > ABI_RETYPE_MAX_OBJECTS)
		return inv_range(inv, 1, ABI_RETYPE_MAX_OBJECTS);
	if (r->count > slots - offset)
		return inv_range(inv, 1, slots - offset);
	r->first = (struct slot *)cap_object(node) + offset;
	for (word_t i = 0; i < r->count; i++)
		if (!slot_is_empty(&r->first[i]))
			return ABI_DELETE_FIRST;
	return ABI_OK;
}

static int check_space(struct invocation *inv, struct retype *r)
{
	word_t size = 1ull << cap_untyped_bits(inv->cap);
	word_t object = 1ull << r->bits;

	r->device = cap_untyped_is_device(inv->cap);
	r->reset = !slot_has_children(inv->slot);
	word_t free = r->reset ? 0 : inv->cap.w1;
	r->start = (free + object - 1) & ~(object - 1);
	if (r->start >= size || (size - r->start) >> r->bits < r->count)
		return inv_not_enough_memory(inv, size - free);
	if (r->device && r->type != ABI_OBJ_UNTYPED &&
	    (type_is_portable(r->type) || !arch_object_is_frame(r->type)))
		return inv_invalid_argument(inv, 1);
	return ABI_OK;
}

/*
 * Clears what was used, from the end, so that the free offset always says how
 * far the memory may be dirty: a preempted reset goes on where it stopped.
 */
static int reset(struct slot *s)
{
	char *base = cap_object(s->cap);

	if (cap_untyped_is_device(s->cap))
		s->cap.w1 = 0;
	while (s->cap.w1 != 0) {
		word_t step = s->cap.w1 % CLEAR_STEP_BYTES;

		if (step == 0)
			step = CLEAR_STEP_BYTES;
		arch_clear_memory(base + s->cap.w1 - step, step);
		s->cap.w1 -= step;
		if (arch_irq_pending())
			return PREEMPTED;
	}
	return ABI_OK;
}

static struct cap create(const struct retype *r, paddr_t addr)
{
	void *object = paddr_to_ptr(addr);

	switch (r->type) {
	case ABI_OBJ_UNTYPED: return cap_untyped(addr, r->bits, r->device, 0);
	case ABI_OBJ_TCB: return cap_tcb(object);
	case ABI_OBJ_ENDPOINT: return cap_endpoint(object);
	case ABI_OBJ_NOTIFICATION: return cap_notification(object);
	case ABI_OBJ_CNODE: return cap_cnode(object, (unsigned)r->size_bits, 0, 0);
	case ABI_OBJ_SCHED_CONTEXT: return cap_sched_context(object, r->bits);
	case ABI_OBJ_REPLY: return cap_reply(object);
	default: return arch_object_create(r->type, addr, r->device);
	}
}

static void commit(struct slot *parent, const struct retype *r)
{
	struct cap c = create(r, cap_addr(parent->cap) + r->start);

	for (word_t i = 0; SELVAGE_DOMAINS > 1 && r->type == ABI_OBJ_TCB && i < r->count; i++)
		((struct tcb *)((char *)cap_object(c) + (i << r->bits)))->domain = domain_now();
	slot_insert_children(r->first, r->count, c, 1ull << r->bits, parent);
	parent->cap.w1 = r->start + (r->count << r->bits);
}

int untyped_invoke(struct invocation *inv)
{
	struct retype r = { 0 };
	int error;

	error = check_type(inv, &r);
	if (!error)
		error = check_window(inv, &r);
	if (!error)
		error = check_space(inv, &r);
	if (!error && r.reset)
		error = reset(inv->slot);
	if (error)
		return error;
	commit(inv->slot, &r);
	return ABI_OK;
}
