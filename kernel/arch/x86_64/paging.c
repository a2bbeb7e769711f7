/* Page tables. */
#include <arch/cpu.h>
#include <arch/types.h>
#include <arch/vspace.h>
#include <kernel/cpu.h>

unsigned level_bits(unsigned level)
{
	return ABI_PAGE_BITS + ABI_PT_INDEX_BITS * (PAGE_LEVEL - level);
}

static word_t level_index(vptr_t vaddr, unsigned level)
{
	return vaddr >> level_bits(level) & ((1u << ABI_PT_INDEX_BITS) - 1);
}

bool pte_is_valid(pte_t e) { return e & PTE_PRESENT; }
pte_t pte_make_table(paddr_t table) { return table | PTE_PRESENT | PTE_WRITE | PTE_USER; }

paddr_t pte_addr(pte_t e, unsigned level)
{
	return e & PTE_ADDR & ~(level < PAGE_LEVEL ? PTE_PAT_LARGE : 0);
}

bool pte_is_table(pte_t e, unsigned level)
{
	return level < PAGE_LEVEL && (e & PTE_PRESENT) && !(e & PTE_LARGE);
}

struct pte_ref paging_walk(paddr_t root, vptr_t vaddr, unsigned level)
{
	struct pte_ref r = { (pte_t *)paddr_to_ptr(root) + level_index(vaddr, 0), 0 };

	while (r.level < level && pte_is_table(*r.entry, r.level)) {
		pte_t *table = paddr_to_ptr(*r.entry & PTE_ADDR);
		r.level++;
		r.entry = table + level_index(vaddr, r.level);
	}
	return r;
}

pte_t pte_make_leaf(paddr_t frame, unsigned level, word_t rights, word_t attr)
{
	pte_t e = frame | PTE_PRESENT;

	/* Write without read is the kernel's own, as in seL4. */
	if (rights & ABI_RIGHT_READ)
		e |= PTE_USER | (rights & ABI_RIGHT_WRITE ? PTE_WRITE : 0);
	else
		e |= PTE_NX; /* SMEP and SMAP do not hold for it */
	e |= attr & ABI_VM_WRITE_THROUGH ? PTE_PWT : 0;
	e |= attr & ABI_VM_CACHE_DISABLED ? PTE_PCD : 0;
	if (level == PAGE_LEVEL)
		return attr & ABI_VM_PAT ? e | PTE_PAT_SMALL : e;
	return e | PTE_LARGE | (attr & ABI_VM_PAT && level == PAGE_LEVEL - 1 ? PTE_PAT_LARGE : 0);
}

void paging_set(pte_t *entry, pte_t value, asid_t asid, vptr_t vaddr, bool table)
{
	bool was = pte_is_valid(*entry);

	*(volatile pte_t *)entry = value;
	if (was)
		asid_flush(asid, vaddr, table);
}
