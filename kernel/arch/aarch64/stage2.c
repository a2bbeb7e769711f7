/* Stage-2 tables, 4 KiB granule (Arm ARM D5.3.3, D5.4). */
#include <arch/vspace.h>

#include <arch/sysreg.h>
#include <kernel/panic.h>

#define PTE_VALID 1ull
#define PTE_TABLE 3ull
#define PTE_BLOCK 1ull
#define PTE_PAGE 3ull
#define PTE_MEM_NORMAL (0xfull << 2) /* write-back, inner and outer */
#define PTE_MEM_DEVICE_NGNRE (0x1ull << 2)
#define PTE_READ (1ull << 6)
#define PTE_WRITE (1ull << 7)
#define PTE_INNER_SHAREABLE (3ull << 8)
#define PTE_AF (1ull << 10)
#define PTE_XN (1ull << 54)
#define PTE_ADDR 0x0000fffffffff000ull

unsigned level_bits(unsigned level)
{
	return ABI_PAGE_BITS + ABI_PT_INDEX_BITS * (PAGE_LEVEL - level);
}

static word_t level_index(vptr_t vaddr, unsigned level)
{
	word_t index = vaddr >> level_bits(level);

	return level == ROOT_LEVEL ? index & (ROOT_ENTRIES - 1)
				   : index & ((1u << ABI_PT_INDEX_BITS) - 1);
}

bool pte_is_valid(pte_t e) { return e & PTE_VALID; }
paddr_t pte_addr(pte_t e) { return e & PTE_ADDR; }
pte_t pte_make_table(paddr_t table) { return table | PTE_TABLE; }

bool pte_is_table(pte_t e, unsigned level)
{
	return level < PAGE_LEVEL && (e & PTE_TABLE) == PTE_TABLE;
}

struct pte_ref stage2_walk(paddr_t root, vptr_t vaddr, unsigned level)
{
	struct pte_ref r = { (pte_t *)paddr_to_ptr(root) + level_index(vaddr, ROOT_LEVEL),
			     ROOT_LEVEL };

	while (r.level < level && pte_is_table(*r.entry, r.level)) {
		pte_t *table = paddr_to_ptr(pte_addr(*r.entry));
		r.level++;
		r.entry = table + level_index(vaddr, r.level);
	}
	return r;
}

pte_t pte_make_leaf(paddr_t frame, unsigned level, word_t rights, word_t attr)
{
	pte_t e = frame | (level == PAGE_LEVEL ? PTE_PAGE : PTE_BLOCK) | PTE_AF |
		  PTE_INNER_SHAREABLE;

	e |= attr & ABI_VM_CACHEABLE ? PTE_MEM_NORMAL : PTE_MEM_DEVICE_NGNRE;
	/* Write without read is no access, as in seL4. */
	if (rights & ABI_RIGHT_READ)
		e |= PTE_READ | (rights & ABI_RIGHT_WRITE ? PTE_WRITE : 0);
	return attr & ABI_VM_EXECUTE_NEVER ? e | PTE_XN : e;
}

void stage2_set(pte_t *entry, pte_t value, asid_t asid)
{
	volatile pte_t *e = entry;

	if (pte_is_valid(*e)) {
		*e = 0;
		dsb_ishst();
		asid_flush(asid);
	}
	*e = value;
	/* The table walker sees it before any later access; the return to
	 * the user synchronises the context. */
	dsb_ishst();
}

/* ID_AA64MMFR0_EL1.PARange to bits. */
static unsigned physical_bits(void)
{
	static const uint8_t bits[] = { 32, 36, 40, 42, 44, 48, 52 };
	word_t range = SYSREG_READ(id_aa64mmfr0_el1) & 15;

	return range < sizeof(bits) ? bits[range] : 52;
}

word_t stage2_vtcr(void)
{
	word_t ps = SELVAGE_PA_BITS == 44 ? 4 : 2;
	word_t sl0 = 2 - ROOT_LEVEL;

	if (physical_bits() < SELVAGE_PA_BITS)
		panic("this CPU has %u physical address bits; configuration " ABI_CONFIG_NAME
		      " needs %u (rebuild with CONFIG=pa40)",
		      physical_bits(), SELVAGE_PA_BITS);
	/* RES1, PS, 4 KiB, inner shareable, write-back, start level, T0SZ. */
	return 1ull << 31 | ps << 16 | 3ull << 12 | 1ull << 10 | 1ull << 8 | sl0 << 6 |
	       (64 - SELVAGE_PA_BITS);
}
