/* Checked access to guest RAM. */
#include "gmem.h"

#include <selvage/base.h>
#include <string.h>

bool gmem_add(struct gmem *m, gpa_t gpa, uint64_t size, void *host)
{
	if (m->n_regions >= GMEM_MAX_REGIONS || size == 0 ||
	    gpa + size - 1 < gpa)
		return false;
	for (unsigned i = 0; i < m->n_regions; i++) {
		if (range_overlaps_u64(gpa, size, m->region[i].gpa,
				       m->region[i].size))
			return false;
	}
	m->region[m->n_regions++] = (struct gmem_region){
		.gpa = gpa, .size = size, .host = host
	};
	return true;
}

static bool is_gone(const struct gmem *m, gpa_t gpa, uint64_t size)
{
	return m->gone != NULL && m->gone(gpa, size);
}

void *gmem_span(const struct gmem *m, gpa_t gpa, uint64_t size)
{
	for (const struct gmem_region *r = m->region; r < m->region + m->n_regions; r++)
		if (range_within_u64(gpa, size, r->gpa, r->size))
			return is_gone(m, gpa, size) ? NULL : r->host + (gpa - r->gpa);
	return NULL;
}

bool gmem_holds(const struct gmem *m, gpa_t gpa, uint64_t size)
{
	return gmem_span(m, gpa, size) != NULL;
}

/* The range's beginning that lies in one region, as a pointer; NULL: it is no
 * RAM. */
static void *begin(const struct gmem *m, gpa_t gpa, size_t size, size_t *n)
{
	for (unsigned i = 0; i < m->n_regions; i++) {
		const struct gmem_region *r = &m->region[i];

		if (gpa - r->gpa < r->size) {
			*n = min_u64(size, r->size - (gpa - r->gpa));
			return is_gone(m, gpa, *n) ? NULL : r->host + (gpa - r->gpa);
		}
	}
	return NULL;
}

/* Where regions meet, a range goes on in the next. */
static bool all_ram(const struct gmem *m, gpa_t gpa, size_t size)
{
	for (size_t n = 0; size > 0; gpa += n, size -= n)
		if (begin(m, gpa, size, &n) == NULL)
			return false;
	return true;
}

bool gmem_read(const struct gmem *m, gpa_t gpa, void *to, size_t size)
{
	uint8_t *p = to;

	if (!all_ram(m, gpa, size))
		return false;
	for (size_t n = 0; size > 0; p += n, gpa += n, size -= n) {
		const void *from = begin(m, gpa, size, &n);

		memcpy(p, from, n);
	}
	return true;
}

bool gmem_write(const struct gmem *m, gpa_t gpa, const void *from, size_t size)
{
	const uint8_t *p = from;

	if (!all_ram(m, gpa, size))
		return false;
	for (size_t n = 0; size > 0; p += n, gpa += n, size -= n) {
		void *to = begin(m, gpa, size, &n);

		memcpy(to, p, n);
	}
	return true;
}

bool gmem_read_u16(const struct gmem *m, gpa_t gpa, uint16_t *value)
{
	const void *from = gmem_span(m, gpa, sizeof(*value));

	if (from == NULL || !is_aligned_u64(gpa, sizeof(*value)))
		return false;
	*value = __atomic_load_n((const uint16_t *)from, __ATOMIC_RELAXED);
	return true;
}

bool gmem_write_u16(const struct gmem *m, gpa_t gpa, uint16_t value)
{
	void *to = gmem_span(m, gpa, sizeof(value));

	if (to == NULL || !is_aligned_u64(gpa, sizeof(value)))
		return false;
	__atomic_store_n((uint16_t *)to, value, __ATOMIC_RELAXED);
	return true;
}

bool gmem_read_u32(const struct gmem *m, gpa_t gpa, uint32_t *value)
{
	const void *from = gmem_span(m, gpa, sizeof(*value));

	if (from == NULL || !is_aligned_u64(gpa, sizeof(*value)))
		return false;
	*value = __atomic_load_n((const uint32_t *)from, __ATOMIC_RELAXED);
	return true;
}

bool gmem_read_u64(const struct gmem *m, gpa_t gpa, uint64_t *value)
{
	const void *from = gmem_span(m, gpa, sizeof(*value));

	if (from == NULL || !is_aligned_u64(gpa, sizeof(*value)))
		return false;
	*value = __atomic_load_n((const uint64_t *)from, __ATOMIC_RELAXED);
	return true;
}
