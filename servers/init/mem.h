/*
 * Init's memory: every untyped of the machine goes into one allocator
 * (lib/alloc); processes and VMs live in arenas, which are given back whole.
 */
#pragma once

#include "cspace.h"

#include <selvage/alloc.h>
#include <selvage/arena.h>

/* What one process or VM is made of. */
struct mem_arena {
	struct arena arena;
	uint64_t table_bytes; /* page tables among it */
	uint64_t ram_bytes;   /* guest RAM among it */
};

/*
 * Takes over the untypeds of the kernel except `used_untyped` and the device
 * pieces that lie in [reserved, reserved + size); next_slot: the first empty
 * slot. Returns NULL or what failed.
 */
const char *mem_init(const struct abi_bootinfo *bi, uint64_t next_slot,
		     cap_t used_untyped, uint64_t reserved, uint64_t reserved_size);

/*
 * chunk_bits: how much memory it takes at a time for small objects and pages,
 * log2 bytes; what the last chunk has left over is lost to others.
 */
#define MEM_CHUNK_BITS 14
#define MEM_SMALL_CHUNK_BITS 13
/* Init's own arena: its page tables and what lives as long as init. */
extern struct mem_arena init_arena;
void mem_open(struct mem_arena *m, unsigned chunk_bits);
/* Deletes every object and capability of the arena, gives all back. */
void mem_close(struct mem_arena *m);
/* Whether any was closed since the last question. */
bool mem_was_closed(void);

/* An empty slot of the arena, or 0. */
cap_t mem_slot(struct mem_arena *m);
/* One object of a fixed size; 0 if memory or slots are used up. */
cap_t mem_object(struct mem_arena *m, enum abi_object type);
/* One object of a size given as for Untyped_Retype. */
cap_t mem_object_sized(struct mem_arena *m, enum abi_object type, unsigned size_bits);
/* `count` objects into slot[]. */
bool mem_objects(struct mem_arena *m, enum abi_object type, unsigned size_bits,
		 unsigned count, cap_t *slot);
/* Nobody else gets the machine's memory from that address on, of whole large pages, until
 * mem_close. */
bool mem_reserve(struct mem_arena *m, uint64_t paddr, uint64_t bytes);
/* `count` large pages from that physical address on, which `from` has reserved and now has no
 * more. */
bool mem_reserved_pages(struct mem_arena *m, struct mem_arena *from, uint64_t paddr,
			unsigned count, cap_t *slot);
/* One in a block of its own, in an empty slot that mem_slot_own gave; and its end before the
 * arena's, with all copies. NULL: memory is used up. */
struct alloc_block *mem_large_page_alone(struct mem_arena *m, cap_t slot);
bool mem_end_alone(struct mem_arena *m, struct alloc_block *block);
/* An empty slot for a capability to an object of the arena itself, or 0. */
cap_t mem_slot_own(struct mem_arena *m);
/* A copy of a capability to an object of the arena itself, or 0; ends with
 * the object, so that mem_close need not delete it. */
cap_t mem_copy_own(struct mem_arena *m, cap_t src, uint64_t rights);
/* A copy of a capability in a slot of the arena, or 0. */
cap_t mem_copy(struct mem_arena *m, cap_t src, uint64_t rights);
cap_t mem_mint(struct mem_arena *m, cap_t src, uint64_t rights, uint64_t badge);

/* The 4 KiB device frame at `paddr` (made once, kept); 0 if there is none. */
cap_t mem_device_frame(uint64_t paddr);

struct mem_figures {
	uint64_t total_bytes, free_bytes;
	uint64_t slots, slots_free;
	uint64_t slots_of_pieces;     /* of what is not free: those of cut memory */
	uint64_t blocks, blocks_free; /* that memory can be in */
};
void mem_figures_get(struct mem_figures *figures);
