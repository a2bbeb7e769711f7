/* What the parts of lib/vspace share. */
#pragma once

#include <selvage/vspace.h>

static inline struct vspace_node *vspace_node_of(const struct tree_node *n)
{
	return n ? CONTAINER_OF(n, struct vspace_node, node) : NULL;
}

static inline uint64_t vspace_node_end(const struct vspace_node *n)
{
	return n->start + n->size;
}

struct vspace_node *vspace_node_take(struct vspace *v, enum vspace_kind kind);
void vspace_node_give(struct vspace *v, struct vspace_node *n);
enum vspace_error vspace_kernel_failed(struct vspace *v, int error);
int vspace_compare_start(const void *key, const struct tree_node *n);

/* range.c */

void vspace_range_init(struct vspace *v);
/* The gap or reservation that covers vaddr (within the space). */
struct vspace_node *vspace_range_at(const struct vspace *v, uint64_t vaddr);

/* table.c */

void vspace_table_init(struct vspace *v);
/* Sees to every table between the root and `level` (included) that an entry
 * of `level` at vaddr needs. */
enum vspace_error vspace_table_ensure(struct vspace *v, uint64_t vaddr,
				      unsigned level);
/* n entries of the table of `level` over vaddr came to use. */
void vspace_table_use(struct vspace *v, uint64_t vaddr, unsigned level,
		      uint64_t n);
/* n went out of use (or, with 0, never came): takes away tables that became
 * empty, upward. */
enum vspace_error vspace_table_release(struct vspace *v, uint64_t vaddr,
				       unsigned level, uint64_t n);
/* Bytes from vaddr to the end of the table of `level` that covers it. */
uint64_t vspace_table_left(const struct vspace *v, uint64_t vaddr,
			   unsigned level);
