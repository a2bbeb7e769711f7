/*
 * Arenas over the allocator over the kernel's model: every object lands
 * where it should, RAM comes out of any mixture of pieces, and the end of an
 * arena gives back every byte and slot.
 */
#include "unit.h"
#include "untyped_model.h"

#include <abi/object.h>
#include <selvage/arena.h>
#include <string.h>

#define SLOTS 2500
#define NODES 3000
#define FIRST_SLOT 40
#define ARENAS 3
#define VM_CNODE 7

struct bench {
	struct model model;
	struct idalloc ids;
	uint64_t words[IDALLOC_WORDS(SLOTS)];
	uint32_t next[SLOTS];
	struct alloc_block nodes[NODES];
	struct alloc alloc;
	struct arena_slots slots;
	struct arena arena[ARENAS];
	unsigned n_roots;
	uint64_t vm_slot; /* next free one of VM_CNODE */
};

static struct bench bench;

static int retype_untyped(void *ctx, uint64_t parent, uint64_t dest,
			  unsigned bits)
{
	return model_retype(ctx, parent, ABI_OBJ_UNTYPED, bits, 0, dest, 1);
}

static int revoke(void *ctx, uint64_t slot)
{
	return model_revoke(ctx, slot);
}

static int retype(void *ctx, uint64_t untyped, unsigned type,
		  unsigned size_bits, const struct arena_dest *dest,
		  unsigned count)
{
	assert_in_range(count, 1, ABI_RETYPE_MAX_OBJECTS);
	return model_retype(ctx, untyped, type,
			    object_size_bits(type, size_bits), dest->root,
			    dest->offset, count);
}

static int delete_slot(void *ctx, uint64_t slot)
{
	return model_delete(ctx, slot);
}

static const struct alloc_ops alloc_ops = { retype_untyped, revoke };
static const struct arena_ops arena_ops = { retype, delete_slot };

static void bench_init(uint64_t slots)
{
	struct bench *b = &bench;

	memset(b, 0, sizeof(*b));
	model_init(&b->model);
	idalloc_init(&b->ids, b->words, FIRST_SLOT, slots);
	alloc_init(&b->alloc, &alloc_ops, &b->model, &b->ids, b->nodes, NODES);
	b->slots = (struct arena_slots){ &b->ids, b->next, 0 };
	for (size_t i = 0; i < ARENAS; i++)
		arena_init(&b->arena[i], &b->alloc, &arena_ops, &b->model,
			   &b->slots, 14 + (unsigned)i);
}

static void add(uint64_t paddr, unsigned bits)
{
	model_add(&bench.model, ++bench.n_roots, paddr, bits);
	assert_int_equal(alloc_add(&bench.alloc, bench.n_roots, paddr, bits,
				   false),
			 ALLOC_OK);
}

static void assert_all_back(void)
{
	assert_int_equal(alloc_merge(&bench.alloc), ALLOC_OK);
	assert_null(alloc_sound(&bench.alloc));
	assert_int_equal(bench.alloc.stats.taken_bytes, 0);
	assert_int_equal(bench.alloc.stats.nodes_used, bench.n_roots);
	assert_int_equal(bench.ids.free, bench.ids.count);
	assert_int_equal(model_count(&bench.model), bench.n_roots);
}

/* The arena's idea of how full its chunks are is the kernel's. */
static void assert_marks_agree(const struct arena *ar)
{
	const struct list_node *lists[] = { &ar->open[0], &ar->open[1] };
	const struct list_node *n;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		LIST_FOR_EACH(n, lists[i]) {
			const struct alloc_block *c = CONTAINER_OF_CONST(
				n, struct alloc_block, link);

			assert_int_equal(c->mark,
					 model_mark(&bench.model, c->slot));
		}
}

static void assert_object(uint64_t root, uint64_t slot, unsigned type,
			  unsigned size_bits)
{
	const struct model_cap *c = model_at(&bench.model, root, slot);

	assert_non_null(c);
	assert_int_equal(c->type, type);
	assert_int_equal(c->bits, object_size_bits(type, size_bits));
	assert_true(is_aligned_u64(c->paddr, bit_u64(c->bits)));
}

static const struct {
	unsigned type, size_bits;
} kinds[] = {
	{ ABI_OBJ_TCB, 0 },
	{ ABI_OBJ_ENDPOINT, 0 },
	{ ABI_OBJ_NOTIFICATION, 0 },
	{ ABI_OBJ_REPLY, 0 },
	{ ABI_OBJ_CNODE, 8 },
	{ ABI_OBJ_SCHED_CONTEXT, 8 },
	{ ABI_OBJ_SMALL_PAGE, 0 },
	{ ABI_OBJ_PAGE_TABLE, 0 },
	{ ABI_OBJ_VSPACE, 0 },
	{ ABI_OBJ_VCPU, 0 },
	{ ABI_OBJ_UNTYPED, 10 },
};

static void random_objects(struct arena *ar, struct random *r)
{
	size_t k = random_below(r, ARRAY_SIZE(kinds));
	size_t count = random_below(r, 4) ? 1 + random_below(r, 4)
					  : 1 + random_below(r, 90);
	struct arena_dest dest = { VM_CNODE, 0, bench.vm_slot, 0 };
	uint64_t slot[100];
	size_t made;
	bool own = random_below(r, 2);
	enum arena_error e;

	if (own)
		e = arena_objects(ar, kinds[k].type, kinds[k].size_bits, count,
				  slot, &made);
	else
		e = arena_objects_into(ar, kinds[k].type, kinds[k].size_bits,
				       count, &dest, &made);
	assert_int_equal(e == ARENA_OK, made == count);
	for (size_t i = 0; i < made; i++)
		assert_object(own ? 0 : VM_CNODE, own ? slot[i] : bench.vm_slot + i,
			      kinds[k].type, kinds[k].size_bits);
	if (!own)
		bench.vm_slot += made;
	assert_marks_agree(ar);
}

/* A copy of an object of the arena's. */
static void random_own_slot(struct arena *ar)
{
	uint64_t object, slot;

	if (!arena_object(ar, ABI_OBJ_SMALL_PAGE, 0, &object) &&
	    !arena_slot_own(ar, &slot)) {
		assert_null(model_at(&bench.model, 0, slot));
		model_copy(&bench.model, slot, object);
	}
}

static uint64_t destroy(struct arena *ar)
{
	uint64_t before = bench.alloc.stats.free_bytes + ar->taken_bytes;
	enum arena_error e;

	while ((e = arena_destroy(ar)))
		assert_int_equal(e, ARENA_KERNEL);
	assert_int_equal(bench.alloc.stats.free_bytes, before);
	assert_int_equal(ar->taken_bytes + ar->object_bytes + ar->n_objects +
				 ar->n_slots,
			 0);
	return before;
}

static void random_life(unsigned seed, uint64_t slots, unsigned fail_one_in)
{
	struct random r = { seed };
	uint64_t slot;

	bench_init(slots);
	add(0x400000, 20);
	add(0x200000, 18);
	add(0x10000, 16);
	bench.model.fail_one_in = fail_one_in;
	for (int i = 0; i < 1500; i++) {
		struct arena *ar = &bench.arena[random_below(&r, ARENAS)];

		switch (random_below(&r, 24)) {
		case 0:
			destroy(ar);
			break;
		case 1:
			/* A slot with a copy of something foreign. */
			if (!arena_slot(ar, &slot))
				model_add(&bench.model, slot, 1, 4);
			break;
		case 2:
			arena_slot_run(ar, 1 + random_below(&r, 20), &slot);
			break;
		case 3:
			random_own_slot(ar);
			break;
		default:
			random_objects(ar, &r);
		}
		assert_null(alloc_sound(&bench.alloc));
	}
	for (size_t i = 0; i < ARENAS; i++)
		destroy(&bench.arena[i]);
	bench.model.fail_one_in = 0;
	assert_all_back();
}

static void random_lives_give_everything_back(void **state)
{
	(void)state;
	random_life(31, SLOTS, 0);
	random_life(32, SLOTS, 9);
	random_life(33, 150, 0);
	random_life(34, 64, 5);
}

/* 2 GiB less what is taken, from what a machine's boot leaves. */
static void ram_comes_from_any_mixture(void **state)
{
	static const struct {
		uint64_t paddr;
		unsigned bits;
	} pieces[] = {
		{ 0x40000000, 30 },
		{ 0x80000000, 29 },
		{ 0xa0000000, 28 },
		{ 0xb0000000, 27 },
		{ 0xb8000000, 26 },
		{ 0xbc000000, 25 },
		{ 0xbe000000, 24 },
		{ 0xbf000000, 23 },
		{ 0xbf800000, 22 },
		{ 0xbfc00000, 21 },
		{ 0xbfe00000, 21 },
		{ 0xc0000000, 13 },
	};
	uint64_t slot[1024];
	struct arena *ar = &bench.arena[2];
	size_t made;

	(void)state;
	bench_init(SLOTS);
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
		add(pieces[i].paddr, pieces[i].bits);
	assert_int_equal(arena_objects(ar, ABI_OBJ_LARGE_PAGE, 0, 1024, slot,
				       &made),
			 ARENA_OK);
	assert_int_equal(made, 1024);
	assert_int_equal(ar->taken_bytes, 2ull << 30);
	assert_int_equal(ar->object_bytes, 2ull << 30);
	for (size_t i = 0; i < made; i++)
		assert_object(0, slot[i], ABI_OBJ_LARGE_PAGE, 0);
	/* Few calls: a row of slots at a time. */
	assert_true(bench.model.calls < 200);
	assert_int_equal(arena_objects(ar, ABI_OBJ_LARGE_PAGE, 0, 1, slot,
				       &made),
			 ARENA_NO_MEMORY);
	assert_int_equal(made, 0);
	assert_int_equal(arena_object(ar, ABI_OBJ_SMALL_PAGE, 0, slot), ARENA_OK);
	assert_int_equal(arena_slot_own(ar, slot), ARENA_OK);
	assert_int_equal(arena_slot(ar, slot), ARENA_OK);
	destroy(ar);
	/* Of more than a thousand slots only the foreign one. */
	assert_int_equal(bench.model.deletes, 1);
	assert_all_back();
}

static void small_objects_share_chunks(void **state)
{
	struct arena *ar = &bench.arena[2]; /* 64 KiB chunks */
	uint64_t slot;
	const struct alloc_block *block;

	(void)state;
	bench_init(SLOTS);
	add(0x400000, 22);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(arena_object(ar, ABI_OBJ_ENDPOINT, 0, &slot), 0);
		assert_int_equal(arena_object(ar, ABI_OBJ_TCB, 0, &slot), 0);
		assert_int_equal(arena_object(ar, ABI_OBJ_VCPU, 0, &slot), 0);
	}
	assert_int_equal(ar->taken_bytes, 2 << 16);
	assert_int_equal(ar->n_objects, 24);
	assert_int_equal(arena_untyped(ar, 12, &block), ARENA_OK);
	assert_int_equal(ar->taken_bytes, (2 << 16) + 4096);
	assert_int_equal(block->size_bits, 12);
	assert_int_equal(arena_untyped_at(ar, 0x600000, 21, &block), ARENA_OK);
	assert_int_equal(block->paddr, 0x600000);
	assert_int_equal(ar->taken_bytes, (2 << 16) + 4096 + (2 << 20));
	assert_int_equal(arena_untyped_at(ar, 0x600000, 12, &block), ARENA_NO_MEMORY);
	assert_int_equal(arena_untyped_at(ar, 0x800000, 12, &block), ARENA_NO_MEMORY);
	destroy(ar);
	assert_all_back();
}

/* A place is its holder's all the time, whatever else is made before it is used. */
static void objects_are_made_of_what_another_holds(void **state)
{
	struct arena *ar = &bench.arena[0], *holder = &bench.arena[1];
	const struct alloc_block *block;
	uint64_t slot;
	size_t made;
	static uint64_t small[512];

	(void)state;
	bench_init(SLOTS);
	add(0x400000, 22);
	add(0x800000, 23);
	for (uint64_t at = 0x600000; at < 0xc00000; at += 0x200000)
		assert_int_equal(arena_untyped_at(holder, at, 21, &block), ARENA_OK);
	assert_int_equal(arena_objects(ar, ABI_OBJ_SMALL_PAGE, 0, 512, small, &made), ARENA_OK);
	assert_int_equal(arena_objects(ar, ABI_OBJ_SMALL_PAGE, 0, 512, small, &made), ARENA_OK);
	for (uint64_t at = 0x600000; at < 0xa00000; at += 0x200000)
		assert_int_equal(arena_object_of(ar, holder, at, ABI_OBJ_LARGE_PAGE, 21, &slot),
				 ARENA_OK);
	assert_int_equal(holder->taken_bytes, 0x200000);
	assert_int_equal(holder->object_bytes, 0x200000);
	/* Not in another size, not what nobody holds or is not memory. */
	assert_int_equal(arena_object_of(ar, ar, 0xa00000, ABI_OBJ_SMALL_PAGE, 12, &slot),
			 ARENA_NO_MEMORY);
	assert_int_equal(arena_object_of(ar, holder, 0xc00000, ABI_OBJ_LARGE_PAGE, 21, &slot),
			 ARENA_NO_MEMORY);
	assert_int_equal(arena_object_of(ar, holder, 0x100000, ABI_OBJ_LARGE_PAGE, 21, &slot),
			 ARENA_NO_MEMORY);
	destroy(ar);
	assert_int_equal(bench.alloc.stats.taken_bytes, 0x200000);
	destroy(holder);
	assert_all_back();
}

/* Slots that pieces of free memory hold are there for others. */
static void idle_pieces_give_up_their_slots(void **state)
{
	struct arena *ar = &bench.arena[0];
	const struct alloc_block *block;
	uint64_t slot;

	(void)state;
	bench_init(12);
	add(0x400000, 20);
	assert_int_equal(arena_untyped(ar, 14, &block), ARENA_OK);
	assert_int_equal(bench.ids.free, 0);
	assert_int_equal(arena_slot(ar, &slot), ARENA_NO_SLOTS);
	destroy(ar);
	assert_int_equal(bench.ids.free, 0);
	assert_int_equal(alloc_slots_free(&bench.alloc), 12);
	assert_int_equal(arena_slot_run(ar, 3, &slot), ARENA_OK);
	assert_int_equal(bench.ids.free, 9);
	assert_int_equal(arena_slot(ar, &slot), ARENA_OK);
	assert_int_equal(ar->n_slots, 4);
	assert_int_equal(bench.ids.free, 8);
	/* One slot for the object, eight for the four splits before it. */
	destroy(ar);
	assert_int_equal(arena_untyped(ar, 14, &block), ARENA_OK);
	destroy(ar);
	assert_int_equal(arena_object(ar, ABI_OBJ_LARGE_PAGE, 0, &slot),
			 ARENA_NO_MEMORY);
	assert_int_equal(arena_object(ar, ABI_OBJ_UNTYPED, 20, &slot), ARENA_OK);
	destroy(ar);
	assert_all_back();
}

/* A large page whose memory goes and comes while the arena lives; its slots stay. */
static void objects_alone_end_before_the_arena(void **state)
{
	struct arena *ar = &bench.arena[0];
	struct alloc_block *block;
	uint64_t slot, copy, small;

	(void)state;
	bench_init(SLOTS);
	add(0x400000, 22);
	assert_int_equal(arena_object(ar, ABI_OBJ_SMALL_PAGE, 0, &small), ARENA_OK);
	assert_int_equal(arena_slot_own(ar, &slot), ARENA_OK);
	assert_int_equal(arena_slot_own(ar, &copy), ARENA_OK);
	for (int i = 0; i < 3; i++) {
		const uint64_t taken = ar->taken_bytes, objects = ar->object_bytes;
		const uint64_t free = bench.alloc.stats.free_bytes;

		assert_int_equal(arena_object_alone(ar, ABI_OBJ_LARGE_PAGE, ABI_LARGE_PAGE_BITS,
						    slot, &block),
				 ARENA_OK);
		assert_object(0, slot, ABI_OBJ_LARGE_PAGE, 0);
		assert_int_equal(ar->taken_bytes, taken + (2 << 20));
		assert_int_equal(ar->object_bytes, objects + (2 << 20));
		model_copy(&bench.model, copy, slot);
		/* There is no second one. */
		assert_int_equal(arena_object_alone(&bench.arena[1], ABI_OBJ_LARGE_PAGE,
						    ABI_LARGE_PAGE_BITS, slot, &block),
				 ARENA_NO_MEMORY);
		assert_int_equal(arena_end_alone(ar, block), ARENA_OK);
		assert_null(model_at(&bench.model, 0, slot));
		assert_null(model_at(&bench.model, 0, copy));
		assert_int_equal(ar->taken_bytes, taken);
		assert_int_equal(ar->object_bytes, objects);
		assert_int_equal(bench.alloc.stats.free_bytes, free);
		assert_null(alloc_sound(&bench.alloc));
	}
	/* A slot that is taken: nothing stays. */
	assert_int_equal(arena_object_alone(ar, ABI_OBJ_LARGE_PAGE, ABI_LARGE_PAGE_BITS, small,
					    &block),
			 ARENA_KERNEL);
	assert_object(0, small, ABI_OBJ_SMALL_PAGE, 0);
	assert_int_equal(arena_object_alone(ar, ABI_OBJ_LARGE_PAGE, ABI_LARGE_PAGE_BITS, slot,
					    &block),
			 ARENA_OK);
	destroy(ar);
	assert_all_back();
}

static void wrong_arguments_are_refused(void **state)
{
	struct arena *ar = &bench.arena[0];
	const struct alloc_block *block;
	uint64_t slot;
	size_t made;
	struct arena_dest dest = { 0 };

	(void)state;
	bench_init(10);
	add(0x400000, 16);
	assert_int_equal(object_size_bits(ABI_OBJ_COUNT, 12), 0);
	assert_int_equal(arena_object(ar, ABI_OBJ_COUNT, 12, &slot),
			 ARENA_BAD_ARGUMENT);
	assert_int_equal(arena_object(ar, ABI_OBJ_UNTYPED, 3, &slot),
			 ARENA_BAD_ARGUMENT);
	assert_int_equal(arena_object(ar, ABI_OBJ_CNODE, 60, &slot),
			 ARENA_BAD_ARGUMENT);
	assert_int_equal(arena_object(ar, ABI_OBJ_CNODE, UINT32_MAX - 2, &slot),
			 ARENA_BAD_ARGUMENT);
	assert_int_equal(arena_objects_into(ar, ABI_OBJ_TCB, 0, SIZE_MAX, &dest,
					    &made),
			 ARENA_BAD_ARGUMENT);
	assert_int_equal(arena_objects_into(ar, ABI_OBJ_TCB, 0, 0, &dest, &made),
			 ARENA_OK);
	assert_int_equal(arena_slot_run(ar, 65, &slot), ARENA_BAD_ARGUMENT);
	assert_int_equal(arena_slot_run(ar, 11, &slot), ARENA_NO_SLOTS);
	assert_int_equal(arena_untyped(ar, 3, &block), ARENA_BAD_ARGUMENT);
	assert_int_equal(arena_untyped(ar, 17, &block), ARENA_NO_MEMORY);
	assert_int_equal(bench.ids.free, 10);
	assert_string_equal(arena_error_text(ARENA_NO_SLOTS),
			    "no capability slot left");
	assert_string_equal(arena_error_text((enum arena_error)50),
			    "unknown error");
	destroy(ar);
	assert_all_back();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_lives_give_everything_back),
		cmocka_unit_test(ram_comes_from_any_mixture),
		cmocka_unit_test(small_objects_share_chunks),
		cmocka_unit_test(objects_are_made_of_what_another_holds),
		cmocka_unit_test(idle_pieces_give_up_their_slots),
		cmocka_unit_test(objects_alone_end_before_the_arena),
		cmocka_unit_test(wrong_arguments_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
