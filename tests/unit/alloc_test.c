/*
 * The untyped allocator against a map of all memory, unit by unit, with a
 * model of the kernel below it. The central property: a request by size is
 * served exactly if somewhere an aligned stretch of that size is free.
 */
#include "unit.h"
#include "untyped_model.h"

#include <selvage/alloc.h>
#include <string.h>

#define UNIT_BITS 6u
#define MAX_SLOTS 1024
#define MAX_NODES 2048
#define FIRST_SLOT 100

struct root {
	uint64_t paddr;
	unsigned bits;
	bool device;
};

static const struct root roots[] = {
	{ 0x40000, 14, false },
	{ 0x44000, 12, false },
	{ 0x80000, 13, false },
	{ 0x10000, 12, true },
	{ 0x11000, 10, true },
	{ 0x82000, 10, false },
};

/* All memory of the roots in units of 2^UNIT_BITS. */
struct map {
	uint8_t taken[ARRAY_SIZE(roots)][1 << (14 - UNIT_BITS)];
};

struct bench {
	struct model model;
	struct idalloc ids;
	uint64_t words[IDALLOC_WORDS(MAX_SLOTS)];
	struct alloc_block nodes[MAX_NODES];
	struct alloc alloc;
	struct map map;
	struct alloc_block *held[4096];
	unsigned n_held;
};

static int retype_untyped(void *ctx, uint64_t parent, uint64_t dest,
			  unsigned bits)
{
	return model_retype(ctx, parent, 0, bits, 0, dest, 1);
}

static int revoke(void *ctx, uint64_t slot)
{
	return model_revoke(ctx, slot);
}

static const struct alloc_ops ops = { retype_untyped, revoke };

static void bench_init(struct bench *b, uint64_t slots, size_t nodes)
{
	memset(b, 0, sizeof(*b));
	model_init(&b->model);
	idalloc_init(&b->ids, b->words, FIRST_SLOT, slots);
	alloc_init(&b->alloc, &ops, &b->model, &b->ids, b->nodes, nodes);
	for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
		model_add(&b->model, i + 1, roots[i].paddr, roots[i].bits);
		assert_int_equal(alloc_add(&b->alloc, i + 1, roots[i].paddr,
					   roots[i].bits, roots[i].device),
				 ALLOC_OK);
	}
}

static void assert_sound(const struct bench *b)
{
	const char *e = alloc_sound(&b->alloc);

	if (e)
		fail_msg("%s", e);
	assert_int_equal(b->ids.count - b->ids.free,
			 2 * b->alloc.stats.split_blocks);
	assert_int_equal(model_count(&b->model),
			 ARRAY_SIZE(roots) + 2 * b->alloc.stats.split_blocks);
}

static uint8_t *map_at(struct map *m, uint64_t paddr, unsigned bits)
{
	for (size_t i = 0; i < ARRAY_SIZE(roots); i++)
		if (range_within_u64(paddr, bit_u64(bits), roots[i].paddr,
				     bit_u64(roots[i].bits)))
			return &m->taken[i][(paddr - roots[i].paddr) >> UNIT_BITS];
	return NULL;
}

static bool map_free(const uint8_t *at, unsigned bits)
{
	return !memchr(at, 1, (size_t)1 << (bits - UNIT_BITS));
}

/* Whether some aligned normal stretch of that size is free. */
static bool map_has(struct map *m, unsigned bits)
{
	for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
		uint64_t end = roots[i].paddr + bit_u64(roots[i].bits);

		if (roots[i].device || roots[i].bits < bits)
			continue;
		for (uint64_t p = roots[i].paddr; p < end; p += bit_u64(bits))
			if (map_free(map_at(m, p, bits), bits))
				return true;
	}
	return false;
}

static void hold(struct bench *b, struct alloc_block *block, unsigned bits)
{
	uint8_t *at = map_at(&b->map, block->paddr, bits);
	const struct model_cap *c = model_at(&b->model, 0, block->slot);

	assert_int_equal(block->size_bits, bits);
	assert_non_null(at);
	assert_true(map_free(at, bits));
	assert_non_null(c);
	assert_int_equal(c->paddr, block->paddr);
	assert_int_equal(c->bits, bits);
	memset(at, 1, (size_t)1 << (bits - UNIT_BITS));
	b->held[b->n_held++] = block;
}

static void take(struct bench *b, unsigned bits)
{
	struct alloc_block *block = NULL;
	enum alloc_error e = alloc_take(&b->alloc, bits, &block);

	if (!b->model.fail_one_in)
		assert_int_equal(e, map_has(&b->map, bits) ? ALLOC_OK
							   : ALLOC_NO_MEMORY);
	if (e)
		return;
	assert_false(block->device);
	hold(b, block, bits);
}

static void take_at(struct bench *b, uint64_t paddr, unsigned bits)
{
	struct alloc_block *block = NULL;
	uint8_t *at = map_at(&b->map, paddr, bits);
	enum alloc_error want = !at                  ? ALLOC_NOT_OWNED
				: map_free(at, bits) ? ALLOC_OK
						     : ALLOC_IN_USE;
	enum alloc_error e = alloc_take_at(&b->alloc, paddr, bits, &block);

	if (!b->model.fail_one_in)
		assert_int_equal(e, want);
	if (e)
		return;
	assert_int_equal(block->paddr, paddr);
	hold(b, block, bits);
}

/* Something made of it must not outlive the block. */
static void use(struct bench *b, const struct alloc_block *block)
{
	assert_int_equal(model_retype(&b->model, block->slot, 5,
				      block->size_bits, 9, block->paddr, 1),
			 0);
}

static void give(struct bench *b, unsigned which)
{
	struct alloc_block *block = b->held[which];
	uint64_t paddr = block->paddr;
	unsigned bits = block->size_bits;
	enum alloc_error e;

	if (!b->model.fail_one_in)
		use(b, block);
	e = alloc_give(&b->alloc, block);
	if (e) {
		assert_int_equal(e, ALLOC_KERNEL);
		assert_int_equal(b->alloc.kernel_error, MODEL_INJECTED);
		return;
	}
	assert_null(model_at(&b->model, 9, paddr));
	memset(map_at(&b->map, paddr, bits), 0, (size_t)1 << (bits - UNIT_BITS));
	b->held[which] = b->held[--b->n_held];
}

static void random_step(struct bench *b, struct random *r, bool grow)
{
	unsigned bits = UNIT_BITS + random_below(r, 6);
	size_t root = random_below(r, ARRAY_SIZE(roots));
	uint64_t at;

	if (random_below(r, 16) == 0)
		bits = UNIT_BITS + random_below(r, 10);
	at = roots[root].paddr +
	     align_down_u64(random_u64(r) % (bit_u64(roots[root].bits) + 512),
			    bit_u64(bits));
	at = align_down_u64(at, bit_u64(bits));
	if (random_below(r, 10) < (grow ? 7u : 3u)) {
		if (random_below(r, 3))
			take(b, bits);
		else
			take_at(b, at, bits);
	} else if (b->n_held) {
		give(b, random_below(r, b->n_held));
	}
	/* Nobody else has slots. */
	assert_int_equal(alloc_slots_free(&b->alloc) + alloc_slots_of_pieces(&b->alloc),
			 b->ids.count);
	if (random_below(r, 500) == 0)
		alloc_merge(&b->alloc);
}

static void give_all_and_check_empty(struct bench *b)
{
	b->model.fail_one_in = 0;
	while (b->n_held)
		give(b, b->n_held - 1);
	assert_int_equal(b->alloc.stats.free_bytes, b->alloc.stats.total_bytes);
	assert_int_equal(alloc_slots_free(&b->alloc), b->ids.count);
	assert_int_equal(alloc_slots_of_pieces(&b->alloc), 0);
	assert_int_equal(alloc_merge(&b->alloc), ALLOC_OK);
	assert_sound(b);
	assert_int_equal(b->ids.free, b->ids.count);
	assert_int_equal(b->alloc.stats.nodes_used, ARRAY_SIZE(roots));
	assert_int_equal(b->alloc.stats.split_blocks, 0);
	assert_int_equal(model_count(&b->model), ARRAY_SIZE(roots));
}

static struct bench bench;

static void random_steps_agree_with_map(void **state)
{
	struct random r = { 21 };

	(void)state;
	bench_init(&bench, MAX_SLOTS, MAX_NODES);
	assert_int_equal(bench.alloc.stats.total_bytes,
			 (1 << 14) + (1 << 12) + (1 << 13) + (1 << 10));
	assert_int_equal(bench.alloc.stats.device_total_bytes,
			 (1 << 12) + (1 << 10));
	for (int i = 0; i < 20000; i++) {
		random_step(&bench, &r, i / 1000 % 2 == 0);
		if (i % 16 == 0)
			assert_sound(&bench);
	}
	assert_true(bench.alloc.stats.merges > 100);
	give_all_and_check_empty(&bench);
}

static void refusals_of_the_kernel_leak_nothing(void **state)
{
	struct random r = { 22 };

	(void)state;
	bench_init(&bench, MAX_SLOTS, MAX_NODES);
	for (int i = 0; i < 20000; i++) {
		bench.model.fail_one_in = 1 + (unsigned)i / 500 % 8;
		random_step(&bench, &r, i / 1000 % 2 == 0);
		assert_sound(&bench);
	}
	assert_int_equal(bench.alloc.stats.lost_blocks, 0);
	give_all_and_check_empty(&bench);
}

static void block_in_unknown_state_is_never_handed_out(void **state)
{
	struct alloc *a = &bench.alloc;
	struct alloc_block *block;

	(void)state;
	bench_init(&bench, MAX_SLOTS, MAX_NODES);
	bench.model.fail_from = 2; /* second half and undo */
	assert_int_equal(alloc_take_at(a, 0x80000, 12, &block), ALLOC_KERNEL);
	bench.model.fail_from = 0;
	assert_int_equal(a->stats.lost_blocks, 1);
	assert_int_equal(a->stats.taken_bytes, 1 << 13);
	assert_null(alloc_sound(a));
	assert_int_equal(alloc_take_at(a, 0x80000, 12, &block), ALLOC_IN_USE);
	while (!alloc_take(a, 10, &block))
		assert_int_not_equal(block->paddr >> 13, 0x80000 >> 13);
}

static void few_slots_and_nodes_are_recycled(void **state)
{
	static const struct {
		uint64_t slots;
		size_t nodes;
	} few[] = {
		{ 20, MAX_NODES },
		{ MAX_SLOTS, 30 },
		{ 17, 25 },
		{ 1, 2000 },
	};
	struct random r = { 23 };

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(few); k++) {
		bool ran_out = false;

		bench_init(&bench, few[k].slots, few[k].nodes);
		for (int i = 0; i < 5000; i++) {
			struct alloc_block *block;
			unsigned bits = UNIT_BITS + random_below(&r, 8);
			enum alloc_error e;

			if (bench.n_held && random_below(&r, 2)) {
				give(&bench, random_below(&r, bench.n_held));
				continue;
			}
			if (random_below(&r, 2))
				e = alloc_take_at(&bench.alloc, 0x40000, bits,
						  &block);
			else
				e = alloc_take(&bench.alloc, bits, &block);
			if (!e)
				hold(&bench, block, bits);
			else if (map_has(&bench.map, bits))
				ran_out |= e == ALLOC_NO_SLOTS ||
					   e == ALLOC_NO_NODES;
			assert_sound(&bench);
		}
		assert_true(ran_out);
		give_all_and_check_empty(&bench);
	}
}

static void merging_waits_but_serves_large_requests(void **state)
{
	struct alloc_block *small, *large;
	struct alloc *a = &bench.alloc;

	(void)state;
	bench_init(&bench, MAX_SLOTS, MAX_NODES);
	assert_int_equal(alloc_largest(a), 14);
	assert_int_equal(alloc_take_at(a, 0x40000, 6, &small), ALLOC_OK);
	assert_int_equal(alloc_largest(a), 13);
	assert_int_equal(alloc_give(a, small), ALLOC_OK);
	assert_int_equal(a->stats.idle_splits, 8);
	/* The same piece again needs no split. */
	assert_int_equal(alloc_take_at(a, 0x40000, 6, &small), ALLOC_OK);
	assert_int_equal(a->stats.splits, 8);
	assert_int_equal(alloc_give(a, small), ALLOC_OK);
	assert_int_equal(alloc_largest(a), 14);
	assert_int_equal(alloc_take(a, 14, &large), ALLOC_OK);
	assert_int_equal(a->stats.split_blocks, 0);
	assert_int_equal(alloc_give(a, large), ALLOC_OK);
}

static void wrong_arguments_change_nothing(void **state)
{
	struct alloc_block *block, *again, stranger = { .state = ALLOC_TAKEN };
	struct alloc *a = &bench.alloc;

	(void)state;
	bench_init(&bench, MAX_SLOTS, ARRAY_SIZE(roots));
	assert_int_equal(alloc_add(a, 50, 0, 3, false), ALLOC_BAD_ARGUMENT);
	assert_int_equal(alloc_add(a, 50, 0, 48, false), ALLOC_BAD_ARGUMENT);
	assert_int_equal(alloc_add(a, 50, 0x800, 12, false), ALLOC_BAD_ARGUMENT);
	assert_int_equal(alloc_add(a, 50, 0x40000, 6, false), ALLOC_OVERLAP);
	assert_int_equal(alloc_add(a, 50, 0x40000, 18, false), ALLOC_OVERLAP);
	assert_int_equal(alloc_add(a, 50, 0, 20, true), ALLOC_OVERLAP);
	assert_int_equal(alloc_add(a, 50, 0, 12, true), ALLOC_NO_NODES);
	assert_int_equal(alloc_take(a, 3, &block), ALLOC_BAD_ARGUMENT);
	assert_int_equal(alloc_take(a, 64, &block), ALLOC_BAD_ARGUMENT);
	assert_int_equal(alloc_take_at(a, 0, 3, &block), ALLOC_BAD_ARGUMENT);
	assert_int_equal(alloc_take_at(a, 0, 64, &block), ALLOC_BAD_ARGUMENT);
	assert_int_equal(alloc_take_at(a, 0x40010, 6, &block),
			 ALLOC_BAD_ARGUMENT);
	assert_int_equal(alloc_take_at(a, 0x40000, 15, &block),
			 ALLOC_NOT_OWNED);
	assert_int_equal(alloc_take_at(a, UINT64_MAX - 63, 6, &block),
			 ALLOC_NOT_OWNED);
	assert_int_equal(alloc_take(a, 6, &block), ALLOC_NO_NODES);
	assert_int_equal(alloc_give(a, NULL), ALLOC_BAD_ARGUMENT);
	assert_int_equal(alloc_give(a, &stranger), ALLOC_BAD_ARGUMENT);
	assert_int_equal(alloc_take(a, 14, &block), ALLOC_OK);
	assert_int_equal(alloc_take_at(a, 0x40000, 14, &again), ALLOC_IN_USE);
	assert_int_equal(alloc_give(a, block), ALLOC_OK);
	assert_int_equal(alloc_give(a, block), ALLOC_BAD_ARGUMENT);
	assert_sound(&bench);
	assert_string_equal(alloc_error_text(ALLOC_NOT_OWNED),
			    "no untyped covers that address");
	assert_string_equal(alloc_error_text((enum alloc_error)77),
			    "unknown error");
}

/* The highest blocks there are: no sum overflows. */
static void top_of_the_address_space(void **state)
{
	struct alloc *a = &bench.alloc;
	struct alloc_block *block;
	uint64_t top = UINT64_MAX - mask_u64(12);

	(void)state;
	bench_init(&bench, MAX_SLOTS, MAX_NODES);
	model_add(&bench.model, 60, top, 12);
	model_add(&bench.model, 61, 1ull << 47, 47);
	assert_int_equal(alloc_add(a, 60, top, 12, true), ALLOC_OK);
	assert_int_equal(alloc_add(a, 61, 1ull << 47, 47, false), ALLOC_OK);
	assert_int_equal(alloc_add(a, 62, top, 12, true), ALLOC_OVERLAP);
	assert_int_equal(alloc_take_at(a, UINT64_MAX - 63, 6, &block), ALLOC_OK);
	assert_int_equal(block->paddr, UINT64_MAX - 63);
	assert_int_equal(alloc_take(a, 47, &block), ALLOC_OK);
	assert_null(alloc_sound(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_steps_agree_with_map),
		cmocka_unit_test(refusals_of_the_kernel_leak_nothing),
		cmocka_unit_test(block_in_unknown_state_is_never_handed_out),
		cmocka_unit_test(few_slots_and_nodes_are_recycled),
		cmocka_unit_test(merging_waits_but_serves_large_requests),
		cmocka_unit_test(wrong_arguments_change_nothing),
		cmocka_unit_test(top_of_the_address_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
