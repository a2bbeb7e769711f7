/*
 * Intrusive balanced binary tree (AVL), ordered by a key that the user's
 * comparison reads out of the node. Insert, remove and every search take
 * O(log n) steps; next and previous take O(1) on average. No recursion, no
 * allocation.
 */
#pragma once

#include <selvage/base.h>

struct tree_node {
	struct tree_node *parent;
	struct tree_node *child[2]; /* smaller, larger */
	int height;                 /* of the subtree; a leaf has 1 */
};

/* Negative, zero or positive: key before, at or after the node's. */
typedef int (*tree_compare_fn)(const void *key, const struct tree_node *node);

struct tree {
	struct tree_node *root;
	size_t count;
	tree_compare_fn compare;
};

void tree_init(struct tree *t, tree_compare_fn compare);

/* Adds a node whose key is *key. false, and nothing changed: there already
 * is a node with that key. */
bool tree_insert(struct tree *t, struct tree_node *node, const void *key);
/* Takes out a node that is in `t`. */
void tree_remove(struct tree *t, struct tree_node *node);

/* The node with that key; the first at or after it; the last at or before
 * it. NULL if there is none. */
struct tree_node *tree_find(const struct tree *t, const void *key);
struct tree_node *tree_at_or_after(const struct tree *t, const void *key);
struct tree_node *tree_at_or_before(const struct tree *t, const void *key);

struct tree_node *tree_first(const struct tree *t);
struct tree_node *tree_last(const struct tree *t);
struct tree_node *tree_next(const struct tree_node *node);
struct tree_node *tree_prev(const struct tree_node *node);

static inline bool tree_empty(const struct tree *t)
{
	return !t->root;
}

/* Whether order, heights, parent links and count are sound; for tests. */
bool tree_sound(const struct tree *t);
