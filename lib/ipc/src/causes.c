#include <selvage/base.h>
#include <selvage/causes.h>

static struct cause *find(struct causes *c, const void *where, const char *why)
{
	for (unsigned i = 0; i < CAUSES_MAX; i++) {
		struct cause *x = &c->of[i];

		if (x->n == 0)
			*x = (struct cause){ where, why, 0 };
		if (x->where == where && x->why == why)
			return x;
	}
	return &c->of[CAUSES_MAX];
}

uint64_t causes_count(struct causes *c, const void *where, const char *why)
{
	const uint64_t n = ++find(c, where, why)->n;

	return is_pow2_u64(n) ? n : 0;
}
