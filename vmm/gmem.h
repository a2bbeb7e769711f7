/*
 * Guest memory. The only way to it: a guest-supplied address or length never
 * becomes a pointer without passing here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t gpa_t; /* guest-physical address */

#define GMEM_MAX_REGIONS 32

struct gmem_region {
	gpa_t gpa;
	uint64_t size;
	uint8_t *host; /* where the VMM sees it */
};

struct gmem {
	/* Whether something of a range in one region is not there just now; NULL: all is. */
	bool (*gone)(gpa_t gpa, uint64_t size);
	unsigned n_regions;
	struct gmem_region region[GMEM_MAX_REGIONS];
};

/* False: no room, empty, or it wraps around or overlaps. */
bool gmem_add(struct gmem *m, gpa_t gpa, uint64_t size, void *host);
/* Whether all of [gpa, gpa + size) is RAM of one region. */
bool gmem_holds(const struct gmem *m, gpa_t gpa, uint64_t size);
/* Copies, from one region into the next too; false (and nothing copied) if the
 * range is not all RAM. */
bool gmem_read(const struct gmem *m, gpa_t gpa, void *to, size_t size);
bool gmem_write(const struct gmem *m, gpa_t gpa, const void *from, size_t size);
/* One aligned word, in one access. False: not aligned or not RAM. */
bool gmem_read_u16(const struct gmem *m, gpa_t gpa, uint16_t *value);
bool gmem_write_u16(const struct gmem *m, gpa_t gpa, uint16_t value);
bool gmem_read_u32(const struct gmem *m, gpa_t gpa, uint32_t *value);
bool gmem_read_u64(const struct gmem *m, gpa_t gpa, uint64_t *value);
/*
 * For loading images before the guest runs: the range as a pointer, or NULL.
 * Not to be kept.
 */
void *gmem_span(const struct gmem *m, gpa_t gpa, uint64_t size);
