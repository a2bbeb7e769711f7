#include <selvage/causes.h>

static struct cause *find(struct causes *c, const void *where, const char *why)
{
	for (unsigned i = 0; i < CAUSES_MAX; i++) {
		struct cause *x = &c->of[i];

		if (x->n == 0)
			*x = (struct cause){ where, why, 0, 1 };
		if (x->where == where && x->why == why)
			return x;
	}
	return &c->of[CAUSES_MAX];
}

uint64_t causes_count(struct causes *c, const void *where, const char *why)
{
	struct cause *x = find(c, where, why);

	if (++x->n < x->next)
		return 0;
	x->next = 10 * x->n;
	return x->n;
}
