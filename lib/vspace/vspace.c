#include <selvage/vspace.h>

#include "vspace_impl.h"

/* Nodes */

struct vspace_node *vspace_node_take(struct vspace *v, enum vspace_kind kind)
{
	struct list_node *l = list_pop_front(&v->spare);
	struct vspace_node *n;

	if (!l)
		return NULL;
	n = CONTAINER_OF(l, struct vspace_node, link);
	*n = (struct vspace_node){ .kind = (uint8_t)kind };
	list_init(&n->link);
	v->stats.nodes_used++;
	return n;
}

void vspace_node_give(struct vspace *v, struct vspace_node *n)
{
	n->kind = VSPACE_NODE_SPARE;
	list_push_front(&v->spare, &n->link);
	v->stats.nodes_used--;
}

enum vspace_error vspace_kernel_failed(struct vspace *v, int error)
{
	v->kernel_error = error;
	return VSPACE_KERNEL;
}

int vspace_compare_start(const void *key, const struct tree_node *n)
{
	uint64_t k = *(const uint64_t *)key;
	uint64_t start = vspace_node_of(n)->start;

	return k < start ? -1 : k > start;
}

/* Geometry */

unsigned vspace_level_shift(const struct vspace_geometry *g, unsigned level)
{
	unsigned shift = g->page_bits;

	for (unsigned l = 0; l < level && l < g->levels; l++)
		shift += g->index_bits[l];
	return shift;
}

static bool geometry_valid(const struct vspace_geometry *g)
{
	unsigned shift = g->page_bits;

	if (g->levels < 1 || g->levels > VSPACE_MAX_LEVELS ||
	    g->leaf_levels < 1 || g->leaf_levels > g->levels || shift > 62)
		return false;
	for (unsigned l = 0; l < g->levels; l++) {
		if (g->index_bits[l] < 1 || g->index_bits[l] > 63 - shift)
			return false;
		shift += g->index_bits[l];
	}
	return true;
}

/* Whose entries are pages of that size; `levels` if nobody's. */
static unsigned level_of_page(const struct vspace_geometry *g, unsigned bits)
{
	for (unsigned l = 0; l < g->leaf_levels; l++)
		if (vspace_level_shift(g, l) == bits)
			return l;
	return g->levels;
}

enum vspace_error vspace_init(struct vspace *v,
			      const struct vspace_geometry *geometry,
			      const struct vspace_ops *ops, void *ctx,
			      uint64_t start, uint64_t size,
			      struct vspace_node *nodes, size_t n_nodes,
			      unsigned pool_max)
{
	uint64_t page, span;

	if (!geometry_valid(geometry))
		return VSPACE_BAD_ARGUMENT;
	page = bit_u64(geometry->page_bits);
	span = bit_u64(vspace_level_shift(geometry, geometry->levels));
	if (!size || !is_aligned_u64(start | size, page) ||
	    !range_within_u64(start, size, 0, span))
		return VSPACE_BAD_ARGUMENT;
	if (!n_nodes)
		return VSPACE_NO_NODES;
	*v = (struct vspace){
		.geometry = *geometry,
		.ops = ops,
		.ctx = ctx,
		.start = start,
		.size = size,
		.pool_max = pool_max,
	};
	v->stats.nodes = n_nodes;
	list_init(&v->spare);
	for (size_t i = 0; i < n_nodes; i++)
		list_push_back(&v->spare, &nodes[i].link);
	tree_init(&v->mappings, vspace_compare_start);
	vspace_range_init(v);
	vspace_table_init(v);
	return VSPACE_OK;
}

/* Mappings */

static struct vspace_node *mapping_at(const struct vspace *v, uint64_t vaddr)
{
	return vspace_node_of(tree_at_or_before(&v->mappings, &vaddr));
}

static enum vspace_error check_mapping(const struct vspace *v, uint64_t vaddr,
				       unsigned bits, uint64_t count)
{
	const struct vspace_node *r, *m;
	uint64_t size, last;

	if (level_of_page(&v->geometry, bits) == v->geometry.levels || !count)
		return VSPACE_BAD_ARGUMENT;
	if (!is_aligned_u64(vaddr, bit_u64(bits)))
		return VSPACE_MISALIGNED;
	if (count > v->size >> bits ||
	    !range_within_u64(vaddr, count << bits, v->start, v->size))
		return VSPACE_OUT_OF_RANGE;
	size = count << bits;
	r = vspace_range_at(v, vaddr);
	if (r->kind != VSPACE_NODE_RESERVED ||
	    !range_within_u64(vaddr, size, r->start, r->size))
		return VSPACE_NOT_RESERVED;
	last = vaddr + size - 1;
	m = mapping_at(v, last);
	return m && range_overlaps_u64(vaddr, size, m->start, m->size)
		       ? VSPACE_OVERLAP
		       : VSPACE_OK;
}

static void mapping_resize(struct vspace *v, struct vspace_node *m,
			   uint64_t count, unsigned bits)
{
	v->stats.mapped_bytes += (count << bits) - m->size;
	v->stats.frames += count - m->count;
	m->count = count;
	m->size = count << bits;
}

/* Maps the frames of m that lie in the table over its end; m grows. */
static enum vspace_error map_in_table(struct vspace *v, struct vspace_node *m,
				      uint64_t count, unsigned bits)
{
	uint64_t at = vspace_node_end(m);
	uint64_t fit = vspace_table_left(v, at, m->level) >> bits;
	uint64_t end = min_u64(count, m->count + fit);
	uint64_t done = m->count;
	enum vspace_error e = vspace_table_ensure(v, at, m->level);
	int error = 0;

	if (e)
		return e;
	while (done < end && !error) {
		error = v->ops->map_frame(v->ctx, m->first + done,
					  m->start + (done << bits), bits,
					  m->rights, m->attributes);
		done += !error;
	}
	vspace_table_use(v, at, m->level, done - m->count);
	mapping_resize(v, m, done, bits);
	if (!error)
		return VSPACE_OK;
	vspace_table_release(v, at, m->level, 0);
	return vspace_kernel_failed(v, error);
}

/* Unmaps frames of m from its end until `count` are left. */
static enum vspace_error trim(struct vspace *v, struct vspace_node *m)
{
	unsigned bits = vspace_level_shift(&v->geometry, m->level);
	enum vspace_error e = VSPACE_OK;

	while (m->count) {
		uint64_t at = vspace_node_end(m) - bit_u64(bits);
		int error = v->ops->unmap_frame(v->ctx, m->first + m->count - 1,
						at, bits);

		if (error)
			return vspace_kernel_failed(v, error);
		mapping_resize(v, m, m->count - 1, bits);
		if (vspace_table_release(v, at, m->level, 1))
			e = VSPACE_KERNEL;
	}
	return e;
}

static void mapping_end(struct vspace *v, struct vspace_node *m)
{
	tree_remove(&v->mappings, &m->node);
	v->stats.mappings--;
	vspace_node_give(v, m);
}

enum vspace_error vspace_map(struct vspace *v, uint64_t vaddr, unsigned bits,
			     uint64_t frame, uint64_t count, uint32_t rights,
			     uint32_t attributes)
{
	enum vspace_error e = check_mapping(v, vaddr, bits, count);
	struct vspace_node *m;

	if (e)
		return e;
	m = vspace_node_take(v, VSPACE_NODE_MAPPING);
	if (!m)
		return VSPACE_NO_NODES;
	m->start = vaddr;
	m->first = frame;
	m->rights = rights;
	m->attributes = attributes;
	m->level = (uint8_t)level_of_page(&v->geometry, bits);
	tree_insert(&v->mappings, &m->node, &vaddr);
	v->stats.mappings++;
	while (m->count < count) {
		e = map_in_table(v, m, count, bits);
		if (e) {
			int error = v->kernel_error;

			trim(v, m);
			if (!m->count)
				mapping_end(v, m);
			v->kernel_error = error;
			return e;
		}
	}
	return VSPACE_OK;
}

enum vspace_error vspace_unmap(struct vspace *v, uint64_t vaddr)
{
	struct vspace_node *m = vspace_node_of(tree_find(&v->mappings, &vaddr));
	enum vspace_error e;

	if (!m)
		return VSPACE_NOT_MAPPED;
	e = trim(v, m);
	if (!m->count)
		mapping_end(v, m);
	return e;
}

static void describe_mapping(const struct vspace *v, uint64_t vaddr,
			     const struct vspace_node *m,
			     struct vspace_info *info)
{
	unsigned bits = vspace_level_shift(&v->geometry, m->level);
	uint64_t index = (vaddr - m->start) >> bits;

	info->mapped = true;
	info->mapping_start = m->start;
	info->mapping_size = m->size;
	info->frame = m->first + index;
	info->frame_vaddr = m->start + (index << bits);
	info->bits = bits;
	info->rights = m->rights;
	info->attributes = m->attributes;
}

enum vspace_error vspace_lookup(const struct vspace *v, uint64_t vaddr,
				struct vspace_info *info)
{
	const struct vspace_node *r, *m;

	*info = (struct vspace_info){ 0 };
	if (!range_within_u64(vaddr, 1, v->start, v->size))
		return VSPACE_OUT_OF_RANGE;
	r = vspace_range_at(v, vaddr);
	if (r->kind != VSPACE_NODE_RESERVED)
		return VSPACE_NOT_RESERVED;
	info->reserved_start = r->start;
	info->reserved_size = r->size;
	info->tag = r->tag;
	m = mapping_at(v, vaddr);
	if (m && range_within_u64(vaddr, 1, m->start, m->size))
		describe_mapping(v, vaddr, m, info);
	return VSPACE_OK;
}

enum vspace_error vspace_clear(struct vspace *v)
{
	enum vspace_error result = VSPACE_OK;
	struct tree_node *n, *next;

	for (n = tree_first(&v->mappings); n; n = next) {
		next = tree_next(n);
		if (vspace_unmap(v, vspace_node_of(n)->start))
			result = VSPACE_KERNEL;
	}
	/* A release may join ranges, so the next is looked for by address. */
	for (uint64_t at = v->start;;) {
		n = tree_at_or_after(&v->ranges, &at);
		if (!n)
			break;
		at = vspace_node_end(vspace_node_of(n));
		if (vspace_node_of(n)->kind == VSPACE_NODE_RESERVED)
			vspace_release(v, vspace_node_of(n)->start);
	}
	vspace_drain(v);
	return result;
}

const char *vspace_error_text(enum vspace_error e)
{
	static const char *const text[] = {
		[VSPACE_OK] = "no error",
		[VSPACE_NO_NODES] = "no bookkeeping node left",
		[VSPACE_NO_TABLES] = "no page table left",
		[VSPACE_NO_ROOM] = "no gap of that size",
		[VSPACE_OUT_OF_RANGE] = "outside the address space",
		[VSPACE_MISALIGNED] = "address or size is not aligned",
		[VSPACE_OVERLAP] = "addresses are taken",
		[VSPACE_NOT_RESERVED] = "addresses are not reserved",
		[VSPACE_NOT_MAPPED] = "no mapping begins there",
		[VSPACE_IN_USE] = "something is mapped there",
		[VSPACE_BAD_ARGUMENT] = "bad argument",
		[VSPACE_KERNEL] = "the kernel refused",
	};

	return (size_t)e < ARRAY_SIZE(text) ? text[e] : "unknown error";
}

/* Self-check */

static const char *check_ranges(const struct vspace *v)
{
	uint64_t at = v->start, reserved = 0;
	size_t gaps = 0;
	bool was_gap = false;

	for (struct tree_node *i = tree_first(&v->ranges); i; i = tree_next(i)) {
		const struct vspace_node *n = vspace_node_of(i);
		bool gap = n->kind == VSPACE_NODE_GAP;

		if (n->start != at || !n->size || (gap && was_gap))
			return "ranges do not cover the space";
		at += n->size;
		gaps += gap;
		reserved += gap ? 0 : n->size;
		was_gap = gap;
	}
	if (at != v->start + v->size || gaps != v->gaps.count)
		return "ranges do not cover the space";
	return reserved == v->stats.reserved_bytes ? NULL
						   : "reserved bytes are wrong";
}

/* Entries of the table t that are in use, by what hangs below it. */
static uint64_t entries_used(const struct vspace *v, const struct vspace_node *t)
{
	uint64_t size = bit_u64(vspace_level_shift(&v->geometry, t->level + 1));
	uint64_t used = 0;

	for (struct tree_node *i = tree_first(&v->mappings); i; i = tree_next(i)) {
		const struct vspace_node *m = vspace_node_of(i);
		uint64_t from = max_u64(m->start, t->start);
		uint64_t to = min_u64(vspace_node_end(m), t->start + size);

		if (m->level == t->level && from < to)
			used += (to - from) >> vspace_level_shift(&v->geometry,
								  m->level);
	}
	for (struct tree_node *i = tree_first(&v->tables); i; i = tree_next(i)) {
		const struct vspace_node *k = vspace_node_of(i);

		used += k->level + 1u == t->level && k->start >= t->start &&
			k->start - t->start < size;
	}
	return used;
}

const char *vspace_sound(const struct vspace *v)
{
	const struct vspace_stats *s = &v->stats;
	const char *e = check_ranges(v);

	if (e)
		return e;
	if (!tree_sound(&v->ranges) || !tree_sound(&v->gaps) ||
	    !tree_sound(&v->mappings) || !tree_sound(&v->tables))
		return "a tree is not balanced";
	for (struct tree_node *i = tree_first(&v->tables); i; i = tree_next(i))
		if (vspace_node_of(i)->count != entries_used(v, vspace_node_of(i)))
			return "a table's count is wrong";
	if (v->mappings.count != s->mappings || v->tables.count != s->tables ||
	    s->nodes_used != v->ranges.count + v->mappings.count +
				     v->tables.count + s->pooled)
		return "counts of nodes are wrong";
	return NULL;
}
