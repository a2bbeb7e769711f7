#include "mem.h"

#include <selvage/idalloc.h>

/* Blocks: boot untypeds, and two for each split. */
#define MAX_BLOCKS 4096
#define DEVICE_FRAMES 128

struct mem_arena init_arena;

static struct alloc untypeds;
static struct alloc_block blocks[MAX_BLOCKS];
static struct idalloc slots;
static uint64_t slot_words[IDALLOC_WORDS(CSPACE_SLOTS)];
static uint32_t slot_next[CSPACE_SLOTS];
static struct arena_slots arena_slots;
static bool was_closed;
static struct {
	uint64_t paddr;
	cap_t frame;
} device_frames[DEVICE_FRAMES];

static int op_retype_untyped(void *ctx, uint64_t parent, uint64_t dest,
			     unsigned size_bits)
{
	(void)ctx;
	return sel4_untyped_retype(parent, ABI_ROOT_CNODE, ABI_OBJ_UNTYPED, size_bits, 0,
				   0, dest, 1);
}

static int op_revoke(void *ctx, uint64_t slot)
{
	(void)ctx;
	return cspace_revoke(slot);
}

static int op_retype(void *ctx, uint64_t untyped, unsigned type, unsigned size_bits,
		     const struct arena_dest *dest, unsigned count)
{
	(void)ctx;
	return sel4_untyped_retype(untyped, dest->root, (enum abi_object)type, size_bits,
				   dest->index, dest->depth, dest->offset, count);
}

static int op_delete_slot(void *ctx, uint64_t slot)
{
	(void)ctx;
	return cspace_delete(slot);
}

static const struct alloc_ops alloc_ops = {
	.retype_untyped = op_retype_untyped,
	.revoke = op_revoke,
};
static const struct arena_ops arena_ops = {
	.retype = op_retype,
	.delete_slot = op_delete_slot,
};

const char *mem_init(const struct abi_bootinfo *bi, uint64_t next_slot,
		     cap_t used_untyped, uint64_t reserved, uint64_t reserved_size)
{
	if (idalloc_init(&slots, slot_words, next_slot, CSPACE_SLOTS - next_slot) !=
	    IDALLOC_OK)
		return "init's slots cannot be numbered";
	arena_slots = (struct arena_slots){
		.ids = &slots,
		.next = slot_next,
		.root = ABI_ROOT_CNODE,
	};
	alloc_init(&untypeds, &alloc_ops, NULL, &slots, blocks, MAX_BLOCKS);
	for (uint64_t i = 0; i < bi->untyped.end - bi->untyped.start; i++) {
		const struct abi_untyped_desc *u = &bi->untyped_list[i];
		cap_t slot = bi->untyped.start + i;

		if (slot == used_untyped ||
		    (u->is_device && range_overlaps_u64(u->paddr, bit_u64(u->size_bits),
							reserved, reserved_size)))
			continue;
		if (alloc_add(&untypeds, slot, u->paddr, u->size_bits,
			      u->is_device != 0) != ALLOC_OK)
			return "the kernel's untypeds overlap or are too many";
	}
	return NULL;
}

void mem_open(struct mem_arena *m, unsigned chunk_bits)
{
	*m = (struct mem_arena){ 0 };
	arena_init(&m->arena, &untypeds, &arena_ops, NULL, &arena_slots, chunk_bits);
}

void mem_close(struct mem_arena *m)
{
	/* A refusal would be a broken kernel; the second try is for a
	 * revocation that another thread's work made incomplete. */
	if (arena_destroy(&m->arena) != ARENA_OK)
		(void)arena_destroy(&m->arena);
	was_closed = true;
}

bool mem_was_closed(void)
{
	const bool was = was_closed;

	was_closed = false;
	return was;
}

cap_t mem_slot(struct mem_arena *m)
{
	uint64_t slot;

	return arena_slot(&m->arena, &slot) == ARENA_OK ? slot : 0;
}

cap_t mem_object_sized(struct mem_arena *m, enum abi_object type, unsigned size_bits)
{
	uint64_t slot;

	return arena_object(&m->arena, type, size_bits, &slot) == ARENA_OK ? slot : 0;
}

cap_t mem_object(struct mem_arena *m, enum abi_object type)
{
	return mem_object_sized(m, type, 0);
}

bool mem_objects(struct mem_arena *m, enum abi_object type, unsigned size_bits,
		 unsigned count, cap_t *slot)
{
	size_t made;

	return arena_objects(&m->arena, type, size_bits, count, slot, &made) == ARENA_OK;
}

bool mem_reserve(struct mem_arena *m, uint64_t paddr, uint64_t bytes)
{
	const struct alloc_block *block;

	for (uint64_t at = 0; at < bytes; at += bit_u64(ABI_LARGE_PAGE_BITS))
		if (arena_untyped_at(&m->arena, paddr + at, ABI_LARGE_PAGE_BITS, &block) !=
		    ARENA_OK)
			return false;
	return true;
}

bool mem_reserved_pages(struct mem_arena *m, struct mem_arena *from, uint64_t paddr,
			unsigned count, cap_t *slot)
{
	for (unsigned i = 0; i < count; i++)
		if (arena_object_of(&m->arena, &from->arena,
				    paddr + i * bit_u64(ABI_LARGE_PAGE_BITS), ABI_OBJ_LARGE_PAGE,
				    ABI_LARGE_PAGE_BITS, &slot[i]) != ARENA_OK)
			return false;
	return true;
}

struct alloc_block *mem_large_page_alone(struct mem_arena *m, cap_t slot)
{
	struct alloc_block *block;
	enum arena_error e = arena_object_alone(&m->arena, ABI_OBJ_LARGE_PAGE,
						ABI_LARGE_PAGE_BITS, slot, &block);

	return e == ARENA_OK ? block : NULL;
}

bool mem_end_alone(struct mem_arena *m, struct alloc_block *block)
{
	return arena_end_alone(&m->arena, block) == ARENA_OK;
}

cap_t mem_slot_own(struct mem_arena *m)
{
	uint64_t slot;

	return arena_slot_own(&m->arena, &slot) == ARENA_OK ? slot : 0;
}

cap_t mem_copy_own(struct mem_arena *m, cap_t src, uint64_t rights)
{
	cap_t slot = mem_slot_own(m);

	return slot != 0 && cspace_copy(slot, src, rights) == ABI_OK ? slot : 0;
}

cap_t mem_copy(struct mem_arena *m, cap_t src, uint64_t rights)
{
	cap_t slot = mem_slot(m);

	return slot != 0 && cspace_copy(slot, src, rights) == ABI_OK ? slot : 0;
}

cap_t mem_mint(struct mem_arena *m, cap_t src, uint64_t rights, uint64_t badge)
{
	cap_t slot = mem_slot(m);

	return slot != 0 && cspace_mint(slot, src, rights, badge) == ABI_OK ? slot : 0;
}

cap_t mem_device_frame(uint64_t paddr)
{
	struct alloc_block *block;
	uint64_t slot;

	for (unsigned i = 0; i < DEVICE_FRAMES; i++) {
		if (device_frames[i].frame != 0 && device_frames[i].paddr == paddr)
			return device_frames[i].frame;
		if (device_frames[i].frame != 0)
			continue;
		if (alloc_take_at(&untypeds, paddr, ABI_PAGE_BITS, &block) != ALLOC_OK ||
		    idalloc_take(&slots, &slot) != IDALLOC_OK ||
		    sel4_untyped_retype(block->slot, ABI_ROOT_CNODE, ABI_OBJ_SMALL_PAGE,
					0, 0, 0, slot, 1) != ABI_OK)
			return 0;
		device_frames[i].paddr = paddr;
		device_frames[i].frame = slot;
		return slot;
	}
	return 0;
}

void mem_figures_get(struct mem_figures *figures)
{
	*figures = (struct mem_figures){
		.total_bytes = untypeds.stats.total_bytes,
		.free_bytes = untypeds.stats.free_bytes,
		.slots = CSPACE_SLOTS,
		.slots_free = alloc_slots_free(&untypeds),
		.slots_of_pieces = alloc_slots_of_pieces(&untypeds),
		.blocks = MAX_BLOCKS,
		.blocks_free = MAX_BLOCKS - untypeds.stats.taken_blocks,
	};
}
