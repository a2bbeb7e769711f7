#include "self.h"

#include <selvage/vspace.h>

/*
 * Where the managed part begins: above everything that the loader maps, under
 * an entry of its own in the top-level table of both configurations, so that
 * no table of the loader's making is in the way.
 */
#define SELF_BASE bit_u64(39)
#define SELF_BYTES bit_u64(38)
/* Reservations, runs of frames, tables; an image takes a run or two. */
#define NODES 256

static struct vspace space;
static struct vspace_node nodes[NODES];
static uint64_t scratch;

static const struct vspace_geometry geometry = {
	.page_bits = ABI_PAGE_BITS,
	.levels = ABI_VSPACE_LEVELS,
	/* Of three or four levels the last is the top one. */
	.index_bits = { ABI_PT_INDEX_BITS, ABI_PT_INDEX_BITS,
			ABI_VSPACE_LEVELS == 3 ? ABI_VSPACE_INDEX_BITS : ABI_PT_INDEX_BITS,
			ABI_VSPACE_INDEX_BITS },
	.leaf_levels = 2,
};

static int alloc_table(void *ctx, uint64_t *table)
{
	(void)ctx;
	*table = map_table_new(&init_arena);
	if (*table == 0)
		return ABI_NOT_ENOUGH_MEMORY;
	init_arena.table_bytes += 1u << ABI_PAGE_TABLE_BITS;
	return ABI_OK;
}

/* Never called: the pool has room for every table there can be, as an arena
 * takes nothing back one by one. */
static void free_table(void *ctx, uint64_t table)
{
	(void)ctx;
	(void)table;
}

static int put_table(void *ctx, uint64_t table, unsigned level, uint64_t vaddr)
{
	(void)ctx;
	return map_table(&init_arena, table, level, ABI_ROOT_VSPACE, vaddr);
}

static int take_table(void *ctx, uint64_t table, unsigned level, uint64_t vaddr)
{
	(void)ctx;
	(void)level;
	(void)vaddr;
	return map_table_end(table);
}

static int map_frame(void *ctx, uint64_t frame, uint64_t vaddr, unsigned bits,
		     uint32_t rights, uint32_t attributes)
{
	(void)ctx;
	(void)bits;
	return sel4_page_map(frame, ABI_ROOT_VSPACE, vaddr, rights, attributes);
}

static int unmap_frame(void *ctx, uint64_t frame, uint64_t vaddr, unsigned bits)
{
	(void)ctx;
	(void)vaddr;
	(void)bits;
	return sel4_page_unmap(frame);
}

static const struct vspace_ops ops = {
	.alloc_table = alloc_table,
	.free_table = free_table,
	.map_table = put_table,
	.unmap_table = take_table,
	.map_frame = map_frame,
	.unmap_frame = unmap_frame,
};

const char *self_init(void)
{
	enum vspace_error e = vspace_init(&space, &geometry, &ops, NULL, SELF_BASE,
					  SELF_BYTES, nodes, NODES, NODES);

	if (e == VSPACE_OK)
		e = vspace_reserve_any(&space, 1u << ABI_PAGE_BITS, ABI_PAGE_BITS, 0,
				       &scratch);
	return e == VSPACE_OK ? NULL : vspace_error_text(e);
}

void *self_reserve(uint64_t bytes, unsigned align_bits)
{
	uint64_t size = align_up_u64(bytes, 1u << ABI_PAGE_BITS);
	uint64_t vaddr;

	return vspace_reserve_any(&space, size, align_bits, 0, &vaddr) == VSPACE_OK
		       ? (void *)vaddr
		       : NULL;
}

/* How many of the capabilities are in slots one after the other. */
static unsigned run_length(const cap_t *frames, unsigned count)
{
	unsigned n = 1;

	while (n < count && frames[n] == frames[0] + n)
		n++;
	return n;
}

bool self_map(void *at, unsigned bits, const cap_t *frames, unsigned count,
	      unsigned rights, unsigned attributes)
{
	uint64_t vaddr = (uint64_t)at;

	while (count > 0) {
		unsigned n = run_length(frames, count);

		if (vspace_map(&space, vaddr, bits, frames[0], n, rights, attributes) !=
		    VSPACE_OK)
			return false;
		vaddr += (uint64_t)n << bits;
		frames += n;
		count -= n;
	}
	return true;
}

void *self_new_pages(unsigned count, cap_t *frames)
{
	void *at = self_reserve((uint64_t)count << ABI_PAGE_BITS, ABI_PAGE_BITS);

	return at != NULL && mem_objects(&init_arena, ABI_OBJ_SMALL_PAGE, 0, count, frames) &&
			       self_map(at, ABI_PAGE_BITS, frames, count, MAP_RW, MAP_DATA)
		       ? at
		       : NULL;
}

void *self_view(cap_t frame, unsigned rights, unsigned attributes)
{
	void *at = self_reserve(1u << ABI_PAGE_BITS, ABI_PAGE_BITS);

	if (at != NULL && !self_map(at, ABI_PAGE_BITS, &frame, 1, rights, attributes)) {
		(void)vspace_release(&space, (uint64_t)at);
		return NULL;
	}
	return at;
}

void self_unview(void *at)
{
	(void)vspace_unmap(&space, (uint64_t)at);
	(void)vspace_release(&space, (uint64_t)at);
}

void *self_scratch(cap_t frame)
{
	return self_map((void *)scratch, ABI_PAGE_BITS, &frame, 1, MAP_RW, MAP_DATA)
		       ? (void *)scratch
		       : NULL;
}

void self_scratch_end(void) { (void)vspace_unmap(&space, scratch); }

/* A place for each size: no page table comes to where a large page goes. */
static struct {
	void *at[2];
	cap_t slot;   /* for the copy of the capability */
	void *mapped; /* NULL: nothing */
} peek;

const void *self_peek(cap_t frame, unsigned bits)
{
	const bool large = bits != ABI_PAGE_BITS;

	if (peek.slot == 0)
		peek.slot = mem_slot(&init_arena);
	if (peek.at[large] == NULL)
		peek.at[large] = self_reserve(1ull << bits, bits);
	if (peek.slot == 0 || peek.at[large] == NULL ||
	    cspace_copy(peek.slot, frame, ABI_RIGHT_READ) != ABI_OK)
		return NULL;
	if (self_map(peek.at[large], bits, &peek.slot, 1, MAP_RO, MAP_DATA))
		return peek.mapped = peek.at[large];
	(void)cspace_delete(peek.slot);
	return NULL;
}

void self_peek_end(void)
{
	(void)vspace_unmap(&space, (uint64_t)peek.mapped);
	(void)cspace_delete(peek.slot);
}
