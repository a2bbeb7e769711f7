/* The ID allocator against an array of flags. */
#include "random.h"
#include "unit.h"

#include <selvage/idalloc.h>
#include <stdlib.h>
#include <string.h>

struct twin {
	struct idalloc a;
	uint64_t *words;
	uint8_t *taken;
	uint64_t count, first, n_taken;
};

static void twin_init(struct twin *t, uint64_t first, uint64_t count)
{
	*t = (struct twin){ .count = count, .first = first };
	t->words = malloc(IDALLOC_WORDS(count) * sizeof(uint64_t));
	t->taken = calloc(count, 1);
	assert_int_equal(idalloc_init(&t->a, t->words, first, count),
			 IDALLOC_OK);
}

static void twin_free(struct twin *t)
{
	free(t->words);
	free(t->taken);
}

static uint64_t lowest(const struct twin *t)
{
	uint8_t *p = memchr(t->taken, 0, t->count);

	return p ? (uint64_t)(p - t->taken) : t->count;
}

static uint64_t lowest_run(const struct twin *t, unsigned n)
{
	for (uint64_t i = 0, have = 0; i < t->count; i++) {
		have = t->taken[i] ? 0 : i % 64 ? have + 1
						: 1;
		if (have == n)
			return i - n + 1;
	}
	return t->count;
}

static void check_take(struct twin *t)
{
	uint64_t want = lowest(t), id;
	enum idalloc_error e = idalloc_take(&t->a, &id);

	assert_int_equal(e, want < t->count ? IDALLOC_OK : IDALLOC_NONE_LEFT);
	if (e)
		return;
	assert_int_equal(id, t->first + want);
	t->taken[want] = 1;
	t->n_taken++;
}

static void check_take_at(struct twin *t, uint64_t i)
{
	enum idalloc_error want = i >= t->count ? IDALLOC_OUT_OF_RANGE
				  : t->taken[i] ? IDALLOC_IN_USE
						: IDALLOC_OK;

	assert_int_equal(idalloc_take_at(&t->a, t->first + i), want);
	if (!want) {
		t->taken[i] = 1;
		t->n_taken++;
	}
}

static void check_run(struct twin *t, unsigned n)
{
	uint64_t want = lowest_run(t, n), id;
	enum idalloc_error e = idalloc_take_run(&t->a, n, &id);

	assert_int_equal(e, want < t->count ? IDALLOC_OK : IDALLOC_NONE_LEFT);
	if (e)
		return;
	assert_int_equal(id, t->first + want);
	memset(t->taken + want, 1, n);
	t->n_taken += n;
}

static void check_give(struct twin *t, uint64_t i)
{
	enum idalloc_error want = i >= t->count ? IDALLOC_OUT_OF_RANGE
				  : t->taken[i] ? IDALLOC_OK
						: IDALLOC_NOT_IN_USE;

	assert_int_equal(idalloc_give(&t->a, t->first + i), want);
	if (!want) {
		t->taken[i] = 0;
		t->n_taken--;
	}
}

static void step(struct twin *t, struct random *r, bool grow)
{
	uint64_t i = random_u64(r) % (t->count + 3);

	switch (random_below(r, grow ? 5 : 9)) {
	case 0:
		check_take(t);
		break;
	case 1:
		check_take_at(t, i);
		break;
	case 2:
	case 3:
		check_run(t, 1 + random_below(r, IDALLOC_MAX_RUN));
		break;
	default:
		check_give(t, i);
		if (!grow)
			for (unsigned k = 0; k < 20; k++)
				check_give(t, random_u64(r) % t->count);
	}
	assert_int_equal(t->a.free, t->count - t->n_taken);
	i = random_u64(r) % t->count;
	assert_int_equal(idalloc_taken(&t->a, t->first + i), t->taken[i]);
	assert_false(idalloc_taken(&t->a, t->first + t->count));
	assert_false(t->first && idalloc_taken(&t->a, t->first - 1));
}

static void random_steps_agree_with_flags(void **state)
{
	static const uint64_t counts[] = { 1, 2, 63, 64, 65, 128, 300, 4096,
					   4097, 8176, 20000, 262145 };
	struct random r = { 11 };

	(void)state;
	for (size_t c = 0; c < ARRAY_SIZE(counts); c++) {
		struct twin t;
		int steps = counts[c] > 10000 ? 2000 : 8000;

		twin_init(&t, c % 2 ? 1000 + c : 0, counts[c]);
		for (int i = 0; i < steps; i++)
			step(&t, &r, i % 2000 < 1200);
		while (t.n_taken < t.count && counts[c] <= 4097)
			check_take(&t);
		check_take(&t);
		for (uint64_t i = 0; i < t.count; i++)
			if (t.taken[i])
				check_give(&t, i);
		assert_int_equal(t.a.free, t.count);
		twin_free(&t);
	}
}

static void full_size_has_four_levels(void **state)
{
	uint64_t n = IDALLOC_MAX_COUNT, id;
	uint64_t *words = malloc(IDALLOC_WORDS(n) * sizeof(uint64_t));
	struct idalloc a;

	(void)state;
	assert_int_equal(idalloc_init(&a, words, 5, n), IDALLOC_OK);
	assert_int_equal(a.levels, 4);
	for (uint64_t i = 0; i < n; i++) {
		assert_int_equal(idalloc_take(&a, &id), IDALLOC_OK);
		assert_int_equal(id, i + 5);
	}
	assert_int_equal(idalloc_take(&a, &id), IDALLOC_NONE_LEFT);
	assert_int_equal(idalloc_give(&a, n + 4), IDALLOC_OK);
	assert_int_equal(idalloc_take_run(&a, 2, &id), IDALLOC_NONE_LEFT);
	assert_int_equal(idalloc_take_run(&a, 1, &id), IDALLOC_OK);
	assert_int_equal(id, n + 4);
	assert_int_equal(idalloc_init(&a, words, 0, 64 * 64 * 64), IDALLOC_OK);
	assert_int_equal(a.levels, 3);
	free(words);
}

static void bad_arguments_are_refused(void **state)
{
	uint64_t words[IDALLOC_WORDS(100)], id;
	struct idalloc a;

	(void)state;
	assert_int_equal(idalloc_init(&a, words, 0, 0), IDALLOC_BAD_ARGUMENT);
	assert_int_equal(idalloc_init(&a, words, 0, IDALLOC_MAX_COUNT + 1),
			 IDALLOC_BAD_ARGUMENT);
	assert_int_equal(idalloc_init(&a, words, UINT64_MAX - 50, 100),
			 IDALLOC_BAD_ARGUMENT);
	assert_int_equal(idalloc_init(&a, words, 7, 100), IDALLOC_OK);
	assert_int_equal(idalloc_take_run(&a, 0, &id), IDALLOC_BAD_ARGUMENT);
	assert_int_equal(idalloc_take_run(&a, 65, &id), IDALLOC_BAD_ARGUMENT);
	assert_int_equal(idalloc_give(&a, 6), IDALLOC_OUT_OF_RANGE);
	assert_string_equal(idalloc_error_text(IDALLOC_IN_USE),
			    "number is in use");
	assert_string_equal(idalloc_error_text((enum idalloc_error)99),
			    "unknown error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_steps_agree_with_flags),
		cmocka_unit_test(full_size_has_four_levels),
		cmocka_unit_test(bad_arguments_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
