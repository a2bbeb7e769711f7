#include <selvage/event.h>

struct place {
	uint8_t priority;
	uint64_t age;
};

static struct event_handler *handler_of(const struct tree_node *n)
{
	return n ? CONTAINER_OF(n, struct event_handler, node) : NULL;
}

static int compare_place(const void *key, const struct tree_node *n)
{
	const struct place *p = key;
	const struct event_handler *h = handler_of(n);

	if (p->priority != h->priority)
		return p->priority > h->priority ? -1 : 1;
	return p->age < h->age ? -1 : p->age > h->age;
}

void event_chain_init(struct event_chain *c)
{
	*c = (struct event_chain){ .next_age = 0 };
	tree_init(&c->handlers, compare_place);
}

void event_handler_init(struct event_handler *h, uint8_t priority,
			bool (*handle)(struct event_handler *h, void *what))
{
	*h = (struct event_handler){ .handle = handle, .priority = priority };
}

bool event_chain_add(struct event_chain *c, struct event_handler *h)
{
	struct place p = { h->priority, c->next_age };

	if (h->chain)
		return false;
	h->age = c->next_age++;
	h->chain = c;
	return tree_insert(&c->handlers, &h->node, &p);
}

bool event_chain_remove(struct event_chain *c, struct event_handler *h)
{
	if (h->chain != c)
		return false;
	tree_remove(&c->handlers, &h->node);
	h->chain = NULL;
	return true;
}

struct event_handler *event_chain_dispatch(struct event_chain *c, void *what)
{
	struct event_handler *h = handler_of(tree_first(&c->handlers));

	while (h) {
		/* The next one is looked for by place afterwards: `h` may be
		 * in no chain any more, or gone. */
		struct place next = { h->priority, h->age + 1 };

		if (h->handle(h, what))
			return h;
		h = handler_of(tree_at_or_after(&c->handlers, &next));
	}
	return NULL;
}
