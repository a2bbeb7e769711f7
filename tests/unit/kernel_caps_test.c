/*
 * Random sequences of retype, copy, mint, move, swap, revoke and delete on the
 * kernel's slots, against a model that is a plain tree and deletes by
 * recursion. Deletions are preempted at random and run again.
 */
#include "mock_arch/mock_arch.h"
#include "random.h"
#include "unit.h"

#include <kernel/boot.h>
#include <kernel/cnode.h>
#include <kernel/endpoint.h>
#include <kernel/invoke.h>
#include <kernel/sched.h>
#include <kernel/untyped.h>
#include <string.h>

#define ROOT_RADIX 5
#define UNTYPED_BITS 17
#define MAX_NODES 1024
#define STEPS 60000

/* One capability: the slot it is in, its place in the tree. */
struct node {
	struct slot *slot; /* NULL: free */
	struct node *parent;
	enum cap_type type;
	paddr_t object;
	unsigned radix; /* of a CNode */
	bool original;
};

static struct {
	struct node nodes[MAX_NODES];
	struct slot *root;
	struct tcb *invoker;
	struct abi_ipcbuf *buffer;
	char *memory; /* of the two untypeds */
	struct random random;
	word_t next_badge;
} m;

static struct node *node_of(const struct slot *s)
{
	for (unsigned i = 0; i < MAX_NODES; i++)
		if (m.nodes[i].slot == s)
			return &m.nodes[i];
	return NULL;
}

static struct node *node_add(struct slot *s, struct node *parent, bool original)
{
	struct node *n = node_of(NULL);

	assert_non_null(n);
	*n = (struct node){ s, parent, cap_type(s->cap), cap_addr(s->cap), 0, original };
	if (n->type == CAP_CNODE)
		n->radix = cap_cnode_radix(s->cap);
	return n;
}

static bool node_is_last(const struct node *n)
{
	for (unsigned i = 0; i < MAX_NODES; i++)
		if (m.nodes[i].slot && &m.nodes[i] != n && m.nodes[i].type == n->type &&
		    m.nodes[i].object == n->object)
			return false;
	return true;
}

/* The slots that an object holds. */
static struct slot *contents(enum cap_type type, paddr_t object, unsigned radix, unsigned *count)
{
	if (type == CAP_TCB) {
		*count = TCB_SLOTS;
		return ((struct tcb *)paddr_to_ptr(object))->slots;
	}
	*count = type == CAP_CNODE ? 1u << radix : 0;
	return paddr_to_ptr(object);
}

static void model_delete(struct node *n)
{
	struct node was = *n;
	bool last = node_is_last(n);
	unsigned count;

	n->slot = NULL;
	for (unsigned i = 0; i < MAX_NODES; i++)
		if (m.nodes[i].parent == n)
			m.nodes[i].parent = was.parent;
	if (!last)
		return;
	struct slot *slots = contents(was.type, was.object, was.radix, &count);
	for (unsigned i = 0; i < count; i++) {
		struct node *inner = node_of(&slots[i]);

		if (inner)
			model_delete(inner);
	}
}

static bool descends(const struct node *n, const struct node *from)
{
	for (n = n->parent; n; n = n->parent)
		if (n == from)
			return true;
	return false;
}

static bool model_revoke_one(const struct node *n)
{
	for (unsigned i = 0; i < MAX_NODES; i++)
		if (m.nodes[i].slot && descends(&m.nodes[i], n)) {
			model_delete(&m.nodes[i]);
			return true;
		}
	return false;
}

/* The parent of a copy: the source if it may have children, else its parent. */
static struct node *copy_parent(struct node *src)
{
	return src->original ? src : src->parent;
}

static struct slot *random_slot(bool empty)
{
	for (unsigned tries = 0; tries < 200; tries++) {
		/* A slot of a live CNode (or TCB): found through its capability. */
		struct node *n = &m.nodes[random_below(&m.random, MAX_NODES)];
		struct slot *s, *slots;
		unsigned count;

		if (!n->slot || random_below(&m.random, 8) == 0) {
			slots = m.root;
			count = 1u << ROOT_RADIX;
		} else {
			slots = contents(n->type, n->object, n->radix, &count);
		}
		if (count == 0)
			continue;
		s = &slots[random_below(&m.random, count)];
		if (slot_is_empty(s) == empty)
			return s;
	}
	return NULL;
}

static void set_arg(unsigned i, word_t v)
{
	if (i < ABI_MSG_REGS)
		arch_set_msg_reg(m.invoker, i, v);
	else
		m.buffer->msg[i] = v;
}

static void do_retype(void)
{
	static const word_t types[] = { ABI_OBJ_UNTYPED, ABI_OBJ_TCB, ABI_OBJ_ENDPOINT,
					ABI_OBJ_CNODE, ABI_OBJ_CNODE, ABI_OBJ_REPLY,
					ABI_OBJ_SMALL_PAGE };
	struct slot *src = random_slot(false), *dest = random_slot(true);
	word_t type = types[random_below(&m.random, 7)];
	struct slot window = { 0 };
	struct invocation inv;
	unsigned bits;
	int status;

	if (!src || !dest || cap_type(src->cap) != CAP_UNTYPED)
		return;
	/* A CNode of one bit that starts at the wanted slot. */
	window.cap = cap_cnode(dest, 1, 0, 0);
	bits = 1 + random_below(&m.random, 3);
	if (type == ABI_OBJ_UNTYPED)
		bits = 8 + random_below(&m.random, 9);
	inv = (struct invocation){
		.thread = m.invoker,
		.slot = src,
		.label = ABI_INV_UNTYPED_RETYPE,
		.length = 6,
		.call = true,
		.extra_count = 1,
		.extra = { &window },
		.buffer = m.buffer,
	};
	set_arg(0, type);
	set_arg(1, bits);
	for (unsigned i = 2; i < 5; i++)
		set_arg(i, 0);
	set_arg(5, 1);
	do {
		inv.cap = src->cap;
		status = untyped_invoke(&inv);
	} while (status == PREEMPTED);
	if (status == ABI_OK)
		node_add(dest, node_of(src), true);
	else
		assert_int_equal(status, ABI_NOT_ENOUGH_MEMORY);
}

static void do_copy(bool mint)
{
	struct slot *src = random_slot(false), *dest = random_slot(true);
	struct node *n;
	struct cap c;
	bool original;

	if (!src || !dest)
		return;
	n = node_of(src);
	c = src->cap;
	if (mint && (cap_type(c) != CAP_ENDPOINT || cap_badge(c) != 0))
		return;
	if (mint)
		c = cap_update_data(c, ++m.next_badge, false);
	if (cap_derive(src, c, &c) != ABI_OK)
		return;
	slot_insert_copy(dest, c, src);
	original = mint || cap_type(c) == CAP_UNTYPED;
	node_add(dest, copy_parent(n), original);
}

static void do_move(void)
{
	struct slot *src = random_slot(false), *dest = random_slot(true);

	if (!src || !dest)
		return;
	node_of(src)->slot = dest;
	slot_move(dest, src->cap, src);
}

static void do_swap(void)
{
	struct slot *a = random_slot(false), *b = random_slot(false);
	struct node *na, *nb;

	if (!a || !b || a == b)
		return;
	na = node_of(a);
	nb = node_of(b);
	na->slot = b;
	nb->slot = a;
	slot_swap(a, a->cap, b, b->cap);
}

static void do_delete(void)
{
	struct slot *s = random_slot(false);

	if (!s)
		return;
	model_delete(node_of(s));
	while (slot_delete(s) == PREEMPTED)
		;
}

/* A used slot that no revoke can remove with the rest: a revoke ends when its
 * own slot goes, and how far it was then is not the model's business. */
static struct slot *revocable_slot(void)
{
	struct slot *s = &m.root[random_below(&m.random, 1u << ROOT_RADIX)];

	return slot_is_empty(s) ? NULL : s;
}

static void do_revoke(void)
{
	struct slot *s = revocable_slot();

	if (!s)
		return;
	while (model_revoke_one(node_of(s)))
		;
	while (slot_revoke(s) == PREEMPTED)
		;
}

/* Several deletions and revocations, each stopped after its first steps by an
 * interrupt; then all are run again, in another order. */
static void do_interleaved(void)
{
	struct slot *pending[4];
	bool revoke[4];
	unsigned count = 0;

	while (count < 4) {
		bool r = random_below(&m.random, 2);
		struct slot *s = r ? revocable_slot() : random_slot(false);
		struct node *n = s ? node_of(s) : NULL;

		for (unsigned i = 0; i < count; i++) /* else its revoke has no root */
			if (pending[i] == s)
				n = NULL;
		if (!n) /* none, or being deleted */
			break;
		while (r && model_revoke_one(n))
			;
		if (!r)
			model_delete(n);
		(void)(r ? slot_revoke(s) : slot_delete(s));
		pending[count] = s;
		revoke[count++] = r;
	}
	while (count > 0) {
		struct slot *s = pending[--count];

		while ((revoke[count] ? slot_revoke(s) : slot_delete(s)) == PREEMPTED)
			;
	}
}

/* Every capability of the model is in its slot, and no slot holds another. */
static void check_slots(struct slot *slots, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct slot *s = &slots[i];

		if (slot_is_empty(s)) {
			assert_null(node_of(s));
			continue;
		}
		assert_non_null(node_of(s));
		assert_int_equal(node_of(s)->type, cap_type(s->cap));
		assert_int_equal(node_of(s)->object, cap_addr(s->cap));
		if (slot_next(s))
			assert_ptr_equal(slot_prev(slot_next(s)), s);
		if (slot_prev(s))
			assert_ptr_equal(slot_next(slot_prev(s)), s);
	}
}

static void check_children(struct node *n)
{
	bool children = false;

	for (unsigned i = 0; i < MAX_NODES && !children; i++)
		children = m.nodes[i].slot && m.nodes[i].parent == n;
	assert_int_equal(slot_has_children(n->slot), children);
	if (n->type != CAP_UNTYPED) /* one may begin where another does */
		assert_int_equal(slot_is_final(n->slot), node_is_last(n));
}

static void check_all(void)
{
	check_slots(m.root, 1u << ROOT_RADIX);
	for (unsigned i = 0; i < MAX_NODES; i++) {
		struct node *n = &m.nodes[i];
		unsigned count;

		if (!n->slot)
			continue;
		struct slot *slots = contents(n->type, n->object, n->radix, &count);
		check_slots(slots, count);
		check_children(n);
	}
}

static struct cap whole_untyped(paddr_t base)
{
	return cap_untyped(base, UNTYPED_BITS, false, 1u << UNTYPED_BITS);
}

static int setup(void **state)
{
	(void)state;
	memset(&m, 0, sizeof(m));
	cpu_init();
	m.root = mock_memory(1u << (ROOT_RADIX + ABI_SLOT_BITS));
	m.invoker = mock_memory(1u << ABI_TCB_BITS);
	m.buffer = mock_memory(4096);
	m.memory = mock_memory(2u << UNTYPED_BITS);
	for (unsigned i = 0; i < 2; i++) {
		paddr_t base = ptr_to_paddr(m.memory) + ((paddr_t)i << UNTYPED_BITS);

		slot_set_root(&m.root[i], whole_untyped(base));
		node_add(&m.root[i], NULL, true);
	}
	return 0;
}

/* An untyped whose memory holds nothing any more is handed out again. */
static void restore_untypeds(void)
{
	for (unsigned i = 0; i < 2; i++) {
		paddr_t base = ptr_to_paddr(m.memory) + ((paddr_t)i << UNTYPED_BITS);
		bool there = false;

		for (unsigned k = 0; k < MAX_NODES; k++)
			there |= m.nodes[k].slot &&
				 m.nodes[k].object - base < 1u << UNTYPED_BITS;
		for (unsigned k = 0; !there && k < 1u << ROOT_RADIX; k++)
			if (slot_is_empty(&m.root[k])) {
				slot_set_root(&m.root[k], whole_untyped(base));
				node_add(&m.root[k], NULL, true);
				there = true;
			}
	}
}

static void run(uint64_t seed, unsigned preempt_every)
{
	m.random.state = seed;
	mock_preempt_every = preempt_every;
	for (unsigned step = 0; step < STEPS; step++) {
		unsigned what = random_below(&m.random, 100);

		if (what < 45)
			do_retype();
		else if (what < 65)
			do_copy(what < 55);
		else if (what < 80)
			do_move();
		else if (what < 90)
			do_swap();
		else if (what < 95)
			do_delete();
		else if (what < 97)
			do_interleaved();
		else
			do_revoke();
		if (step % 8 == 0)
			check_all();
		if (step % 64 == 0)
			restore_untypeds();
	}
	mock_preempt_every = 0;
}

static void test_random(void **state)
{
	(void)state;
	run(1, 0);
}

static void test_random_preempted(void **state)
{
	(void)state;
	run(2, 2);
	run(3, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_random, setup),
		cmocka_unit_test_setup(test_random_preempted, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
