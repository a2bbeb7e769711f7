/* Address spaces: 4-level paging (Intel SDM 3, 4.5) and ASIDs. */
#pragma once

#include <abi/config.h>
#include <abi/object.h>
#include <abi/syscall.h>
#include <arch/cpu.h>
#include <kernel/cap.h>
#include <kernel/cpu.h>

typedef uint64_t pte_t;

#define PTE_PRESENT 1ull
#define PTE_WRITE 2ull
#define PTE_USER 4ull
#define PTE_PWT 8ull
#define PTE_PCD 16ull
#define PTE_ACCESSED (1ull << 5)
#define PTE_LARGE (1ull << 7)     /* a page of 2 MiB or 1 GiB */
#define PTE_PAT_SMALL (1ull << 7) /* of 4 KiB */
#define PTE_PAT_LARGE (1ull << 12)
#define PTE_GLOBAL (1ull << 8)
#define PTE_NX (1ull << 63)
#define PTE_ADDR 0x000ffffffffff000ull

/* Levels: 0 is the PML4, 3 the page table. */
#define PAGE_LEVEL 3u

/* --- paging.c --- */
struct pte_ref {
	pte_t *entry;
	unsigned level; /* where the walk ended: target, page or gap */
};
/* Address bits below the entry's reach: 39, 30, 21 or 12. */
unsigned level_bits(unsigned level);
/* Walks from the root towards `level`; stops early at a gap or page. */
struct pte_ref paging_walk(paddr_t root, vptr_t vaddr, unsigned level);
bool pte_is_valid(pte_t e);
/* A pointer to a lower table, rather than a page. */
bool pte_is_table(pte_t e, unsigned level);
paddr_t pte_addr(pte_t e, unsigned level);
pte_t pte_make_table(paddr_t table);
/* `rights`: ABI_RIGHT_READ, ABI_RIGHT_WRITE; `attr`: ABI_VM_*. */
pte_t pte_make_leaf(paddr_t frame, unsigned level, word_t rights, word_t attr);
/* Replaces the entry of a page at vaddr, or (`table`) of a lower table. */
void paging_set(pte_t *entry, pte_t value, asid_t asid, vptr_t vaddr, bool table);

/* --- asid.c --- */
struct asid_pool {
	paddr_t root[1u << ABI_ASID_POOL_INDEX_BITS]; /* 0: free */
};
_Static_assert(sizeof(struct asid_pool) == 1u << ABI_ASID_POOL_BITS, "ABI");

static inline struct cap cap_asid_pool(struct asid_pool *p, asid_t first)
{
	return cap_make(CAP_ASID_POOL, ptr_to_paddr(p), 0, first);
}
extern struct asid_pool *asid_pools[ABI_ASID_POOLS];
/* The lowest free place of a pool, or -1. */
int asid_pool_free(void);
/* Installs a pool there: its first ASID. */
asid_t asid_pool_install(struct asid_pool *p);
bool asid_pool_is_installed(const struct asid_pool *p, asid_t first);
/* Releases one address space of the pool; false: there was none, and the pool
 * is not installed any more. */
bool asid_pool_shrink(struct asid_pool *p, asid_t first);
/* Gives the address space a free ASID of the pool, and the kernel's window a
 * place in it, unless it is a guest's memory; 0: none is left. */
asid_t asid_assign(struct asid_pool *p, asid_t first, paddr_t root, bool ept);
void asid_release(asid_t asid, paddr_t root);
/* The root of the address space, or of the guest's memory, or 0 if there is none (any more). */
paddr_t asid_space(asid_t asid, bool ept);
/* Nothing but the window: what a thread without an address space runs in. */
paddr_t asid_empty_root(void);
void asid_init(void);
/* With PCIDs the TLB keeps what it has of the space. */
#define CR3_KEEP (1ull << 63)
/* Makes the space the live one; asid 0: the empty one. */
static inline void asid_load(paddr_t root, asid_t asid)
{
	struct arch_cpu *cpu = &this_cpu()->arch;

	cpu->root = root;
	CR_WRITE(3, unlikely(cpu->pcids) ? root | asid | CR3_KEEP : root);
}
/* What the TLB may hold of a space that has changed: at vaddr, or (`all`) anything. */
void asid_flush(asid_t asid, vptr_t vaddr, bool all);

/* --- capabilities (cap_types.h has the layout) --- */
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
/* Mapped for a guest, rather than in an address space. */
static inline bool cap_frame_is_in_ept(struct cap c) { return cap_sub_field(c, 5, 1) != 0; }
static inline struct cap cap_frame_mapped(struct cap c, word_t place, bool ept)
{
	return (struct cap){ (c.w0 & ~(1ull << 54)) | (word_t)ept << 54, place };
}
static inline bool cap_frame_is_device(struct cap c) { return cap_sub_field(c, 4, 1) != 0; }
static inline struct cap cap_vspace(paddr_t addr, asid_t asid)
{
	return cap_make(CAP_VSPACE, addr, 0, asid);
}
/* The level that a table of this type is, 1 to 3; 0: it is none. */
unsigned table_level(enum cap_type type);

/* Where a frame or table is mapped; asid 0: nowhere. */
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
int table_invoke(struct invocation *inv);
void table_unmap(struct cap c);
int asid_control_invoke(struct invocation *inv);
int asid_pool_invoke(struct invocation *inv);
int io_port_control_invoke(struct invocation *inv);
int io_port_invoke(struct invocation *inv);
void io_port_release(struct cap c);
/* Whether `c` is an address space in use: its ASID leads to it. */
bool vspace_is_live(struct cap c);
/* Extra capability 0 is an address space with an ASID, or a guest's memory, that leads to it. */
int space_check_cap(struct invocation *inv, bool ept);
int space_check_asid(struct invocation *inv, bool ept, paddr_t *root);
/* FailedLookup: on the way there is no table below this level. */
int inv_missing_table(struct invocation *inv, unsigned level);
/* ept.c */
#define EPT_TOP ((1ull << 48) - 1)
pte_t ept_make_leaf(paddr_t frame, unsigned level, word_t rights, word_t attr);
int ept_set_root(struct invocation *inv);
