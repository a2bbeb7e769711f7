#include <selvage/alloc.h>

struct size_key {
	bool device;
	unsigned size_bits;
	uint64_t paddr;
};

static int compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static struct alloc_block *block_of(const struct tree_node *n)
{
	return n ? CONTAINER_OF(n, struct alloc_block, node) : NULL;
}

static struct alloc_block *root_of(const struct tree_node *n)
{
	return n ? CONTAINER_OF(n, struct alloc_block, root_node) : NULL;
}

static int compare_size(const void *key, const struct tree_node *n)
{
	const struct size_key *k = key;
	const struct alloc_block *b = block_of(n);
	int c = compare_u64(k->device, b->device);

	if (!c)
		c = compare_u64(k->size_bits, b->size_bits);
	return c ? c : compare_u64(k->paddr, b->paddr);
}

static int compare_address(const void *key, const struct tree_node *n)
{
	return compare_u64(*(const uint64_t *)key, root_of(n)->paddr);
}

static void sort_in(struct tree *t, struct alloc_block *b)
{
	struct size_key k = { b->device, b->size_bits, b->paddr };

	tree_insert(t, &b->node, &k);
}

/* The smallest normal block of at least that size, lowest address first. */
static struct alloc_block *smallest(const struct tree *t, unsigned size_bits)
{
	struct size_key k = { false, size_bits, 0 };
	struct alloc_block *b = block_of(tree_at_or_after(t, &k));

	return b && !b->device ? b : NULL;
}

static unsigned largest(const struct tree *t)
{
	struct size_key k = { false, 64, UINT64_MAX };
	struct alloc_block *b = block_of(tree_at_or_before(t, &k));

	return b ? b->size_bits : 0;
}

static uint64_t bytes_of(const struct alloc_block *b)
{
	return bit_u64(b->size_bits);
}

static bool size_valid(unsigned size_bits)
{
	return size_bits >= ALLOC_MIN_BITS && size_bits <= ALLOC_MAX_BITS;
}

static enum alloc_error kernel_failed(struct alloc *a, int error)
{
	a->kernel_error = error;
	return ALLOC_KERNEL;
}

/* Nodes */

static struct alloc_block *node_take(struct alloc *a)
{
	struct list_node *n = list_pop_front(&a->spare);

	if (!n)
		return NULL;
	a->stats.nodes_used++;
	return CONTAINER_OF(n, struct alloc_block, link);
}

static void node_give(struct alloc *a, struct alloc_block *b)
{
	*b = (struct alloc_block){ .state = ALLOC_UNUSED };
	list_push_front(&a->spare, &b->link);
	a->stats.nodes_used--;
}

/* Accounting */

static void count_taken(struct alloc *a, const struct alloc_block *b)
{
	if (b->device) {
		a->stats.device_free_bytes -= bytes_of(b);
		a->stats.device_taken_bytes += bytes_of(b);
	} else {
		a->stats.free_bytes -= bytes_of(b);
		a->stats.taken_bytes += bytes_of(b);
	}
	a->stats.taken_blocks++;
}

static void count_given(struct alloc *a, const struct alloc_block *b)
{
	if (b->device) {
		a->stats.device_free_bytes += bytes_of(b);
		a->stats.device_taken_bytes -= bytes_of(b);
	} else {
		a->stats.free_bytes += bytes_of(b);
		a->stats.taken_bytes -= bytes_of(b);
	}
	a->stats.taken_blocks--;
}

static void idle_add(struct alloc *a, struct alloc_block *b)
{
	sort_in(&a->idle, b);
	a->stats.idle_splits++;
}

static void idle_remove(struct alloc *a, struct alloc_block *b)
{
	tree_remove(&a->idle, &b->node);
	a->stats.idle_splits--;
}

/* State changes */

static void make_free(struct alloc *a, struct alloc_block *b)
{
	b->state = ALLOC_FREE;
	sort_in(&a->sized, b);
}

static void mark_taken(struct alloc *a, struct alloc_block *b)
{
	tree_remove(&a->sized, &b->node);
	b->state = ALLOC_TAKEN;
	b->mark = 0;
	list_init(&b->link);
	count_taken(a, b);
	for (struct alloc_block *p = b->parent; p; p = p->parent)
		if (p->taken_below++ == 0)
			idle_remove(a, p);
}

static void mark_given(struct alloc *a, struct alloc_block *b)
{
	count_given(a, b);
	make_free(a, b);
	for (struct alloc_block *p = b->parent; p; p = p->parent)
		if (--p->taken_below == 0)
			idle_add(a, p);
}

/* Splitting and merging */

static void drop_half(struct alloc *a, struct alloc_block *half)
{
	idalloc_give(a->slots, half->slot);
	node_give(a, half);
}

/* A node and a slot for one half of b; nothing in the slot yet. */
static enum alloc_error prepare_half(struct alloc *a, struct alloc_block *b,
				     unsigned which, struct alloc_block **half)
{
	struct alloc_block *h = node_take(a);

	if (!h)
		return ALLOC_NO_NODES;
	*h = (struct alloc_block){
		.size_bits = (uint8_t)(b->size_bits - 1),
		.device = b->device,
		.parent = b,
	};
	h->paddr = b->paddr + which * bytes_of(h);
	if (idalloc_take(a->slots, &h->slot) != IDALLOC_OK) {
		node_give(a, h);
		return ALLOC_NO_SLOTS;
	}
	*half = h;
	return ALLOC_OK;
}

/*
 * Makes the two halves' capabilities. *stuck: the second failed and so did
 * the undoing, so the first is still there.
 */
static enum alloc_error retype_halves(struct alloc *a, struct alloc_block *b,
				      struct alloc_block *half[2], bool *stuck)
{
	*stuck = false;
	for (int i = 0; i < 2; i++) {
		int error = a->ops->retype_untyped(a->ctx, b->slot, half[i]->slot,
						   half[i]->size_bits);

		if (!error)
			continue;
		if (i)
			*stuck = a->ops->revoke(a->ctx, b->slot) != 0;
		return kernel_failed(a, error);
	}
	return ALLOC_OK;
}

/* Memory of which nobody knows what is in it is never handed out again. The
 * slot of the half that cannot be deleted is lost with it. */
static void quarantine(struct alloc *a, struct alloc_block *b,
		       struct alloc_block *half[2])
{
	node_give(a, half[0]);
	drop_half(a, half[1]);
	mark_taken(a, b);
	a->stats.lost_blocks++;
}

/* Splits a free block. On error it is free as before. */
static enum alloc_error split(struct alloc *a, struct alloc_block *b)
{
	struct alloc_block *half[2];
	bool stuck;
	enum alloc_error e = prepare_half(a, b, 0, &half[0]);

	if (e)
		return e;
	e = prepare_half(a, b, 1, &half[1]);
	if (e) {
		drop_half(a, half[0]);
		return e;
	}
	e = retype_halves(a, b, half, &stuck);
	if (stuck) {
		quarantine(a, b, half);
		return e;
	}
	if (e) {
		drop_half(a, half[0]);
		drop_half(a, half[1]);
		return e;
	}
	tree_remove(&a->sized, &b->node);
	b->state = ALLOC_SPLIT;
	for (int i = 0; i < 2; i++) {
		b->child[i] = half[i];
		make_free(a, half[i]);
	}
	idle_add(a, b);
	a->stats.split_blocks++;
	a->stats.splits++;
	return ALLOC_OK;
}

/* Takes b out of the tree its state keeps it in; hands its children, which
 * are about to go as well, to `doomed`. */
static void unlist(struct alloc *a, struct alloc_block *b,
		   struct list_node *doomed)
{
	if (b->state == ALLOC_FREE) {
		tree_remove(&a->sized, &b->node);
		return;
	}
	idle_remove(a, b);
	for (int i = 0; i < 2; i++)
		list_push_back(doomed, &b->child[i]->link);
	b->child[0] = NULL;
	b->child[1] = NULL;
	a->stats.split_blocks--;
	a->stats.merges++;
}

/* Makes one free block of an idle split one. The revocation empties the
 * slots of everything below. */
static enum alloc_error collapse(struct alloc *a, struct alloc_block *b)
{
	struct list_node doomed = LIST_INIT(doomed);
	struct list_node *n;
	int error = a->ops->revoke(a->ctx, b->slot);

	if (error)
		return kernel_failed(a, error);
	unlist(a, b, &doomed);
	while ((n = list_pop_front(&doomed))) {
		struct alloc_block *d = CONTAINER_OF(n, struct alloc_block, link);

		unlist(a, d, &doomed);
		drop_half(a, d);
	}
	make_free(a, b);
	return ALLOC_OK;
}

/* Splits the free block b until the piece at paddr has the size; takes it. */
static enum alloc_error carve(struct alloc *a, struct alloc_block *b,
			      uint64_t paddr, unsigned size_bits,
			      struct alloc_block **block)
{
	while (b->size_bits > size_bits) {
		enum alloc_error e = split(a, b);

		if (e)
			return e;
		b = b->child[paddr >= b->child[1]->paddr];
	}
	mark_taken(a, b);
	*block = b;
	return ALLOC_OK;
}

static enum alloc_error take_once(struct alloc *a, unsigned size_bits,
				  struct alloc_block **block)
{
	struct alloc_block *b = smallest(&a->sized, size_bits);
	struct alloc_block *idle = smallest(&a->idle, size_bits);

	if (idle && (!b || idle->size_bits < b->size_bits)) {
		enum alloc_error e = collapse(a, idle);

		if (e)
			return e;
		b = idle;
	}
	if (!b)
		return ALLOC_NO_MEMORY;
	return carve(a, b, b->paddr, size_bits, block);
}

/* The smallest block that holds the range, or is within it. */
static struct alloc_block *block_at(const struct alloc *a, uint64_t paddr, unsigned size_bits)
{
	struct alloc_block *b = root_of(tree_at_or_before(&a->roots, &paddr));

	if (!b || !range_within_u64(paddr, bit_u64(size_bits), b->paddr,
				    bytes_of(b)))
		return NULL;
	while (b->state == ALLOC_SPLIT && b->size_bits > size_bits)
		b = b->child[paddr >= b->child[1]->paddr];
	return b;
}

/* The free block that holds the range, after merging where it must be. */
static enum alloc_error find_at(struct alloc *a, uint64_t paddr,
				unsigned size_bits, struct alloc_block **found)
{
	struct alloc_block *b = block_at(a, paddr, size_bits);

	if (!b)
		return ALLOC_NOT_OWNED;
	*found = b;
	if (b->state == ALLOC_FREE)
		return ALLOC_OK;
	if (b->state == ALLOC_TAKEN || b->taken_below)
		return ALLOC_IN_USE;
	return collapse(a, b);
}

static enum alloc_error take_at_once(struct alloc *a, uint64_t paddr,
				     unsigned size_bits,
				     struct alloc_block **block)
{
	struct alloc_block *b;
	enum alloc_error e = find_at(a, paddr, size_bits, &b);

	return e ? e : carve(a, b, paddr, size_bits, block);
}

/* Whether merging freed slots or nodes that e says were missing. */
static bool merge_helps(struct alloc *a, enum alloc_error e)
{
	uint64_t used = a->stats.nodes_used;

	if (e != ALLOC_NO_SLOTS && e != ALLOC_NO_NODES)
		return false;
	alloc_merge(a);
	return a->stats.nodes_used < used;
}

/* Interface */

void alloc_init(struct alloc *a, const struct alloc_ops *ops, void *ctx,
		struct idalloc *slots, struct alloc_block *nodes, size_t n_nodes)
{
	*a = (struct alloc){ .ops = ops, .ctx = ctx, .slots = slots, .nodes = nodes };
	a->stats.nodes = n_nodes;
	tree_init(&a->roots, compare_address);
	tree_init(&a->sized, compare_size);
	tree_init(&a->idle, compare_size);
	list_init(&a->spare);
	for (size_t i = 0; i < n_nodes; i++) {
		nodes[i] = (struct alloc_block){ .state = ALLOC_UNUSED };
		list_push_back(&a->spare, &nodes[i].link);
	}
}

static bool overlaps_root(const struct alloc *a, uint64_t paddr, uint64_t bytes)
{
	uint64_t last = paddr + (bytes - 1);
	struct alloc_block *r = root_of(tree_at_or_before(&a->roots, &last));

	return r && range_overlaps_u64(paddr, bytes, r->paddr, bytes_of(r));
}

enum alloc_error alloc_add(struct alloc *a, uint64_t slot, uint64_t paddr,
			   unsigned size_bits, bool device)
{
	struct alloc_block *b;

	if (!size_valid(size_bits) || !is_aligned_u64(paddr, bit_u64(size_bits)))
		return ALLOC_BAD_ARGUMENT;
	if (overlaps_root(a, paddr, bit_u64(size_bits)))
		return ALLOC_OVERLAP;
	b = node_take(a);
	if (!b)
		return ALLOC_NO_NODES;
	*b = (struct alloc_block){
		.slot = slot,
		.paddr = paddr,
		.size_bits = (uint8_t)size_bits,
		.device = device,
	};
	tree_insert(&a->roots, &b->root_node, &paddr);
	make_free(a, b);
	a->stats.roots++;
	if (device) {
		a->stats.device_total_bytes += bytes_of(b);
		a->stats.device_free_bytes += bytes_of(b);
	} else {
		a->stats.total_bytes += bytes_of(b);
		a->stats.free_bytes += bytes_of(b);
	}
	return ALLOC_OK;
}

enum alloc_error alloc_take(struct alloc *a, unsigned size_bits,
			    struct alloc_block **block)
{
	enum alloc_error e;

	if (!size_valid(size_bits))
		return ALLOC_BAD_ARGUMENT;
	e = take_once(a, size_bits, block);
	if (e && merge_helps(a, e))
		e = take_once(a, size_bits, block);
	return e;
}

enum alloc_error alloc_take_at(struct alloc *a, uint64_t paddr,
			       unsigned size_bits, struct alloc_block **block)
{
	enum alloc_error e;

	if (!size_valid(size_bits) || !is_aligned_u64(paddr, bit_u64(size_bits)))
		return ALLOC_BAD_ARGUMENT;
	e = take_at_once(a, paddr, size_bits, block);
	if (e && merge_helps(a, e))
		e = take_at_once(a, paddr, size_bits, block);
	return e;
}

struct alloc_block *alloc_taken_at(const struct alloc *a, uint64_t paddr, unsigned size_bits)
{
	struct alloc_block *b = size_valid(size_bits) ? block_at(a, paddr, size_bits) : NULL;

	return b && b->state == ALLOC_TAKEN && b->paddr == paddr && b->size_bits == size_bits
		       ? b
		       : NULL;
}

enum alloc_error alloc_give(struct alloc *a, struct alloc_block *block)
{
	int error;

	if (!block || block < a->nodes || block >= a->nodes + a->stats.nodes ||
	    block->state != ALLOC_TAKEN)
		return ALLOC_BAD_ARGUMENT;
	error = a->ops->revoke(a->ctx, block->slot);
	if (error)
		return kernel_failed(a, error);
	mark_given(a, block);
	return ALLOC_OK;
}

enum alloc_error alloc_merge(struct alloc *a)
{
	enum alloc_error result = ALLOC_OK;
	struct tree_node *n = tree_last(&a->idle);

	/* The largest first takes the smaller ones below it along; they come
	 * before it in the order, so the next step is asked for afterwards. */
	while (n) {
		struct alloc_block *b = block_of(n);
		struct size_key before = { b->device, b->size_bits, b->paddr };

		if (collapse(a, b) != ALLOC_OK)
			result = ALLOC_KERNEL;
		n = tree_at_or_before(&a->idle, &before);
		if (n == &b->node) /* it refused and is still there */
			n = tree_prev(n);
	}
	return result;
}

uint64_t alloc_slots_free(const struct alloc *a)
{
	return a->slots->free + 2 * a->stats.idle_splits;
}

uint64_t alloc_slots_of_pieces(const struct alloc *a)
{
	return 2 * (a->stats.split_blocks - a->stats.idle_splits);
}

unsigned alloc_largest(const struct alloc *a)
{
	return (unsigned)max_u32(largest(&a->sized), largest(&a->idle));
}

const char *alloc_error_text(enum alloc_error e)
{
	static const char *const text[] = {
		[ALLOC_OK] = "no error",
		[ALLOC_NO_MEMORY] = "no free block of that size",
		[ALLOC_NO_SLOTS] = "no capability slot left",
		[ALLOC_NO_NODES] = "no bookkeeping node left",
		[ALLOC_IN_USE] = "memory is in use",
		[ALLOC_NOT_OWNED] = "no untyped covers that address",
		[ALLOC_OVERLAP] = "memory was added before",
		[ALLOC_BAD_ARGUMENT] = "bad argument",
		[ALLOC_KERNEL] = "the kernel refused",
	};

	return (size_t)e < ARRAY_SIZE(text) ? text[e] : "unknown error";
}

/* Self-check */

struct census {
	uint64_t free_bytes[2], taken_bytes[2];
	uint64_t taken, split, idle, free, nodes;
};

static const char *check_block(const struct alloc_block *b, struct census *c)
{
	c->nodes++;
	switch (b->state) {
	case ALLOC_FREE:
		c->free++;
		c->free_bytes[b->device] += bytes_of(b);
		return NULL;
	case ALLOC_TAKEN:
		c->taken++;
		c->taken_bytes[b->device] += bytes_of(b);
		return NULL;
	case ALLOC_SPLIT:
		c->split++;
		c->idle += !b->taken_below;
		break;
	default:
		return "a block in the tree has no state";
	}
	for (unsigned i = 0; i < 2; i++) {
		const struct alloc_block *k = b->child[i];

		if (!k || k->parent != b || k->size_bits + 1u != b->size_bits ||
		    k->device != b->device ||
		    k->paddr != b->paddr + i * bytes_of(k))
			return "a half does not fit its whole";
	}
	return NULL;
}

/* The block after b in a walk, parents first, that stays below `top`. */
static const struct alloc_block *walk(const struct alloc_block *b,
				      const struct alloc_block *top)
{
	if (b->state == ALLOC_SPLIT)
		return b->child[0];
	while (b != top && b == b->parent->child[1])
		b = b->parent;
	return b == top ? NULL : b->parent->child[1];
}

static const char *check_taken_below(const struct alloc_block *top)
{
	uint64_t n = 0;

	for (const struct alloc_block *b = top; b; b = walk(b, top))
		n += b->state == ALLOC_TAKEN;
	return top->state == ALLOC_SPLIT && top->taken_below != n
		       ? "taken_below is wrong"
		       : NULL;
}

static const char *check_counts(const struct alloc *a, const struct census *c)
{
	const struct alloc_stats *s = &a->stats;

	if (c->free_bytes[0] != s->free_bytes ||
	    c->taken_bytes[0] != s->taken_bytes ||
	    s->total_bytes != s->free_bytes + s->taken_bytes)
		return "bytes of normal memory are wrong";
	if (c->free_bytes[1] != s->device_free_bytes ||
	    c->taken_bytes[1] != s->device_taken_bytes ||
	    s->device_total_bytes != s->device_free_bytes + s->device_taken_bytes)
		return "bytes of device memory are wrong";
	if (c->taken != s->taken_blocks || c->split != s->split_blocks ||
	    c->idle != s->idle_splits || c->nodes != s->nodes_used)
		return "counts of blocks are wrong";
	if (a->sized.count != c->free || a->idle.count != c->idle)
		return "a block is missing in its tree";
	return NULL;
}

const char *alloc_sound(const struct alloc *a)
{
	struct census c = { 0 };

	if (!tree_sound(&a->roots) || !tree_sound(&a->sized) ||
	    !tree_sound(&a->idle))
		return "a tree is not balanced";
	for (struct tree_node *n = tree_first(&a->roots); n; n = tree_next(n)) {
		const struct alloc_block *root = root_of(n);

		for (const struct alloc_block *b = root; b; b = walk(b, root)) {
			const char *e = check_block(b, &c);

			if (!e)
				e = check_taken_below(b);
			if (e)
				return e;
		}
	}
	return check_counts(a, &c);
}
