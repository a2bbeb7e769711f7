/*
 * The MMIO bus of one VM: which device answers at which guest-physical
 * address. Accesses are the records of <dev/mmio.h>.
 */
#pragma once

#include "gmem.h"

#include <dev/mmio.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum mmio_outcome (*bus_handler)(void *device, unsigned vcpu,
					 struct mmio *m);

struct bus_region {
	const char *name;
	gpa_t base;
	uint64_t size;
	bus_handler handler;
	void *device;
	bool absent; /* what was there is gone: any access is an abort */
};

#define BUS_MAX_REGIONS 32

struct bus {
	unsigned n_regions;
	/* Of the latest hit: accesses come in runs. */
	const struct bus_region *last;
	/* Answers in its range where nothing else does, or NULL. */
	const struct bus_region *elsewhere;
	struct bus_region region[BUS_MAX_REGIONS];
};

/* False: no room, empty, wrapping, overlapping another region, or its ends are
 * not multiples of BUS_ALIGN. */
#define BUS_ALIGN 8u
bool bus_add(struct bus *b, const struct bus_region *region);
/* Handler of `elsewhere`: reads as zero, ignores writes. */
enum mmio_outcome bus_nothing(void *device, unsigned vcpu, struct mmio *m);
/* The region that holds gpa, else `elsewhere`, if that does. */
const struct bus_region *bus_search(struct bus *b, gpa_t gpa);
static inline const struct bus_region *bus_find(struct bus *b, gpa_t gpa)
{
	/* `last` is a hint that threads may race on: read once. */
	const struct bus_region *r = __atomic_load_n(&b->last, __ATOMIC_RELAXED);

	if (r != NULL && gpa - r->base < r->size)
		return r;
	return bus_search(b, gpa);
}
/*
 * Hands the access (size, write, value: set by the caller) to region r, whose
 * gpa it is. What is not naturally aligned is MMIO_FAULT; the rest lies within
 * the region, whose ends are aligned.
 */
static inline enum mmio_outcome bus_access(const struct bus_region *r, gpa_t gpa, unsigned vcpu,
					   struct mmio *m)
{
	m->offset = gpa - r->base;
	if (!mmio_valid(m))
		return mmio_fault(m, "not naturally aligned");
	return r->handler(r->device, vcpu, m);
}
/* Handler: identification of a PrimeCell (`device`: its uint32_t, bytes 0 to 3)
 * that does nothing; the rest reads as zero, writes are ignored. */
enum mmio_outcome bus_stub(void *device, unsigned vcpu, struct mmio *m);
