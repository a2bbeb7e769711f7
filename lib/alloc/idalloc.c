#include <selvage/idalloc.h>

#define FAN_BITS 6u
#define FAN_MASK 63u

enum idalloc_error idalloc_init(struct idalloc *a, uint64_t *words,
				uint64_t first, uint64_t count)
{
	uint64_t n = count;

	if (!count || count > IDALLOC_MAX_COUNT || first > UINT64_MAX - count)
		return IDALLOC_BAD_ARGUMENT;
	*a = (struct idalloc){ .first = first, .count = count, .free = count };
	do {
		uint64_t *w = words;

		a->level[a->levels] = w;
		a->words[a->levels++] = IDALLOC_UP(n);
		words += IDALLOC_UP(n);
		for (uint64_t left = n; left; left -= min_u64(left, 64))
			*w++ = mask_u64((unsigned)min_u64(left, 64));
		n = IDALLOC_UP(n);
	} while (n > 1);
	return IDALLOC_OK;
}

/* A number was taken or given back: the words above follow, as far up as a
 * word became empty or ceased to be. */
static void mark_taken(struct idalloc *a, uint64_t index)
{
	for (unsigned l = 0; l < a->levels; l++) {
		uint64_t *w = &a->level[l][index >> FAN_BITS];

		*w &= ~bit_u64(index & FAN_MASK);
		if (*w)
			return;
		index >>= FAN_BITS;
	}
}

static void mark_free(struct idalloc *a, uint64_t index)
{
	for (unsigned l = 0; l < a->levels; l++) {
		uint64_t *w = &a->level[l][index >> FAN_BITS];
		bool had_free = *w != 0;

		*w |= bit_u64(index & FAN_MASK);
		if (had_free)
			return;
		index >>= FAN_BITS;
	}
}

static bool is_free(const struct idalloc *a, uint64_t index)
{
	return a->level[0][index >> FAN_BITS] >> (index & FAN_MASK) & 1;
}

static bool in_range(const struct idalloc *a, uint64_t id)
{
	return id >= a->first && id - a->first < a->count;
}

enum idalloc_error idalloc_take(struct idalloc *a, uint64_t *id)
{
	uint64_t index = 0;

	if (!a->free)
		return IDALLOC_NONE_LEFT;
	for (unsigned l = a->levels; l-- > 0;)
		index = index << FAN_BITS | bit_lowest_u64(a->level[l][index]);
	mark_taken(a, index);
	a->free--;
	*id = a->first + index;
	return IDALLOC_OK;
}

enum idalloc_error idalloc_take_at(struct idalloc *a, uint64_t id)
{
	if (!in_range(a, id))
		return IDALLOC_OUT_OF_RANGE;
	if (!is_free(a, id - a->first))
		return IDALLOC_IN_USE;
	mark_taken(a, id - a->first);
	a->free--;
	return IDALLOC_OK;
}

/*
 * The next leaf word at or after `word` that has a free number, or the count
 * of leaf words. Climbs until a level knows of one to the right, then
 * descends: O(levels).
 */
static uint64_t next_leaf(const struct idalloc *a, uint64_t word)
{
	uint64_t at = word;

	for (unsigned l = 1; l < a->levels; l++) {
		uint64_t w = at >> FAN_BITS;
		uint64_t right;

		if (w >= a->words[l])
			break;
		right = a->level[l][w] & ~mask_u64(at & FAN_MASK);
		if (!right) {
			at = w + 1;
			continue;
		}
		at = w << FAN_BITS | bit_lowest_u64(right);
		while (--l > 0)
			at = at << FAN_BITS | bit_lowest_u64(a->level[l][at]);
		return at;
	}
	return a->words[0];
}

/* The lowest bit of `w` from which n bits are ones, or 64. */
static unsigned run_in_word(uint64_t w, unsigned n)
{
	unsigned have = 1;

	/* Bit i stays while bits i .. i + have - 1 of the word are ones. */
	while (have < n && w) {
		unsigned step = n - have < have ? n - have : have;

		w &= w >> step;
		have += step;
	}
	return w ? bit_lowest_u64(w) : 64;
}

enum idalloc_error idalloc_take_run(struct idalloc *a, unsigned n, uint64_t *id)
{
	if (n < 1 || n > IDALLOC_MAX_RUN)
		return IDALLOC_BAD_ARGUMENT;
	for (uint64_t w = 0; w < a->words[0]; w++) {
		unsigned at;

		if (!a->level[0][w])
			w = next_leaf(a, w);
		if (w >= a->words[0])
			break;
		at = run_in_word(a->level[0][w], n);
		if (at == 64)
			continue;
		for (unsigned i = 0; i < n; i++)
			mark_taken(a, (w << FAN_BITS) + at + i);
		a->free -= n;
		*id = a->first + (w << FAN_BITS) + at;
		return IDALLOC_OK;
	}
	return IDALLOC_NONE_LEFT;
}

enum idalloc_error idalloc_give(struct idalloc *a, uint64_t id)
{
	if (!in_range(a, id))
		return IDALLOC_OUT_OF_RANGE;
	if (is_free(a, id - a->first))
		return IDALLOC_NOT_IN_USE;
	mark_free(a, id - a->first);
	a->free++;
	return IDALLOC_OK;
}

bool idalloc_taken(const struct idalloc *a, uint64_t id)
{
	return in_range(a, id) && !is_free(a, id - a->first);
}

const char *idalloc_error_text(enum idalloc_error e)
{
	static const char *const text[] = {
		[IDALLOC_OK] = "no error",
		[IDALLOC_NONE_LEFT] = "no number left",
		[IDALLOC_IN_USE] = "number is in use",
		[IDALLOC_NOT_IN_USE] = "number is not in use",
		[IDALLOC_OUT_OF_RANGE] = "number is out of range",
		[IDALLOC_BAD_ARGUMENT] = "bad argument",
	};

	return (size_t)e < ARRAY_SIZE(text) ? text[e] : "unknown error";
}
