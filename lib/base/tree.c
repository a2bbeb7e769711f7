#include <selvage/tree.h>

static int height(const struct tree_node *n)
{
	return n ? n->height : 0;
}

static void update_height(struct tree_node *n)
{
	int a = height(n->child[0]);
	int b = height(n->child[1]);

	n->height = 1 + (a > b ? a : b);
}

/* Which child of its parent `n` is. */
static int side_of(const struct tree_node *n)
{
	return n->parent->child[1] == n;
}

/* Puts `to` (may be NULL) where `from` hangs. */
static void replace(struct tree *t, struct tree_node *from, struct tree_node *to)
{
	if (!from->parent)
		t->root = to;
	else
		from->parent->child[side_of(from)] = to;
	if (to)
		to->parent = from->parent;
}

/* The child of `top` on side 1 - `side` rises, top goes down on `side`. */
static struct tree_node *rotate(struct tree *t, struct tree_node *top, int side)
{
	struct tree_node *up = top->child[1 - side];
	struct tree_node *moved = up->child[side];

	replace(t, top, up);
	up->child[side] = top;
	top->parent = up;
	top->child[1 - side] = moved;
	if (moved)
		moved->parent = top;
	update_height(top);
	update_height(up);
	return up;
}

/* Makes the heights of n's children differ by at most one; returns the node
 * that stands there now. */
static struct tree_node *balance(struct tree *t, struct tree_node *n)
{
	int lean = height(n->child[1]) - height(n->child[0]);
	int heavy = lean > 0;
	struct tree_node *c;

	if (lean >= -1 && lean <= 1) {
		update_height(n);
		return n;
	}
	c = n->child[heavy];
	if (height(c->child[1 - heavy]) > height(c->child[heavy]))
		rotate(t, c, heavy);
	return rotate(t, n, 1 - heavy);
}

static void balance_upward(struct tree *t, struct tree_node *n)
{
	for (; n; n = n->parent) {
		int before = n->height;
		struct tree_node *now = balance(t, n);

		if (now == n && n->height == before)
			return;
		n = now;
	}
}

void tree_init(struct tree *t, tree_compare_fn compare)
{
	*t = (struct tree){ .compare = compare };
}

bool tree_insert(struct tree *t, struct tree_node *node, const void *key)
{
	struct tree_node *parent = NULL;
	struct tree_node **place = &t->root;

	while (*place) {
		int c = t->compare(key, *place);

		if (c == 0)
			return false;
		parent = *place;
		place = &parent->child[c > 0];
	}
	*node = (struct tree_node){ .parent = parent, .height = 1 };
	*place = node;
	t->count++;
	balance_upward(t, parent);
	return true;
}

/* With two children the node's successor takes its place. */
static struct tree_node *remove_inner(struct tree *t, struct tree_node *node)
{
	struct tree_node *s = node->child[1];
	struct tree_node *lowest_changed;

	while (s->child[0])
		s = s->child[0];
	lowest_changed = s->parent == node ? s : s->parent;
	replace(t, s, s->child[1]);
	s->child[0] = node->child[0];
	s->child[1] = node->child[1];
	s->height = node->height;
	replace(t, node, s);
	for (int side = 0; side < 2; side++)
		if (s->child[side])
			s->child[side]->parent = s;
	return lowest_changed;
}

void tree_remove(struct tree *t, struct tree_node *node)
{
	struct tree_node *changed = node->parent;

	if (node->child[0] && node->child[1])
		changed = remove_inner(t, node);
	else
		replace(t, node, node->child[node->child[0] ? 0 : 1]);
	t->count--;
	balance_upward(t, changed);
	*node = (struct tree_node){ 0 };
}

struct tree_node *tree_find(const struct tree *t, const void *key)
{
	struct tree_node *n = t->root;

	while (n) {
		int c = t->compare(key, n);

		if (c == 0)
			return n;
		n = n->child[c > 0];
	}
	return NULL;
}

/* The match, or else the last node passed on whose `side` the key lies. */
static struct tree_node *find_near(const struct tree *t, const void *key,
				   int side)
{
	struct tree_node *best = NULL;
	struct tree_node *n = t->root;

	while (n) {
		int c = t->compare(key, n);

		if (c == 0)
			return n;
		if ((c > 0) == side)
			best = n;
		n = n->child[c > 0];
	}
	return best;
}

struct tree_node *tree_at_or_after(const struct tree *t, const void *key)
{
	return find_near(t, key, 0);
}

struct tree_node *tree_at_or_before(const struct tree *t, const void *key)
{
	return find_near(t, key, 1);
}

static struct tree_node *outermost(struct tree_node *n, int side)
{
	while (n && n->child[side])
		n = n->child[side];
	return n;
}

struct tree_node *tree_first(const struct tree *t)
{
	return outermost(t->root, 0);
}

struct tree_node *tree_last(const struct tree *t)
{
	return outermost(t->root, 1);
}

static struct tree_node *neighbour(const struct tree_node *n, int side)
{
	if (n->child[side])
		return outermost(n->child[side], 1 - side);
	while (n->parent && side_of(n) == side)
		n = n->parent;
	return n->parent;
}

struct tree_node *tree_next(const struct tree_node *node)
{
	return neighbour(node, 1);
}

struct tree_node *tree_prev(const struct tree_node *node)
{
	return neighbour(node, 0);
}

static bool node_sound(const struct tree_node *n)
{
	int a = height(n->child[0]);
	int b = height(n->child[1]);

	for (int side = 0; side < 2; side++)
		if (n->child[side] && n->child[side]->parent != n)
			return false;
	return a - b <= 1 && b - a <= 1 && n->height == 1 + (a > b ? a : b);
}

bool tree_sound(const struct tree *t)
{
	size_t n = 0;

	if (t->root && t->root->parent)
		return false;
	for (struct tree_node *i = tree_first(t); i; i = tree_next(i), n++)
		if (!node_sound(i))
			return false;
	return n == t->count;
}
