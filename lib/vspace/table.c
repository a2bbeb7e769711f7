/* Intermediate tables: made when needed, taken away when empty, pooled. */
#include <selvage/vspace.h>

#include "vspace_impl.h"

struct table_key {
	unsigned level;
	uint64_t start;
};

static int compare_table(const void *key, const struct tree_node *n)
{
	const struct table_key *k = key;
	const struct vspace_node *t = vspace_node_of(n);

	if (k->level != t->level)
		return k->level < t->level ? -1 : 1;
	return k->start < t->start ? -1 : k->start > t->start;
}

void vspace_table_init(struct vspace *v)
{
	tree_init(&v->tables, compare_table);
	list_init(&v->pool);
}

static bool is_root(const struct vspace *v, unsigned level)
{
	return level + 1 >= v->geometry.levels;
}

static unsigned table_shift(const struct vspace *v, unsigned level)
{
	return vspace_level_shift(&v->geometry, level + 1);
}

static uint64_t table_start(const struct vspace *v, uint64_t vaddr,
			    unsigned level)
{
	return vaddr & ~mask_u64(table_shift(v, level));
}

uint64_t vspace_table_left(const struct vspace *v, uint64_t vaddr,
			   unsigned level)
{
	uint64_t mask = mask_u64(table_shift(v, level));

	return mask - (vaddr & mask) + 1;
}

static struct vspace_node *table_at(const struct vspace *v, uint64_t vaddr,
				    unsigned level)
{
	struct table_key k = { level, table_start(v, vaddr, level) };

	return vspace_node_of(tree_find(&v->tables, &k));
}

/* Pool */

static struct vspace_node *table_new(struct vspace *v, enum vspace_error *e)
{
	struct vspace_node *t = vspace_node_take(v, VSPACE_NODE_TABLE);
	int error;

	*e = VSPACE_NO_NODES;
	if (!t)
		return NULL;
	error = v->ops->alloc_table(v->ctx, &t->first);
	if (!error)
		return t;
	v->kernel_error = error;
	*e = VSPACE_NO_TABLES;
	vspace_node_give(v, t);
	return NULL;
}

static struct vspace_node *table_take(struct vspace *v, enum vspace_error *e)
{
	struct list_node *n = list_pop_front(&v->pool);

	if (!n)
		return table_new(v, e);
	v->stats.pooled--;
	return CONTAINER_OF(n, struct vspace_node, link);
}

static void table_give(struct vspace *v, struct vspace_node *t)
{
	if (v->stats.pooled < v->pool_max) {
		list_push_front(&v->pool, &t->link);
		v->stats.pooled++;
		return;
	}
	v->ops->free_table(v->ctx, t->first);
	vspace_node_give(v, t);
}

enum vspace_error vspace_prepare(struct vspace *v, unsigned n)
{
	v->pool_max = max_u32(v->pool_max, n);
	while (v->stats.pooled < n) {
		enum vspace_error e;
		struct vspace_node *t = table_new(v, &e);

		if (!t)
			return e;
		table_give(v, t);
	}
	return VSPACE_OK;
}

void vspace_drain(struct vspace *v)
{
	struct list_node *n;

	while ((n = list_pop_front(&v->pool))) {
		struct vspace_node *t = CONTAINER_OF(n, struct vspace_node, link);

		v->ops->free_table(v->ctx, t->first);
		vspace_node_give(v, t);
		v->stats.pooled--;
	}
}

/* Tree of tables */

void vspace_table_use(struct vspace *v, uint64_t vaddr, unsigned level,
		      uint64_t n)
{
	if (!is_root(v, level))
		table_at(v, vaddr, level)->count += n;
}

static void table_insert(struct vspace *v, struct vspace_node *t,
			 uint64_t vaddr, unsigned level)
{
	struct table_key k = { level, table_start(v, vaddr, level) };

	t->start = k.start;
	t->level = (uint8_t)level;
	t->count = 0;
	tree_insert(&v->tables, &t->node, &k);
	v->stats.tables++;
	vspace_table_use(v, vaddr, level + 1, 1);
}

static enum vspace_error table_make(struct vspace *v, uint64_t vaddr,
				    unsigned level)
{
	enum vspace_error e;
	struct vspace_node *t = table_take(v, &e);
	int error;

	if (!t)
		return e;
	error = v->ops->map_table(v->ctx, t->first, level,
				  table_start(v, vaddr, level));
	if (error) {
		table_give(v, t);
		return vspace_kernel_failed(v, error);
	}
	table_insert(v, t, vaddr, level);
	return VSPACE_OK;
}

static enum vspace_error table_unmake(struct vspace *v, struct vspace_node *t)
{
	int error = v->ops->unmap_table(v->ctx, t->first, t->level, t->start);

	if (error)
		return vspace_kernel_failed(v, error);
	tree_remove(&v->tables, &t->node);
	v->stats.tables--;
	table_give(v, t);
	return VSPACE_OK;
}

enum vspace_error vspace_table_release(struct vspace *v, uint64_t vaddr,
				       unsigned level, uint64_t n)
{
	for (; !is_root(v, level); level++) {
		struct vspace_node *t = table_at(v, vaddr, level);
		enum vspace_error e;

		t->count -= n;
		if (t->count || t->adopted)
			return VSPACE_OK;
		e = table_unmake(v, t);
		if (e)
			return e; /* an empty table stays: harmless, and found
				   * again by the next mapping there */
		n = 1;
	}
	return VSPACE_OK;
}

enum vspace_error vspace_table_ensure(struct vspace *v, uint64_t vaddr,
				      unsigned level)
{
	for (unsigned l = v->geometry.levels - 1; l-- > level;) {
		enum vspace_error e;

		if (table_at(v, vaddr, l))
			continue;
		e = table_make(v, vaddr, l);
		if (e) {
			/* Those made above for nothing; the first error is
			 * what the caller wants to know. */
			int error = v->kernel_error;

			vspace_table_release(v, vaddr, l + 1, 0);
			v->kernel_error = error;
			return e;
		}
	}
	return VSPACE_OK;
}

enum vspace_error vspace_adopt_table(struct vspace *v, unsigned level,
				     uint64_t vaddr)
{
	struct vspace_node *t;

	if (is_root(v, level) ||
	    (!is_root(v, level + 1) && !table_at(v, vaddr, level + 1)))
		return VSPACE_BAD_ARGUMENT;
	if (table_at(v, vaddr, level))
		return VSPACE_OVERLAP;
	t = vspace_node_take(v, VSPACE_NODE_TABLE);
	if (!t)
		return VSPACE_NO_NODES;
	t->adopted = true;
	table_insert(v, t, vaddr, level);
	return VSPACE_OK;
}
