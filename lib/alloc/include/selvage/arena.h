/*
 * A lifetime group: everything one VM (or process) is made of, so that
 * taking it down gives every byte and slot back at once.
 *
 * An arena takes chunks of untyped memory from the allocator and makes
 * kernel objects of them in the order in which the kernel lays them out
 * (upward, aligned to their size). Many large ones (the RAM of a VM) get
 * chunks that they fill exactly, from any mixture of sizes the allocator
 * still has; the rest share chunks of the arena's chunk size, pages apart
 * from smaller objects so that alignment wastes little.
 *
 * It also keeps note of the capability slots it took. Destroying the arena
 * revokes its chunks, which empties the slots of its own objects and of
 * copies of them, deletes what is in the other slots (copies of capabilities
 * to objects of others), and returns both.
 */
#pragma once

#include <selvage/alloc.h>
#include <selvage/objsize.h>

/* A window of empty slots in some CNode, as Untyped_Retype wants it. */
struct arena_dest {
	uint64_t root;   /* CNode capability */
	uint64_t index;  /* of the CNode below root; 0 with depth 0: root */
	uint64_t offset; /* first slot of the window */
	uint8_t depth;
};

struct arena_ops {
	/* Untyped_Retype of `untyped` to `count` (1..256) objects. */
	int (*retype)(void *ctx, uint64_t untyped, unsigned type,
		      unsigned size_bits, const struct arena_dest *dest,
		      unsigned count);
	/* CNode_Delete of a slot of the caller's own CNode; an empty slot is
	 * no error. */
	int (*delete_slot)(void *ctx, uint64_t slot);
};

/* Shared by all arenas: which slots belong together. One word per slot of
 * the ID allocator, given by the caller. */
struct arena_slots {
	struct idalloc *ids;
	uint32_t *next; /* [ids->count]; index = slot - ids->first */
	uint64_t root;  /* the CNode the slots are of: arena_dest with depth 0 */
};

struct arena {
	struct alloc *alloc;
	const struct arena_ops *ops;
	void *ctx;
	struct arena_slots *slots;
	/* Chunks, by struct alloc_block.link; mark: bytes used. Those with
	 * room: [0] for objects below a page, [1] for pages and above. */
	struct list_node open[2];
	struct list_node full;
	/* Chains through arena_slots.next: slots to be emptied one by one, and
	 * those that the revocation of the chunks empties. */
	uint32_t foreign, own;
	unsigned chunk_bits;
	uint64_t taken_bytes;  /* of chunks */
	uint64_t object_bytes; /* of objects made in them */
	uint64_t n_objects, n_slots;
	int kernel_error;
};

enum arena_error {
	ARENA_OK = 0,
	ARENA_NO_MEMORY = 1, /* or no slots or nodes to split memory */
	ARENA_NO_SLOTS = 2,
	ARENA_BAD_ARGUMENT = 3,
	ARENA_KERNEL = 4, /* an operation failed; see kernel_error */
};

/* chunk_bits: size of shared chunks, log2 bytes, 12 to ALLOC_MAX_BITS (else
 * the nearest); 16 is a good value. */
void arena_init(struct arena *ar, struct alloc *alloc,
		const struct arena_ops *ops, void *ctx,
		struct arena_slots *slots, unsigned chunk_bits);

/* An empty slot, which arena_destroy empties and gives back. */
enum arena_error arena_slot(struct arena *ar, uint64_t *slot);
/* The same for a capability to an object of this arena: the object's end
 * empties the slot, which saves arena_destroy a system call. */
enum arena_error arena_slot_own(struct arena *ar, uint64_t *slot);
/* n (1..IDALLOC_MAX_RUN) slots in a row. */
enum arena_error arena_slot_run(struct arena *ar, unsigned n, uint64_t *first);

/* Makes one object in a slot of its own; nothing else may be put there. */
enum arena_error arena_object(struct arena *ar, unsigned type,
			      unsigned size_bits, uint64_t *slot);
/*
 * Makes `count` objects (any number) in slots of their own and writes the
 * slots to slot[], in rows of up to IDALLOC_MAX_RUN. In case of an error the
 * first *made are there and stay until arena_destroy.
 */
enum arena_error arena_objects(struct arena *ar, unsigned type,
			       unsigned size_bits, size_t count,
			       uint64_t *slot, size_t *made);
/* Makes `count` objects in a window of slots of the caller's choice, e.g. in
 * the CNode of the VM; these slots are not the arena's. As above, the first
 * *made stay. */
enum arena_error arena_objects_into(struct arena *ar, unsigned type,
				    unsigned size_bits, size_t count,
				    const struct arena_dest *dest,
				    size_t *made);
/* One object of 2^size_bits bytes, of the untyped at that physical address that `from` took by
 * arena_untyped_at in that size, which becomes this arena's. ARENA_NO_MEMORY: there is none. */
enum arena_error arena_object_of(struct arena *ar, struct arena *from, uint64_t paddr,
				 unsigned type, unsigned size_bits, uint64_t *slot);
/* One object in a block of its own, in an empty slot that is the arena's already (its own). */
enum arena_error arena_object_alone(struct arena *ar, unsigned type, unsigned size_bits,
				    uint64_t slot, struct alloc_block **block);
/* Ends that object before the arena's end, and gives the block back. */
enum arena_error arena_end_alone(struct arena *ar, struct alloc_block *block);
/* An untyped for use otherwise (an ASID pool, a process that makes objects
 * itself): a block of its own, with its address known. */
enum arena_error arena_untyped(struct arena *ar, unsigned size_bits,
			       const struct alloc_block **block);
/* The same at that physical address, which is aligned to the size. */
enum arena_error arena_untyped_at(struct arena *ar, uint64_t paddr, unsigned size_bits,
				  const struct alloc_block **block);

/*
 * Ends everything that was made and gives all memory and slots back. On
 * ARENA_KERNEL something refused; what could be given back was, the rest is
 * still in the arena, and the call may be repeated.
 */
enum arena_error arena_destroy(struct arena *ar);
const char *arena_error_text(enum arena_error e);
