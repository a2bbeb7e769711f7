#include <selvage/arena.h>

#include <abi/object.h>

#define NO_SLOT UINT32_MAX

/* What is being made. */
struct order {
	unsigned type;
	unsigned size_bits; /* Untyped_Retype's argument */
	unsigned bits;      /* log2 bytes of one object */
};

static struct alloc_block *chunk_of(struct list_node *n)
{
	return CONTAINER_OF(n, struct alloc_block, link);
}

static uint64_t chunk_bytes(const struct alloc_block *c)
{
	return bit_u64(c->size_bits);
}

/* How many objects of 2^bits bytes the chunk still takes. */
static uint64_t chunk_fits(const struct alloc_block *c, unsigned bits)
{
	uint64_t start = align_up_u64(c->mark, bit_u64(bits));

	return start >= chunk_bytes(c) ? 0 : (chunk_bytes(c) - start) >> bits;
}

static enum arena_error from_alloc(struct arena *ar, enum alloc_error e)
{
	if (e == ALLOC_KERNEL) {
		ar->kernel_error = ar->alloc->kernel_error;
		return ARENA_KERNEL;
	}
	if (e == ALLOC_OK)
		return ARENA_OK;
	return e == ALLOC_BAD_ARGUMENT ? ARENA_BAD_ARGUMENT : ARENA_NO_MEMORY;
}

void arena_init(struct arena *ar, struct alloc *alloc,
		const struct arena_ops *ops, void *ctx,
		struct arena_slots *slots, unsigned chunk_bits)
{
	*ar = (struct arena){
		.alloc = alloc,
		.ops = ops,
		.ctx = ctx,
		.slots = slots,
		.foreign = NO_SLOT,
		.own = NO_SLOT,
	};
	ar->chunk_bits = (unsigned)min_u32(max_u32(chunk_bits, ABI_PAGE_BITS),
					   ALLOC_MAX_BITS);
	list_init(&ar->open[0]);
	list_init(&ar->open[1]);
	list_init(&ar->full);
}

/* Slots */

static void chain_slots(struct arena *ar, uint32_t *chain, uint64_t first,
			uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		uint32_t index = (uint32_t)(first + i - ar->slots->ids->first);

		ar->slots->next[index] = *chain;
		*chain = index;
	}
	ar->n_slots += n;
}

/* Free memory in pieces holds slots, too: whether some came free. */
static bool reclaim_slots(struct arena *ar)
{
	uint64_t before = ar->slots->ids->free;

	alloc_merge(ar->alloc);
	return ar->slots->ids->free > before;
}

static enum arena_error take_slots(struct arena *ar, uint32_t *chain,
				   unsigned n, uint64_t *first)
{
	enum idalloc_error e = idalloc_take_run(ar->slots->ids, n, first);

	if (e == IDALLOC_NONE_LEFT && reclaim_slots(ar))
		e = idalloc_take_run(ar->slots->ids, n, first);
	if (e)
		return e == IDALLOC_NONE_LEFT ? ARENA_NO_SLOTS
					      : ARENA_BAD_ARGUMENT;
	chain_slots(ar, chain, *first, n);
	return ARENA_OK;
}

enum arena_error arena_slot_run(struct arena *ar, unsigned n, uint64_t *first)
{
	return take_slots(ar, &ar->foreign, n, first);
}

enum arena_error arena_slot(struct arena *ar, uint64_t *slot)
{
	return take_slots(ar, &ar->foreign, 1, slot);
}

enum arena_error arena_slot_own(struct arena *ar, uint64_t *slot)
{
	return take_slots(ar, &ar->own, 1, slot);
}

/* Up to *n slots in a row, as long a row as there is; not yet chained. On
 * error *n is 0. */
static enum arena_error take_row(struct arena *ar, unsigned *n, uint64_t *first)
{
	for (; *n; *n /= 2)
		if (!idalloc_take_run(ar->slots->ids, *n, first))
			return ARENA_OK;
	if (!reclaim_slots(ar) || idalloc_take(ar->slots->ids, first))
		return ARENA_NO_SLOTS;
	*n = 1;
	return ARENA_OK;
}

/* Chunks */

static enum arena_error chunk_take(struct arena *ar, unsigned size_bits,
				   struct list_node *list,
				   struct alloc_block **chunk)
{
	enum alloc_error e = alloc_take(ar->alloc, size_bits, chunk);

	if (e)
		return from_alloc(ar, e);
	list_push_front(list, &(*chunk)->link);
	ar->taken_bytes += chunk_bytes(*chunk);
	return ARENA_OK;
}

/* The largest power of two, in log2, that `count` objects fill and that is
 * there in one piece. */
static unsigned piece_bits(const struct arena *ar, const struct order *o,
			   uint64_t count)
{
	unsigned want = o->bits + bit_highest_u64(count);

	return (unsigned)min_u32(want, alloc_largest(ar->alloc));
}

/* The open chunk that wastes least before the next object. */
static struct alloc_block *find_open(struct list_node *list, unsigned bits)
{
	struct alloc_block *best = NULL;
	uint64_t best_gap = UINT64_MAX;
	struct list_node *n;

	LIST_FOR_EACH(n, list) {
		struct alloc_block *c = chunk_of(n);
		uint64_t gap = align_up_u64(c->mark, bit_u64(bits)) - c->mark;

		if (gap < best_gap && chunk_fits(c, bits)) {
			best = c;
			best_gap = gap;
		}
	}
	return best;
}

/*
 * A chunk for some of `count` objects: a new one that they fill if they are
 * many, else one that is open, else a new one to share.
 */
static enum arena_error chunk_for(struct arena *ar, const struct order *o,
				  uint64_t count, struct alloc_block **chunk)
{
	struct list_node *list = &ar->open[o->bits >= ABI_PAGE_BITS];
	bool many = o->bits + bit_highest_u64(count) >= ar->chunk_bits;
	unsigned bits = many ? piece_bits(ar, o, count)
			     : (unsigned)min_u32(ar->chunk_bits,
						 alloc_largest(ar->alloc));

	if (!many || bits < o->bits) {
		*chunk = find_open(list, o->bits);
		if (*chunk)
			return ARENA_OK;
	}
	if (bits < o->bits)
		return ARENA_NO_MEMORY;
	return chunk_take(ar, bits, list, chunk);
}

static void shelve_if_full(struct arena *ar, struct alloc_block *c,
			   const struct order *o)
{
	unsigned least = o->bits >= ABI_PAGE_BITS ? ABI_PAGE_BITS
						  : ALLOC_MIN_BITS;

	if (chunk_fits(c, least))
		return;
	list_remove(&c->link);
	list_push_front(&ar->full, &c->link);
}

/* Objects */

/* Makes `count` objects that fit into the chunk. */
static enum arena_error fill(struct arena *ar, struct alloc_block *c,
			     const struct order *o, uint64_t count,
			     struct arena_dest *dest, size_t *made)
{
	while (count) {
		unsigned n = (unsigned)min_u64(count, ABI_RETYPE_MAX_OBJECTS);
		int error = ar->ops->retype(ar->ctx, c->slot, o->type,
					    o->size_bits, dest, n);

		if (error) {
			ar->kernel_error = error;
			return ARENA_KERNEL;
		}
		c->mark = align_up_u64(c->mark, bit_u64(o->bits)) +
			  ((uint64_t)n << o->bits);
		ar->object_bytes += (uint64_t)n << o->bits;
		ar->n_objects += n;
		dest->offset += n;
		*made += n;
		count -= n;
	}
	return ARENA_OK;
}

enum arena_error arena_objects_into(struct arena *ar, unsigned type,
				    unsigned size_bits, size_t count,
				    const struct arena_dest *dest, size_t *made)
{
	struct order o = { type, size_bits, object_size_bits(type, size_bits) };
	struct arena_dest at = *dest;

	*made = 0;
	if (o.bits < ALLOC_MIN_BITS || o.bits > ALLOC_MAX_BITS ||
	    count >> (63 - o.bits))
		return ARENA_BAD_ARGUMENT;
	while (*made < count) {
		struct alloc_block *c;
		uint64_t left = count - *made;
		enum arena_error e = chunk_for(ar, &o, left, &c);

		if (e)
			return e;
		e = fill(ar, c, &o, min_u64(left, chunk_fits(c, o.bits)), &at,
			 made);
		shelve_if_full(ar, c, &o);
		if (e)
			return e;
	}
	return ARENA_OK;
}

/* One row of at most *n objects; *n becomes how many there are. */
static enum arena_error make_row(struct arena *ar, unsigned type,
				 unsigned size_bits, unsigned *n, uint64_t *slot)
{
	struct arena_dest dest = { .root = ar->slots->root };
	uint64_t first;
	size_t made;
	enum arena_error e = take_row(ar, n, &first);

	if (e)
		return e;
	dest.offset = first;
	e = arena_objects_into(ar, type, size_bits, *n, &dest, &made);
	chain_slots(ar, &ar->own, first, made);
	for (size_t i = 0; i < made; i++)
		slot[i] = first + i;
	for (size_t i = made; i < *n; i++)
		idalloc_give(ar->slots->ids, first + i);
	*n = (unsigned)made;
	return e;
}

enum arena_error arena_objects(struct arena *ar, unsigned type,
			       unsigned size_bits, size_t count, uint64_t *slot,
			       size_t *made)
{
	*made = 0;
	while (*made < count) {
		unsigned n = (unsigned)min_size(count - *made, IDALLOC_MAX_RUN);
		enum arena_error e = make_row(ar, type, size_bits, &n,
					      slot + *made);

		*made += n;
		if (e)
			return e;
	}
	return ARENA_OK;
}

enum arena_error arena_object(struct arena *ar, unsigned type,
			      unsigned size_bits, uint64_t *slot)
{
	size_t made;

	return arena_objects(ar, type, size_bits, 1, slot, &made);
}

/* All of the block is one object. */
static void fill_whole(struct arena *ar, struct alloc_block *c)
{
	c->mark = chunk_bytes(c);
	ar->object_bytes += chunk_bytes(c);
	ar->n_objects++;
}

enum arena_error arena_untyped(struct arena *ar, unsigned size_bits,
			       const struct alloc_block **block)
{
	struct alloc_block *c;
	enum arena_error e = chunk_take(ar, size_bits, &ar->full, &c);

	if (e)
		return e;
	fill_whole(ar, c);
	*block = c;
	return ARENA_OK;
}

enum arena_error arena_untyped_at(struct arena *ar, uint64_t paddr, unsigned size_bits,
				  const struct alloc_block **block)
{
	struct alloc_block *c;
	enum arena_error e = from_alloc(ar, alloc_take_at(ar->alloc, paddr, size_bits, &c));

	if (e)
		return e;
	list_push_front(&ar->full, &c->link);
	ar->taken_bytes += chunk_bytes(c);
	fill_whole(ar, c);
	*block = c;
	return ARENA_OK;
}

static enum arena_error fill_alone(struct arena *ar, struct alloc_block *c, unsigned type,
				   unsigned size_bits, uint64_t slot)
{
	const struct arena_dest at = { .root = ar->slots->root, .offset = slot };

	list_push_front(&ar->full, &c->link);
	ar->taken_bytes += chunk_bytes(c);
	c->mark = chunk_bytes(c);
	ar->kernel_error = ar->ops->retype(ar->ctx, c->slot, type, size_bits, &at, 1);
	if (ar->kernel_error)
		return ARENA_KERNEL;
	ar->object_bytes += chunk_bytes(c);
	ar->n_objects++;
	return ARENA_OK;
}

enum arena_error arena_object_of(struct arena *ar, struct arena *from, uint64_t paddr,
				 unsigned type, unsigned size_bits, uint64_t *slot)
{
	struct alloc_block *c = alloc_taken_at(from->alloc, paddr, size_bits);
	enum arena_error e = c == NULL ? ARENA_NO_MEMORY : arena_slot_own(ar, slot);

	if (e)
		return e;
	list_remove(&c->link);
	from->taken_bytes -= chunk_bytes(c);
	from->object_bytes -= chunk_bytes(c);
	from->n_objects--;
	return fill_alone(ar, c, type, size_bits, *slot);
}

static enum arena_error give_alone(struct arena *ar, struct alloc_block *block)
{
	const uint64_t bytes = chunk_bytes(block);
	enum alloc_error e;

	list_remove(&block->link);
	e = alloc_give(ar->alloc, block);
	if (e) {
		list_push_front(&ar->full, &block->link);
		return from_alloc(ar, e);
	}
	ar->taken_bytes -= bytes;
	return ARENA_OK;
}

enum arena_error arena_object_alone(struct arena *ar, unsigned type, unsigned size_bits,
				    uint64_t slot, struct alloc_block **block)
{
	enum arena_error e = from_alloc(ar, alloc_take(ar->alloc, size_bits, block));

	if (e)
		return e;
	e = fill_alone(ar, *block, type, size_bits, slot);
	if (e)
		(void)give_alone(ar, *block);
	return e;
}

enum arena_error arena_end_alone(struct arena *ar, struct alloc_block *block)
{
	const uint64_t bytes = chunk_bytes(block);
	enum arena_error e = give_alone(ar, block);

	if (e)
		return e;
	ar->object_bytes -= bytes;
	ar->n_objects--;
	return ARENA_OK;
}

/* End */

static enum arena_error give_chunks(struct arena *ar, struct list_node *list)
{
	enum arena_error result = ARENA_OK;
	struct list_node *n, *following;

	LIST_FOR_EACH_SAFE(n, following, list) {
		struct alloc_block *c = chunk_of(n);
		uint64_t bytes = chunk_bytes(c);
		enum alloc_error e;

		list_remove(n);
		e = alloc_give(ar->alloc, c);
		if (e) {
			list_insert_before(following, n);
			result = from_alloc(ar, e);
		} else {
			ar->taken_bytes -= bytes;
		}
	}
	return result;
}

/* The slots of a chain, emptied first if `full`. One that cannot be emptied
 * stays in the chain. */
static enum arena_error give_slots(struct arena *ar, uint32_t *chain, bool full)
{
	struct arena_slots *s = ar->slots;
	uint32_t index = *chain;
	enum arena_error result = ARENA_OK;

	*chain = NO_SLOT;
	while (index != NO_SLOT) {
		uint64_t slot = s->ids->first + index;
		uint32_t next = s->next[index];
		int error = full ? ar->ops->delete_slot(ar->ctx, slot) : 0;

		ar->n_slots--;
		if (error) {
			ar->kernel_error = error;
			result = ARENA_KERNEL;
			chain_slots(ar, chain, slot, 1);
		} else {
			idalloc_give(s->ids, slot);
		}
		index = next;
	}
	return result;
}

enum arena_error arena_destroy(struct arena *ar)
{
	struct list_node *const list[] = { &ar->full, &ar->open[0],
					   &ar->open[1] };
	enum arena_error result = ARENA_OK;
	enum arena_error e;

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		e = give_chunks(ar, list[i]);
		result = e ? e : result;
	}
	e = give_slots(ar, &ar->foreign, true);
	/* While a chunk is left, so may be capabilities to what it holds. */
	if (!ar->taken_bytes) {
		(void)give_slots(ar, &ar->own, false);
		ar->object_bytes = 0;
		ar->n_objects = 0;
	}
	return e ? e : result;
}

const char *arena_error_text(enum arena_error e)
{
	static const char *const text[] = {
		[ARENA_OK] = "no error",
		[ARENA_NO_MEMORY] = "not enough memory",
		[ARENA_NO_SLOTS] = "no capability slot left",
		[ARENA_BAD_ARGUMENT] = "bad argument",
		[ARENA_KERNEL] = "the kernel refused",
	};

	return (size_t)e < ARRAY_SIZE(text) ? text[e] : "unknown error";
}
