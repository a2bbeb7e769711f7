/* ASIDs name address spaces in capabilities. The TLB does not know them: every
 * switch empties it, of all but the kernel's window. */
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

struct asid_pool *asid_pools[ABI_ASID_POOLS];
static pte_t empty_root[POOL_ENTRIES] __attribute__((aligned(4096)));

void asid_init(void) { empty_root[ARCH_WINDOW_INDEX] = mmu_window_entry(); }
paddr_t asid_empty_root(void) { return ptr_to_paddr(empty_root); }

int asid_pool_install(struct asid_pool *p)
{
	for (unsigned i = 0; i < ABI_ASID_POOLS; i++)
		if (!asid_pools[i]) {
			asid_pools[i] = p;
			return (int)(i << ABI_ASID_POOL_INDEX_BITS);
		}
	return -1;
}

bool asid_pool_available(void)
{
	for (unsigned i = 0; i < ABI_ASID_POOLS; i++)
		if (!asid_pools[i])
			return true;
	return false;
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

static asid_t assign(struct asid_pool *p, asid_t first, paddr_t entry)
{
	for (unsigned i = first ? 0 : 1; i < POOL_ENTRIES; i++)
		if (!p->root[i]) {
			p->root[i] = entry;
			return (asid_t)(first + i);
		}
	return 0;
}

asid_t asid_assign_ept(struct asid_pool *p, asid_t first, paddr_t root)
{
	return assign(p, first, root | IS_EPT);
}

asid_t asid_assign(struct asid_pool *p, asid_t first, paddr_t root)
{
	asid_t asid = assign(p, first, root);

	if (asid)
		((pte_t *)paddr_to_ptr(root))[ARCH_WINDOW_INDEX] = mmu_window_entry();
	return asid;
}

paddr_t asid_root(asid_t asid)
{
	paddr_t *e = asid ? asid_entry(asid) : NULL;

	return e && !(*e & IS_EPT) ? *e : 0;
}

paddr_t asid_ept_root(asid_t asid)
{
	paddr_t *e = asid ? asid_entry(asid) : NULL;

	return e && *e & IS_EPT ? *e & ~IS_EPT : 0;
}

void asid_release(asid_t asid, paddr_t root)
{
	struct arch_cpu *cpu = &this_cpu()->arch;
	paddr_t *e = asid_entry(asid);

	if (!e || (*e & ~IS_EPT) != root)
		return;
	*e = 0;
	npt_changed();
	/* The thread that runs in it goes on in an empty space, and faults. */
	if (cpu->root == root) {
		cpu->root = asid_empty_root();
		CR_WRITE(3, cpu->root);
	}
}
