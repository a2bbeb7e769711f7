/* The MMIO bus. */
#include "bus.h"

#include <selvage/base.h>

bool bus_add(struct bus *b, const struct bus_region *region)
{
	if (b->n_regions >= BUS_MAX_REGIONS || region->size == 0 ||
	    ((region->base | region->size) & (BUS_ALIGN - 1)) != 0 ||
	    region->base + region->size - 1 < region->base)
		return false;
	for (unsigned i = 0; i < b->n_regions; i++) {
		if (range_overlaps_u64(region->base, region->size,
				       b->region[i].base, b->region[i].size))
			return false;
	}
	b->region[b->n_regions++] = *region;
	return true;
}

const struct bus_region *bus_search(struct bus *b, gpa_t gpa)
{
	const struct bus_region *e = b->elsewhere;

	for (unsigned i = 0; i < b->n_regions; i++) {
		const struct bus_region *r = &b->region[i];

		if (gpa - r->base < r->size) {
			__atomic_store_n(&b->last, r, __ATOMIC_RELAXED);
			return r;
		}
	}
	return e != NULL && gpa - e->base < e->size ? e : NULL;
}

enum mmio_outcome bus_nothing(void *device, unsigned vcpu, struct mmio *m)
{
	(void)device;
	(void)vcpu;
	return mmio_ignore(m, "the board has nothing there");
}

enum mmio_outcome bus_stub(void *device, unsigned vcpu, struct mmio *m)
{
	const uint64_t id = 0xb105f00d00000000ull | *(const uint32_t *)device;
	const uint64_t offset = m->offset - 0xfe0;

	(void)vcpu;
	return mmio_done(m, offset < 0x20 && offset % 4 == 0 ? id >> (offset * 2) & 0xff : 0);
}
