/*
 * ASIDs name address spaces in capabilities and, as PCIDs, in the TLB: there are
 * as many of the one as of the other. Without PCIDs every switch empties the TLB,
 * of all but the kernel's window.
 */
#include <arch/boot.h>
#include <arch/cpu.h>
#include <arch/types.h>
#include <arch/vcpu.h>
#include <arch/vspace.h>
#include <kernel/cpu.h>

#define POOL_ENTRIES (1u << ABI_ASID_POOL_INDEX_BITS)
/* In a pool's entry: a guest's tables, which a stale capability of the other
 * kind must not reach. */
#define IS_EPT 1ull
#define ASIDS (ABI_ASID_POOLS * POOL_ENTRIES)
_Static_assert(ASIDS == 4096, "a PCID has 12 bits");
enum { INVPCID_ADDRESS,
       INVPCID_SPACE };

struct asid_pool *asid_pools[ABI_ASID_POOLS];
static pte_t empty_root[POOL_ENTRIES] __attribute__((aligned(4096)));

static bool invpcid;

void asid_init(void)
{
	empty_root[ARCH_WINDOW_INDEX] = mmu_window_entry();
	asid_load(asid_empty_root(), 0);
	this_cpu()->arch.pcids = cpuid(1, 0).c & 1u << 17;
	invpcid = cpuid(7, 0).b & 1u << 10;
	if (this_cpu()->arch.pcids)
		CR_WRITE(4, CR_READ(4) | CR4_PCIDE);
}

/* A change of PGE empties the TLB of all PCIDs (SDM 3, 4.10.4.1). */
static void flush_everything(void)
{
	CR_WRITE(4, CR_READ(4) ^ CR4_PGE);
	CR_WRITE(4, CR_READ(4) ^ CR4_PGE);
}

void asid_flush(asid_t asid, vptr_t vaddr, bool all)
{
	const struct arch_cpu *cpu = &this_cpu()->arch;
	paddr_t root = asid_space(asid, false);
	bool live = root == cpu->root;

	if (!root && asid_space(asid, true)) {
		npt_changed();
	} else if (live && all) {
		CR_WRITE(3, CR_READ(3));
	} else if (live) {
		/* clang-format off */
		__asm__ volatile("invlpg (%0)" ::"r"(vaddr) : "memory");
		/* clang-format on */
	} else if (cpu->pcids && invpcid) {
		word_t what[2] = { asid, vaddr }, how = all ? INVPCID_SPACE : INVPCID_ADDRESS;
		/* clang-format off */
		__asm__ volatile("invpcid %0, %1" ::"m"(what), "r"(how) : "memory");
		/* clang-format on */
	} else if (cpu->pcids) {
		flush_everything();
	}
}

paddr_t asid_empty_root(void) { return ptr_to_paddr(empty_root); }

int asid_pool_free(void)
{
	for (unsigned i = 0; i < ABI_ASID_POOLS; i++)
		if (!asid_pools[i])
			return (int)i;
	return -1;
}

asid_t asid_pool_install(struct asid_pool *p)
{
	int i = asid_pool_free();

	asid_pools[i] = p;
	return (asid_t)(i << ABI_ASID_POOL_INDEX_BITS);
}

bool asid_pool_is_installed(const struct asid_pool *p, asid_t first)
{
	return asid_pools[first >> ABI_ASID_POOL_INDEX_BITS] == p;
}

static paddr_t *asid_entry(asid_t asid)
{
	struct asid_pool *p = asid_pools[asid >> ABI_ASID_POOL_INDEX_BITS];

	return p ? &p->root[asid & (POOL_ENTRIES - 1)] : NULL;
}

bool asid_pool_shrink(struct asid_pool *p, asid_t first)
{
	if (!asid_pool_is_installed(p, first))
		return false;
	for (unsigned i = 0; i < POOL_ENTRIES; i++)
		if (p->root[i]) {
			asid_release((asid_t)(first + i), p->root[i] & ~IS_EPT);
			return true;
		}
	asid_pools[first >> ABI_ASID_POOL_INDEX_BITS] = NULL;
	return false;
}

asid_t asid_assign(struct asid_pool *p, asid_t first, paddr_t root, bool ept)
{
	for (unsigned i = first ? 0 : 1; i < POOL_ENTRIES; i++)
		if (!p->root[i]) {
			p->root[i] = root | (ept ? IS_EPT : 0);
			flush_everything(); /* of who had it before */
			if (!ept)
				((pte_t *)paddr_to_ptr(root))[ARCH_WINDOW_INDEX] =
					mmu_window_entry();
			return (asid_t)(first + i);
		}
	return 0;
}

paddr_t asid_space(asid_t asid, bool ept)
{
	paddr_t *e = asid ? asid_entry(asid) : NULL;

	return e && (*e & IS_EPT) == ept ? *e & ~IS_EPT : 0;
}

void asid_release(asid_t asid, paddr_t root)
{
	paddr_t *e = asid_entry(asid);

	if (!e || (*e & ~IS_EPT) != root)
		return;
	*e = 0;
	npt_changed();
	/* The thread that runs in it goes on in an empty space, and faults. */
	if (this_cpu()->arch.root == root)
		asid_load(asid_empty_root(), 0);
}
