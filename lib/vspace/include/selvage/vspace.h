/*
 * Page-table manager of one address space, for any geometry: how many
 * levels, how many index bits each, how large the smallest page. It knows
 * which addresses are reserved for whom and which frames are mapped where,
 * makes intermediate tables only when a mapping needs them, takes them away
 * when the last mapping under them goes, and keeps some for the next time.
 *
 * An address is *reserved* first and *mapped* then; a mapping lies within
 * one reservation. Native address spaces and guest-physical ones (stage 2,
 * EPT, shadow tables) look the same from here: the difference is in the
 * callbacks. Nothing is allocated: nodes come from an array of the caller.
 *
 * Steps: O(log n) per table or gap looked for, plus one per frame.
 */
#pragma once

#include <selvage/base.h>
#include <selvage/list.h>
#include <selvage/tree.h>

#define VSPACE_MAX_LEVELS 5

enum vspace_error {
	VSPACE_OK = 0,
	VSPACE_NO_NODES = 1,     /* the array of nodes is used up */
	VSPACE_NO_TABLES = 2,    /* alloc_table had none */
	VSPACE_NO_ROOM = 3,      /* no gap of that size and alignment */
	VSPACE_OUT_OF_RANGE = 4, /* outside the address space */
	VSPACE_MISALIGNED = 5,   /* address or size for that page size */
	VSPACE_OVERLAP = 6,      /* reserved, or mapped, already */
	VSPACE_NOT_RESERVED = 7, /* not within one reservation */
	VSPACE_NOT_MAPPED = 8,
	VSPACE_IN_USE = 9,        /* a reservation with mappings in it */
	VSPACE_BAD_ARGUMENT = 10, /* size 0, page size the geometry lacks */
	VSPACE_KERNEL = 11,       /* an operation failed; see kernel_error */
};

/* Level 0 is the table of the smallest pages, levels - 1 the root. */
struct vspace_geometry {
	unsigned page_bits;                     /* smallest page, log2 bytes */
	unsigned levels;                        /* 1..VSPACE_MAX_LEVELS */
	unsigned index_bits[VSPACE_MAX_LEVELS]; /* log2 entries per level */
	unsigned leaf_levels;                   /* entries of level 0 .. leaf_levels - 1 may
	                       * be pages: 3 for 4 KiB, 2 MiB, 1 GiB */
};

/* What the manager asks for. 0 is success; other values are kept in
 * vspace.kernel_error and lead to VSPACE_KERNEL. */
struct vspace_ops {
	/* A table object (any value that names it), not mapped anywhere.
	 * Failure leads to VSPACE_NO_TABLES. */
	int (*alloc_table)(void *ctx, uint64_t *table);
	void (*free_table)(void *ctx, uint64_t table);
	/* Puts the table of `level` in place; vaddr is where it begins. The
	 * tables above are there. */
	int (*map_table)(void *ctx, uint64_t table, unsigned level,
			 uint64_t vaddr);
	int (*unmap_table)(void *ctx, uint64_t table, unsigned level,
			   uint64_t vaddr);
	int (*map_frame)(void *ctx, uint64_t frame, uint64_t vaddr,
			 unsigned bits, uint32_t rights, uint32_t attributes);
	int (*unmap_frame)(void *ctx, uint64_t frame, uint64_t vaddr,
			   unsigned bits);
};

enum vspace_kind {
	VSPACE_NODE_SPARE = 0,
	VSPACE_NODE_GAP = 1,
	VSPACE_NODE_RESERVED = 2,
	VSPACE_NODE_MAPPING = 3,
	VSPACE_NODE_TABLE = 4,
};

/* Belongs to the manager. */
struct vspace_node {
	struct tree_node node;  /* by address; tables: by level, address */
	struct tree_node sized; /* gaps: by size */
	struct list_node link;  /* spare nodes, pooled tables */
	uint64_t start, size;   /* bytes */
	uint64_t first;         /* mapping: first frame; table: the table */
	uint64_t count;         /* mapping: frames; table: entries in use */
	uint64_t tag;           /* reservation */
	uint32_t rights, attributes;
	uint8_t kind;
	uint8_t level; /* mapping: of its entries; table */
	bool adopted;  /* table: not ours to take away */
};

struct vspace_stats {
	uint64_t reserved_bytes, mapped_bytes;
	uint64_t reservations, mappings, frames;
	uint64_t tables; /* in place, adopted ones included */
	uint64_t pooled; /* unused, kept */
	uint64_t nodes, nodes_used;
};

struct vspace {
	struct vspace_geometry geometry;
	const struct vspace_ops *ops;
	void *ctx;
	uint64_t start, size;
	struct tree ranges; /* gaps and reservations: they cover it all */
	struct tree gaps;   /* by (size, address) */
	struct tree mappings;
	struct tree tables;
	struct list_node pool;
	struct list_node spare;
	unsigned pool_max;
	struct vspace_stats stats;
	int kernel_error;
};

/*
 * The managed addresses are [start, start + size), multiples of the smallest
 * page, within what the geometry spans and below 2^63. pool_max: unused
 * tables to keep. Nodes: one, one to three per reservation, one per mapping,
 * one per table. BAD_ARGUMENT, NO_NODES (none at all).
 */
enum vspace_error vspace_init(struct vspace *v,
			      const struct vspace_geometry *geometry,
			      const struct vspace_ops *ops, void *ctx,
			      uint64_t start, uint64_t size,
			      struct vspace_node *nodes, size_t n_nodes,
			      unsigned pool_max);

/* Reserves given addresses, or the smallest gap that takes `size` bytes
 * aligned to 2^align_bits. tag is the caller's, returned by vspace_lookup. */
enum vspace_error vspace_reserve(struct vspace *v, uint64_t vaddr,
				 uint64_t size, uint64_t tag);
enum vspace_error vspace_reserve_any(struct vspace *v, uint64_t size,
				     unsigned align_bits, uint64_t tag,
				     uint64_t *vaddr);
/* Ends the reservation that begins at vaddr. IN_USE: something is mapped. */
enum vspace_error vspace_release(struct vspace *v, uint64_t vaddr);

/*
 * Maps `count` frames of 2^bits bytes, named frame, frame + 1, ..., one after
 * the other from vaddr. After an error nothing of it is mapped (unless the
 * undoing fails as well: then what stays is recorded as a mapping).
 */
enum vspace_error vspace_map(struct vspace *v, uint64_t vaddr, unsigned bits,
			     uint64_t frame, uint64_t count, uint32_t rights,
			     uint32_t attributes);
/* Unmaps the mapping that begins at vaddr, all of it, last frame first. After
 * KERNEL the frames that are left are still a mapping. */
enum vspace_error vspace_unmap(struct vspace *v, uint64_t vaddr);

struct vspace_info {
	uint64_t reserved_start, reserved_size, tag;
	bool mapped; /* the rest is valid */
	uint64_t mapping_start, mapping_size;
	uint64_t frame; /* the one under the address */
	uint64_t frame_vaddr;
	unsigned bits;
	uint32_t rights, attributes;
};
/* NOT_RESERVED or OUT_OF_RANGE if there is nothing. */
enum vspace_error vspace_lookup(const struct vspace *v, uint64_t vaddr,
				struct vspace_info *info);

/* A table that is in place already (of the loader's making) and stays. Every
 * level above it must be known first. */
enum vspace_error vspace_adopt_table(struct vspace *v, unsigned level,
				     uint64_t vaddr);
/* Fills the pool up to n tables (and raises pool_max to it), so that
 * mappings to come need no alloc_table. */
enum vspace_error vspace_prepare(struct vspace *v, unsigned n);
/* Frees all pooled tables. */
void vspace_drain(struct vspace *v);
/* Unmaps and releases everything and drains the pool. KERNEL: something
 * refused; the rest is gone. */
enum vspace_error vspace_clear(struct vspace *v);

/* Bytes that one entry of a level spans, log2. */
unsigned vspace_level_shift(const struct vspace_geometry *g, unsigned level);
const char *vspace_error_text(enum vspace_error e);
/* Whether the bookkeeping agrees with itself; for tests. NULL or a text. */
const char *vspace_sound(const struct vspace *v);
