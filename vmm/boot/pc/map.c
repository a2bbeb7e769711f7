/* e820 and places. Addresses stay below 2^52, so that no sum wraps. */
#include "map.h"

#include <selvage/base.h>

#define ADDRESS_END bit_u64(PC_ADDRESS_BITS)
#define BIOS_DATA_END 0x500ull
#define EBDA 0x9fc00ull
#define LOW_END 0x100000ull

static uint64_t end_of(const struct pc_range *r)
{
	return r->start + r->size;
}

/* Appends in order, joined to the last where that goes on. */
static bool append(struct pc_map *m, struct pc_range r)
{
	struct pc_range *last = m->n == 0 ? NULL : &m->range[m->n - 1];

	if (r.size == 0)
		return true;
	if (last != NULL && last->type == r.type && end_of(last) == r.start) {
		last->size += r.size;
		return true;
	}
	if (m->n == PC_MAP_MAX)
		return false;
	m->range[m->n++] = r;
	return true;
}

bool pc_map_set(struct pc_map *m, uint64_t start, uint64_t size, enum pc_memory type)
{
	struct pc_range wanted = { start, size, type };
	struct pc_map out = { 0 };
	bool placed = false, fits = true;

	if (size == 0 || start >= ADDRESS_END || size > ADDRESS_END - start)
		return false;
	for (unsigned i = 0; i < m->n; i++) {
		struct pc_range r = m->range[i], below = r, above = r;

		below.size = r.start < start ? min_u64(r.size, start - r.start) : 0;
		above.start = max_u64(r.start, start + size);
		above.size = end_of(&r) > above.start ? end_of(&r) - above.start : 0;
		fits &= append(&out, below);
		if (!placed && end_of(&r) > start) {
			fits &= append(&out, wanted);
			placed = true;
		}
		fits &= append(&out, above);
	}
	if (!placed)
		fits &= append(&out, wanted);
	if (fits)
		*m = out;
	return fits;
}

bool pc_map_from_ram(struct pc_map *m, const struct gmem *mem, enum pc_low low)
{
	m->n = 0;
	for (unsigned i = 0; i < mem->n_regions; i++)
		if (!pc_map_set(m, mem->region[i].gpa, mem->region[i].size, PC_MEMORY_RAM))
			return false;
	return low == PC_LOW_PLAIN ||
	       (pc_map_set(m, 0, BIOS_DATA_END, PC_MEMORY_RESERVED) &&
		pc_map_set(m, EBDA, LOW_END - EBDA, PC_MEMORY_RESERVED));
}

bool pc_map_is_ram(const struct pc_map *m, uint64_t start, uint64_t size)
{
	for (unsigned i = 0; i < m->n; i++)
		if (m->range[i].type == PC_MEMORY_RAM &&
		    range_within_u64(start, size, m->range[i].start, m->range[i].size))
			return true;
	return false;
}

uint64_t pc_map_ram_end(const struct pc_map *m, uint64_t start)
{
	for (unsigned i = 0; i < m->n; i++)
		if (m->range[i].type == PC_MEMORY_RAM && start >= m->range[i].start &&
		    start < end_of(&m->range[i]))
			return end_of(&m->range[i]);
	return start;
}

/* What is taken of the range, or NULL. */
static const struct pc_range *taken(const struct pc_places *p, uint64_t start, uint64_t size)
{
	for (unsigned i = 0; i < p->n; i++)
		if (range_overlaps_u64(start, size, p->taken[i].start, p->taken[i].size))
			return &p->taken[i];
	return NULL;
}

static bool note_taken(struct pc_places *p, uint64_t start, uint64_t size)
{
	if (p->n == PC_TAKEN_MAX)
		return false;
	p->taken[p->n++] = (struct pc_range){ start, size, PC_MEMORY_RAM };
	return true;
}

void pc_reserve(struct pc_places *p, uint64_t start, uint64_t size)
{
	(void)note_taken(p, start, size);
}

bool pc_take(struct pc_places *p, uint64_t start, uint64_t size)
{
	return pc_map_is_ram(p->map, start, size) && taken(p, start, size) == NULL &&
	       note_taken(p, start, size);
}

/* The lowest or highest free place within [from, to), which is RAM. A step
 * leaves something taken behind, so there are at most p->n of them. */
static uint64_t search(const struct pc_places *p, uint64_t size, uint64_t align, uint64_t from,
		       uint64_t to, enum pc_place_order order)
{
	uint64_t low = align_up_u64(from, align), high = to;

	for (unsigned i = 0; i <= p->n; i++) {
		const struct pc_range *t;
		uint64_t at = low;

		if (high < low || high - low < size)
			break;
		if (order == PC_PLACE_HIGHEST)
			at = align_down_u64(high - size, align);
		if (at < low)
			break;
		t = taken(p, at, size);
		if (t == NULL)
			return at;
		if (order == PC_PLACE_HIGHEST)
			high = t->start;
		else
			low = align_up_u64(end_of(t), align);
	}
	return PC_NOWHERE;
}

uint64_t pc_place(struct pc_places *p, uint64_t size, uint64_t align, uint64_t from,
		  uint64_t to, enum pc_place_order order)
{
	uint64_t at = PC_NOWHERE;

	size = max_u64(size, 1);
	align = min_u64(align, ADDRESS_END);
	for (unsigned i = 0; i < p->map->n && at == PC_NOWHERE; i++) {
		const struct pc_range *r =
			&p->map->range[order == PC_PLACE_LOWEST ? i : p->map->n - 1 - i];

		if (r->type == PC_MEMORY_RAM)
			at = search(p, size, align, max_u64(from, r->start),
				    min_u64(to, end_of(r)), order);
	}
	return at != PC_NOWHERE && note_taken(p, at, size) ? at : PC_NOWHERE;
}
