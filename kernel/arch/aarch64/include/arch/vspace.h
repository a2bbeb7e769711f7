/* Stage-2 address spaces, ASIDs and VMIDs. */
#pragma once

#include <abi/config.h>
#include <abi/object.h>
#include <abi/syscall.h>
#include <kernel/cap.h>

typedef uint64_t pte_t;

/* Level of the root (0 or 1) and of pages. */
#define ROOT_LEVEL (4 - ABI_VSPACE_LEVELS)
#define PAGE_LEVEL 3
#define ROOT_ENTRIES (1u << ABI_VSPACE_INDEX_BITS)

/* --- stage2.c --- */
struct pte_ref {
	pte_t *entry;
	unsigned level; /* where the walk ended: target, block or gap */
};
/* Address bits below the entry's reach: 12, 21, 30 or 39. */
unsigned level_bits(unsigned level);
/* Walks from the root towards `level`; stops early at a gap or block. */
struct pte_ref stage2_walk(paddr_t root, vptr_t vaddr, unsigned level);
bool pte_is_valid(pte_t e);
/* A pointer to a lower table, rather than a page or block. */
bool pte_is_table(pte_t e, unsigned level);
paddr_t pte_addr(pte_t e);
pte_t pte_make_table(paddr_t table);
/* `rights`: ABI_RIGHT_READ, ABI_RIGHT_WRITE; `attr`: ABI_VM_*. */
pte_t pte_make_leaf(paddr_t frame, unsigned level, word_t rights, word_t attr);
/* Replaces an entry of the address space `asid` (break before make). */
void stage2_set(pte_t *entry, pte_t value, asid_t asid);
/* VTCR_EL2's value; panics if the CPU's addresses are too small. */
word_t stage2_vtcr(void);

/* --- asid.c --- */
struct asid_pool {
	/* Root table's address | ASID_HAS_VMID | VMID; 0: free. */
#define ASID_ROOT 0x0000fffffffff000ull
#define ASID_HAS_VMID 0x100ull
#define ASID_VMID 0xffull
	word_t entry[1u << ABI_ASID_POOL_INDEX_BITS];
};
_Static_assert(sizeof(struct asid_pool) == 1u << ABI_ASID_POOL_BITS, "ABI");

static inline struct cap cap_asid_pool(struct asid_pool *p, asid_t first)
{
	return cap_make(CAP_ASID_POOL, ptr_to_paddr(p), 0, first);
}
#define VMIDS 256u
extern struct asid_pool *asid_pools[ABI_ASID_POOLS];
extern asid_t vmid_asid[VMIDS];
/* Installs a pool at the lowest free place: its first ASID, or -1. */
int asid_pool_install(struct asid_pool *p);
bool asid_pool_available(void);
bool asid_pool_is_installed(const struct asid_pool *p, asid_t first);
/* Releases one address space of the pool; false: there was none, and the pool
 * is not installed any more. */
bool asid_pool_shrink(struct asid_pool *p, asid_t first);
/* Gives the address space a free ASID of the pool; 0: none is left. */
asid_t asid_assign(struct asid_pool *p, asid_t first, paddr_t root);
void asid_release(asid_t asid, paddr_t root);
/* The address space's root, or 0 if there is none (any more). */
paddr_t asid_root(asid_t asid);
/* VTTBR_EL2 for the address space, with a VMID of its own; that of the empty
 * space if the ASID does not lead to this root. */
word_t asid_vttbr(asid_t asid, paddr_t root);
/* Removes what TLBs hold of the address space. */
void asid_flush(asid_t asid);
/* VTTBR_EL2 of the address space without mappings. */
word_t asid_empty_vttbr(void);
void asid_load_vttbr(word_t vttbr);
/* The vCPU `id` is about to run in the address space that is loaded: what
 * another one has left in the TLB under this VMID goes. */
void asid_use_by_vcpu(uint64_t id);

/* --- capabilities (cap.h has the layout) --- */
/* clang-format off */
enum frame_size { FRAME_SMALL, FRAME_LARGE, FRAME_HUGE };
/* clang-format on */

static inline struct cap cap_frame(paddr_t addr, enum frame_size size, word_t rights,
				   bool device)
{
	return cap_make(CAP_FRAME, addr, (word_t)size | rights << 2 | (word_t)device << 4, 0);
}
static inline enum frame_size cap_frame_size(struct cap c)
{
	return (enum frame_size)cap_sub_field(c, 0, 2);
}
static inline unsigned frame_bits(enum frame_size s) { return ABI_PAGE_BITS + 9 * (unsigned)s; }
static inline word_t cap_frame_rights(struct cap c) { return cap_sub_field(c, 2, 2); }
static inline bool cap_frame_is_device(struct cap c) { return cap_sub_field(c, 4, 1) != 0; }

static inline struct cap cap_page_table(paddr_t addr)
{
	return cap_make(CAP_PAGE_TABLE, addr, 0, 0);
}
static inline unsigned cap_table_level(struct cap c) { return (unsigned)cap_sub_field(c, 0, 2); }
static inline struct cap cap_vspace(paddr_t addr, asid_t asid)
{
	return cap_make(CAP_VSPACE, addr, 0, asid);
}

/* Where a frame or page table is mapped; asid 0: nowhere. */
static inline asid_t cap_map_asid(struct cap c) { return (asid_t)c.w1; }
static inline vptr_t cap_map_vaddr(struct cap c) { return c.w1 >> 16 << ABI_PAGE_BITS; }
static inline word_t cap_map_word(vptr_t vaddr, asid_t asid)
{
	return vaddr >> ABI_PAGE_BITS << 16 | asid;
}

/* --- object files --- */
struct invocation;
int frame_invoke(struct invocation *inv);
void frame_unmap(struct cap c);
int page_table_invoke(struct invocation *inv);
void page_table_unmap(struct cap c);
int vspace_invoke(struct invocation *inv);
int asid_control_invoke(struct invocation *inv);
int asid_pool_invoke(struct invocation *inv);
int smc_invoke(struct invocation *inv);
/* Whether `c` is an address space in use: its ASID leads to it. */
bool vspace_is_live(struct cap c);
/* Capability number 1 of an invocation as an address space: abi error. */
int vspace_of_extra(struct invocation *inv, struct cap *out);
/* Cache maintenance, of RAM alone: labels `first` (ARM_..._CLEAN_DATA) to UNIFY.
 * In steps: word 0 of the message is where the call goes on. */
int cache_maintain(struct invocation *inv, word_t first, paddr_t start, word_t bytes);
/* Puts a table into the first gap on the way to vaddr: its capability, or the
 * null one if there is no gap before the page's own entry. */
struct cap page_table_map_at(struct cap vspace, vptr_t vaddr, paddr_t table);
