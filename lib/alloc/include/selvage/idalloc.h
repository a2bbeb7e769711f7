/*
 * Allocator of small numbers (capability slots, ids, ASIDs): a radix-64 tree
 * of bitmaps, one to four levels, so up to 64^4 = 16,777,216 numbers. Taking
 * the lowest free number, taking a given one, giving back and asking take one
 * step per level. The numbers run from `first` to `first + count - 1`.
 *
 * The caller brings the storage: IDALLOC_WORDS(count) words.
 */
#pragma once

#include <selvage/base.h>

#define IDALLOC_MAX_LEVELS 4
#define IDALLOC_MAX_COUNT (64ul * 64 * 64 * 64)
#define IDALLOC_MAX_RUN 64

#define IDALLOC_UP(n) (((n) + 63) / 64)
/* Words for `count` numbers, every level included. */
#define IDALLOC_WORDS(count)                                 \
	(IDALLOC_UP(count) + IDALLOC_UP(IDALLOC_UP(count)) + \
	 IDALLOC_UP(IDALLOC_UP(IDALLOC_UP(count))) + 1)

enum idalloc_error {
	IDALLOC_OK = 0,
	IDALLOC_NONE_LEFT = 1,
	IDALLOC_IN_USE = 2,     /* take_at: somebody has it */
	IDALLOC_NOT_IN_USE = 3, /* give: nobody has it */
	IDALLOC_OUT_OF_RANGE = 4,
	IDALLOC_BAD_ARGUMENT = 5,
};

struct idalloc {
	uint64_t *level[IDALLOC_MAX_LEVELS]; /* [0]: a one bit is a free
	                                      * number; above: a word below
	                                      * with a one bit */
	uint64_t words[IDALLOC_MAX_LEVELS];  /* of each level */
	uint64_t first;
	uint64_t count;
	uint64_t free;
	unsigned levels;
};

/* All numbers free. count: 1..IDALLOC_MAX_COUNT; first + count must not
 * overflow. */
enum idalloc_error idalloc_init(struct idalloc *a, uint64_t *words,
				uint64_t first, uint64_t count);
/* The lowest free number. */
enum idalloc_error idalloc_take(struct idalloc *a, uint64_t *id);
enum idalloc_error idalloc_take_at(struct idalloc *a, uint64_t id);
/*
 * n (1..IDALLOC_MAX_RUN) numbers in a row, none of which crosses a multiple
 * of 64 counted from `first`; the lowest such run. NONE_LEFT does not mean
 * that fewer than n are free. Steps: one per group of 64 that has a free
 * number, in the worst case.
 */
enum idalloc_error idalloc_take_run(struct idalloc *a, unsigned n,
				    uint64_t *id);
enum idalloc_error idalloc_give(struct idalloc *a, uint64_t id);
/* Whether `id` is in range and taken. */
bool idalloc_taken(const struct idalloc *a, uint64_t id);
const char *idalloc_error_text(enum idalloc_error e);
