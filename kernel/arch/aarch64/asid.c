/*
 * ASIDs name address spaces in capabilities; VMIDs (8 bits, the least that
 * every CPU has) name them in the TLBs and are lent to ASIDs in turn.
 */
#include <arch/vspace.h>

#include <arch/sysreg.h>
#include <arch/types.h>

#define POOL_ENTRIES (1u << ABI_ASID_POOL_INDEX_BITS)
#define VMID_SHIFT 48

struct asid_pool *asid_pools[ABI_ASID_POOLS];
asid_t vmid_asid[VMIDS]; /* 0: nobody; VMID 0 is the empty space's */
static unsigned vmid_next = 1;
static uint64_t vmid_vcpu[VMIDS]; /* the vCPU that ran there last */
/* What a thread without an address space runs in: nothing is mapped. */
static pte_t empty_root[1024] __attribute__((aligned(8192)));

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

static word_t *asid_entry(asid_t asid)
{
	struct asid_pool *p = asid_pools[asid >> ABI_ASID_POOL_INDEX_BITS];

	return p ? &p->entry[asid & (POOL_ENTRIES - 1)] : NULL;
}

bool asid_pool_shrink(struct asid_pool *p, asid_t first)
{
	if (!asid_pool_is_installed(p, first))
		return false;
	for (unsigned i = 0; i < POOL_ENTRIES; i++)
		if (p->entry[i]) {
			asid_release((asid_t)(first + i), p->entry[i] & ASID_ROOT);
			return true;
		}
	asid_pools[first >> ABI_ASID_POOL_INDEX_BITS] = NULL;
	return false;
}

asid_t asid_assign(struct asid_pool *p, asid_t first, paddr_t root)
{
	for (unsigned i = first ? 0 : 1; i < POOL_ENTRIES; i++)
		if (!p->entry[i]) {
			p->entry[i] = root;
			return (asid_t)(first + i);
		}
	return 0;
}

paddr_t asid_root(asid_t asid)
{
	word_t *e = asid ? asid_entry(asid) : NULL;

	return e ? *e & ASID_ROOT : 0;
}

void asid_load_vttbr(word_t vttbr)
{
	struct arch_cpu *cpu = arch_cpu();

	if (cpu->vttbr == vttbr)
		return;
	SYSREG_WRITE(vttbr_el2, vttbr);
	isb();
	cpu->vttbr = vttbr;
}

word_t asid_empty_vttbr(void) { return ptr_to_paddr(empty_root); }

/* vCPUs of a VM share its VMID, but each has stage-1 translations of its own:
 * a guest flushes only the core that it believes to run on. */
void asid_use_by_vcpu(uint64_t id)
{
	uint64_t *last = &vmid_vcpu[arch_cpu()->vttbr >> VMID_SHIFT];

	if (*last == id)
		return;
	*last = id;
	__asm__ volatile("tlbi vmalle1\n\tdsb nsh\n\tisb" ::
				 : "memory");
}

/* TLBI of the EL1&0 regime works on the VMID in VTTBR_EL2. */
static void flush_vmid(word_t vttbr)
{
	word_t before = arch_cpu()->vttbr;

	asid_load_vttbr(vttbr);
	__asm__ volatile("dsb ishst\n\ttlbi vmalls12e1is\n\tdsb ish\n\tisb" ::
				 : "memory");
	asid_load_vttbr(before);
}

static word_t entry_vttbr(word_t entry)
{
	return (entry & ASID_ROOT) | (entry & ASID_VMID) << VMID_SHIFT;
}

static void vmid_take(unsigned vmid)
{
	word_t *e = vmid_asid[vmid] ? asid_entry(vmid_asid[vmid]) : NULL;

	if (!e)
		return;
	word_t victim = *e;
	arch_cpu()->asid_generation++;
	*e &= ASID_ROOT;
	vmid_asid[vmid] = 0;
	flush_vmid(entry_vttbr(victim));
}

word_t asid_vttbr(asid_t asid, paddr_t root)
{
	word_t *e = asid ? asid_entry(asid) : NULL;

	if (!e || (*e & ASID_ROOT) != root)
		return asid_empty_vttbr();
	if (!(*e & ASID_HAS_VMID)) {
		unsigned vmid = vmid_next;
		vmid_next = vmid == VMIDS - 1 ? 1 : vmid + 1;
		vmid_take(vmid);
		vmid_asid[vmid] = asid;
		*e |= ASID_HAS_VMID | vmid;
	}
	return entry_vttbr(*e);
}

void asid_flush(asid_t asid)
{
	word_t *e = asid ? asid_entry(asid) : NULL;

	if (e && (*e & ASID_HAS_VMID))
		flush_vmid(entry_vttbr(*e));
}

void asid_release(asid_t asid, paddr_t root)
{
	word_t *e = asid_entry(asid);

	if (!e || (*e & ASID_ROOT) != root)
		return;
	asid_flush(asid);
	arch_cpu()->asid_generation++;
	/* The thread that runs in it goes on in an empty space, and faults. */
	if ((arch_cpu()->vttbr & ASID_ROOT) == root)
		asid_load_vttbr(asid_empty_vttbr());
	if (*e & ASID_HAS_VMID)
		vmid_asid[*e & ASID_VMID] = 0;
	*e = 0;
}
