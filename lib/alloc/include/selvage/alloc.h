/*
 * The unified untyped allocator: owner of all untyped memory of a root task.
 *
 * Memory is handed out as *blocks*: untyped capabilities of 2^size_bits bytes
 * at known physical addresses. Large untypeds are split in halves on demand;
 * free halves are put together again when a larger block is wanted (or by
 * alloc_merge), by revoking what they were made from. Normal memory is found
 * by size or by address, device memory by address only and never used to
 * serve a request by size.
 *
 * The bookkeeping holds no kernel object itself: it speaks to the kernel
 * through struct alloc_ops, takes capability slots from an ID allocator and
 * its nodes from an array of the caller, and allocates nothing else. Steps:
 * O(log n) in the number of blocks plus O(size bits).
 *
 * Merging waits until it is needed because a split untyped that becomes
 * whole again is cleared by the kernel when it is used next: all of it, not
 * only what was dirty.
 */
#pragma once

#include <selvage/base.h>
#include <selvage/idalloc.h>
#include <selvage/list.h>
#include <selvage/tree.h>

#define ALLOC_MIN_BITS 4
#define ALLOC_MAX_BITS 47

enum alloc_error {
	ALLOC_OK = 0,
	ALLOC_NO_MEMORY = 1,    /* no free block of that size, even merged */
	ALLOC_NO_SLOTS = 2,     /* no capability slot for a half */
	ALLOC_NO_NODES = 3,     /* the array given at alloc_init is used up */
	ALLOC_IN_USE = 4,       /* at that address: allocated, wholly or partly */
	ALLOC_NOT_OWNED = 5,    /* at that address: no untyped that was added */
	ALLOC_OVERLAP = 6,      /* alloc_add: covers memory already added */
	ALLOC_BAD_ARGUMENT = 7, /* size, alignment, or a block not taken */
	ALLOC_KERNEL = 8,       /* an operation failed; see kernel_error */
};

/* What the allocator asks of the kernel. 0 is success; anything else is kept
 * in alloc.kernel_error and makes the call fail with ALLOC_KERNEL. */
struct alloc_ops {
	/* Untyped_Retype of untyped `parent` to one untyped of 2^size_bits
	 * bytes into the empty slot `dest`. Called twice in a row for the two
	 * halves, lower address first. */
	int (*retype_untyped)(void *ctx, uint64_t parent, uint64_t dest,
			      unsigned size_bits);
	/* CNode_Revoke: deletes all that was made from the untyped. If it is
	 * needed to undo a half-done split and fails, the block counts as
	 * taken for ever (lost_blocks). */
	int (*revoke)(void *ctx, uint64_t slot);
};

enum alloc_state {
	ALLOC_UNUSED = 0, /* the node stands for nothing */
	ALLOC_FREE = 1,
	ALLOC_SPLIT = 2, /* two children stand for it */
	ALLOC_TAKEN = 3,
};

/*
 * A block. While taken, the holder may read slot, paddr, size_bits, device,
 * and may use `link` and `mark` as it likes; everything else belongs to the allocator.
 */
struct alloc_block {
	uint64_t slot; /* of the untyped capability */
	uint64_t paddr;
	uint8_t size_bits;
	bool device;
	uint8_t state;         /* enum alloc_state */
	struct list_node link; /* the holder's; the allocator's while free */
	uint64_t mark;         /* the holder's; 0 when taken */

	struct tree_node node; /* roots: by address; free or idle: by size */
	struct tree_node root_node;
	struct alloc_block *parent;
	struct alloc_block *child[2];
	uint64_t taken_below; /* of a split block: taken blocks under it */
};

struct alloc_stats {
	/* Normal memory, bytes: total = free + taken. */
	uint64_t total_bytes, free_bytes, taken_bytes;
	/* The same for device memory. */
	uint64_t device_total_bytes, device_free_bytes, device_taken_bytes;
	uint64_t roots; /* untypeds that were added */
	uint64_t taken_blocks;
	uint64_t split_blocks;
	uint64_t idle_splits; /* of these: nothing under them is taken */
	uint64_t lost_blocks; /* of the taken: see struct alloc_ops */
	uint64_t nodes, nodes_used;
	uint64_t splits, merges; /* ever done */
};
/* Slots in use are 2 * split_blocks (roots bring their own); 2 * idle_splits
 * of them come back by alloc_merge: see alloc_slots_free. */

struct alloc {
	const struct alloc_ops *ops;
	void *ctx;
	struct idalloc *slots;
	struct tree roots; /* by address */
	struct tree sized; /* free blocks by (device, size, address) */
	struct tree idle;  /* split blocks with nothing taken, likewise */
	struct alloc_block *nodes;
	struct list_node spare; /* unused nodes */
	struct alloc_stats stats;
	int kernel_error; /* what the last failing operation returned */
};

/* `nodes` are kept; every root takes one, every split two. */
void alloc_init(struct alloc *a, const struct alloc_ops *ops, void *ctx,
		struct idalloc *slots, struct alloc_block *nodes,
		size_t n_nodes);
/*
 * Gives the allocator an untyped nobody uses. `slot` stays the caller's in
 * the ID allocator: it is never given back. paddr is aligned to the size.
 * Errors: NO_NODES, OVERLAP, BAD_ARGUMENT.
 */
enum alloc_error alloc_add(struct alloc *a, uint64_t slot, uint64_t paddr,
			   unsigned size_bits, bool device);
/*
 * Takes a block of exactly 2^size_bits bytes of normal memory: out of the
 * smallest free block or mergeable group that holds it, lowest address
 * first. Errors: NO_MEMORY, NO_SLOTS, NO_NODES, KERNEL, BAD_ARGUMENT. After
 * an error nothing is taken; a split that was half done is undone.
 */
enum alloc_error alloc_take(struct alloc *a, unsigned size_bits,
			    struct alloc_block **block);
/* The same at a given physical address, of normal or of device memory.
 * Also: IN_USE, NOT_OWNED. */
enum alloc_error alloc_take_at(struct alloc *a, uint64_t paddr,
			       unsigned size_bits, struct alloc_block **block);
/* The block of that size that was taken there, or NULL. */
struct alloc_block *alloc_taken_at(const struct alloc *a, uint64_t paddr, unsigned size_bits);
/*
 * Gives a block back: revokes it (so every object made of it is gone) and
 * frees it. If the revocation fails the block stays taken (KERNEL).
 */
enum alloc_error alloc_give(struct alloc *a, struct alloc_block *block);
/* Puts together everything that can be: all slots and nodes of free memory
 * come back. Steps: O(splits undone). Errors: KERNEL (the rest is tried). */
enum alloc_error alloc_merge(struct alloc *a);

/* Slots of the ID allocator that nobody uses: those that are free and those
 * that alloc_merge would free. */
uint64_t alloc_slots_free(const struct alloc *a);
/* Slots that memory in use takes for being in pieces: how many depends on where it is. */
uint64_t alloc_slots_of_pieces(const struct alloc *a);
/* The largest block alloc_take would serve now, log2 bytes; 0: none. */
unsigned alloc_largest(const struct alloc *a);
const char *alloc_error_text(enum alloc_error e);
/* Whether all bookkeeping agrees with itself, O(n); for tests. NULL or a
 * text of what is wrong. */
const char *alloc_sound(const struct alloc *a);
