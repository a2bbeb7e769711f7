/* Reservations and the gaps between them. */
#include <selvage/vspace.h>

#include "vspace_impl.h"

struct gap_key {
	uint64_t size, start;
};

static struct vspace_node *gap_of(const struct tree_node *n)
{
	return n ? CONTAINER_OF(n, struct vspace_node, sized) : NULL;
}

static int compare_gap(const void *key, const struct tree_node *n)
{
	const struct gap_key *k = key;
	const struct vspace_node *g = gap_of(n);

	if (k->size != g->size)
		return k->size < g->size ? -1 : 1;
	return k->start < g->start ? -1 : k->start > g->start;
}

static void gap_sort(struct vspace *v, struct vspace_node *g)
{
	struct gap_key k = { g->size, g->start };

	tree_insert(&v->gaps, &g->sized, &k);
}

/* A new range; the addresses belong to no other any more. */
static void range_add(struct vspace *v, struct vspace_node *n, uint64_t start,
		      uint64_t size)
{
	n->start = start;
	n->size = size;
	tree_insert(&v->ranges, &n->node, &start);
	if (n->kind == VSPACE_NODE_GAP)
		gap_sort(v, n);
}

static void range_remove(struct vspace *v, struct vspace_node *n)
{
	if (n->kind == VSPACE_NODE_GAP)
		tree_remove(&v->gaps, &n->sized);
	tree_remove(&v->ranges, &n->node);
	vspace_node_give(v, n);
}

void vspace_range_init(struct vspace *v)
{
	tree_init(&v->ranges, vspace_compare_start);
	tree_init(&v->gaps, compare_gap);
	range_add(v, vspace_node_take(v, VSPACE_NODE_GAP), v->start, v->size);
}

struct vspace_node *vspace_range_at(const struct vspace *v, uint64_t vaddr)
{
	return vspace_node_of(tree_at_or_before(&v->ranges, &vaddr));
}

static bool page_aligned(const struct vspace *v, uint64_t x)
{
	return is_aligned_u64(x, bit_u64(v->geometry.page_bits));
}

/* Makes [vaddr, vaddr + size) of the gap g a reservation. */
static enum vspace_error cut(struct vspace *v, struct vspace_node *g,
			     uint64_t vaddr, uint64_t size, uint64_t tag)
{
	uint64_t before = vaddr - g->start;
	uint64_t after = g->size - before - size;
	uint64_t start = g->start;
	struct vspace_node *r;

	/* The gap's own node becomes free, for the first of the three. */
	if (v->stats.nodes - v->stats.nodes_used + 1 <
	    1u + (before != 0) + (after != 0))
		return VSPACE_NO_NODES;
	range_remove(v, g);
	if (before)
		range_add(v, vspace_node_take(v, VSPACE_NODE_GAP), start, before);
	if (after)
		range_add(v, vspace_node_take(v, VSPACE_NODE_GAP), vaddr + size,
			  after);
	r = vspace_node_take(v, VSPACE_NODE_RESERVED);
	r->tag = tag;
	range_add(v, r, vaddr, size);
	v->stats.reservations++;
	v->stats.reserved_bytes += size;
	return VSPACE_OK;
}

enum vspace_error vspace_reserve(struct vspace *v, uint64_t vaddr,
				 uint64_t size, uint64_t tag)
{
	struct vspace_node *g;

	if (!size)
		return VSPACE_BAD_ARGUMENT;
	if (!page_aligned(v, vaddr) || !page_aligned(v, size))
		return VSPACE_MISALIGNED;
	if (!range_within_u64(vaddr, size, v->start, v->size))
		return VSPACE_OUT_OF_RANGE;
	g = vspace_range_at(v, vaddr);
	if (g->kind != VSPACE_NODE_GAP ||
	    !range_within_u64(vaddr, size, g->start, g->size))
		return VSPACE_OVERLAP;
	return cut(v, g, vaddr, size, tag);
}

enum vspace_error vspace_reserve_any(struct vspace *v, uint64_t size,
				     unsigned align_bits, uint64_t tag,
				     uint64_t *vaddr)
{
	struct gap_key k = { size, 0 };
	struct tree_node *n;

	if (!size || align_bits >= 63)
		return VSPACE_BAD_ARGUMENT;
	if (!page_aligned(v, size))
		return VSPACE_MISALIGNED;
	align_bits = max_u32(align_bits, v->geometry.page_bits);
	/* The first gap is long enough; one that is `align` longer fits for
	 * certain, so only gaps in between are tried in vain. */
	for (n = tree_at_or_after(&v->gaps, &k); n; n = tree_next(n)) {
		struct vspace_node *g = gap_of(n);
		uint64_t at = align_up_u64(g->start, bit_u64(align_bits));
		enum vspace_error e;

		if (!range_within_u64(at, size, g->start, g->size))
			continue;
		e = cut(v, g, at, size, tag);
		if (!e)
			*vaddr = at;
		return e;
	}
	return VSPACE_NO_ROOM;
}

/* Joins the gap g with a neighbour that is one as well. */
static struct vspace_node *join(struct vspace *v, struct vspace_node *g,
				struct vspace_node *neighbour)
{
	uint64_t start, size;

	if (!neighbour || neighbour->kind != VSPACE_NODE_GAP)
		return g;
	start = min_u64(g->start, neighbour->start);
	size = g->size + neighbour->size;
	range_remove(v, g);
	range_remove(v, neighbour);
	g = vspace_node_take(v, VSPACE_NODE_GAP);
	range_add(v, g, start, size);
	return g;
}

enum vspace_error vspace_release(struct vspace *v, uint64_t vaddr)
{
	struct vspace_node *r = vspace_node_of(tree_find(&v->ranges, &vaddr));
	struct vspace_node *m;
	uint64_t last;

	if (!r || r->kind != VSPACE_NODE_RESERVED)
		return VSPACE_NOT_RESERVED;
	last = vspace_node_end(r) - 1;
	m = vspace_node_of(tree_at_or_before(&v->mappings, &last));
	if (m && m->start >= vaddr)
		return VSPACE_IN_USE;
	v->stats.reservations--;
	v->stats.reserved_bytes -= r->size;
	r->kind = VSPACE_NODE_GAP;
	gap_sort(v, r);
	r = join(v, r, vspace_node_of(tree_prev(&r->node)));
	join(v, r, vspace_node_of(tree_next(&r->node)));
	return VSPACE_OK;
}
