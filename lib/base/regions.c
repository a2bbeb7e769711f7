#include <selvage/regions.h>

static void remove_at(struct regions *l, unsigned i)
{
	l->count--;
	for (; i < l->count; i++)
		l->r[i] = l->r[i + 1];
}

static void insert_at(struct regions *l, unsigned i, struct region r)
{
	if (l->count == REGIONS_MAX) {
		l->overflow = true;
		return;
	}
	for (unsigned j = l->count; j > i; j--)
		l->r[j] = l->r[j - 1];
	l->r[i] = r;
	l->count++;
}

void regions_add(struct regions *l, uint64_t start, uint64_t end)
{
	unsigned i = 0;

	if (start >= end)
		return;
	while (i < l->count && l->r[i].start < start)
		i++;
	insert_at(l, i, (struct region){ start, end });
}

void regions_subtract(struct regions *l, uint64_t start, uint64_t end)
{
	for (unsigned i = 0; i < l->count;) {
		struct region r = l->r[i];
		if (r.end <= start || r.start >= end || start >= end) {
			i++;
			continue;
		}
		remove_at(l, i);
		if (r.start < start)
			insert_at(l, i++, (struct region){ r.start, start });
		if (r.end > end)
			insert_at(l, i++, (struct region){ end, r.end });
	}
}

void regions_subtract_all(struct regions *l, const struct regions *of)
{
	for (unsigned i = 0; i < of->count; i++)
		regions_subtract(l, of->r[i].start, of->r[i].end);
}
