/*
 * Guests' memory: tables of the four levels that the ABI calls EPT. Under SVM
 * the hardware walks them as page tables of users. The leaf and table formats
 * are here; all else is the same for both.
 */
#include <arch/vcpu.h>
#include <arch/vspace.h>

#include <kernel/arch.h>
#include <kernel/invoke.h>

#define GPA_END (1ull << 48)
enum ept_type { EPT_UNCACHED = 0,
		EPT_COMBINING = 1,
		EPT_THROUGH = 4 };

/* Bits of a page table's entry for a memory type; whatever else: write-back. */
static pte_t memory_type(word_t attr, unsigned level)
{
	switch (attr) {
	case EPT_UNCACHED: return PTE_PCD | PTE_PWT;
	case EPT_COMBINING: return level == PAGE_LEVEL ? PTE_PAT_SMALL : PTE_PAT_LARGE;
	case EPT_THROUGH: return PTE_PWT;
	default: return 0;
	}
}

static pte_t make_leaf(paddr_t frame, unsigned level, word_t rights, word_t attr)
{
	return frame | PTE_PRESENT | PTE_USER | (rights & ABI_RIGHT_WRITE ? PTE_WRITE : 0) |
	       (level == PAGE_LEVEL ? 0 : PTE_LARGE) | memory_type(attr, level);
}

static void set(pte_t *entry, pte_t value)
{
	if (pte_is_valid(*entry))
		npt_changed();
	*(volatile pte_t *)entry = value;
}

static int check_root(struct invocation *inv, paddr_t *root)
{
	struct lookup_failure f = { ABI_LOOKUP_INVALID_ROOT, { 0 } };
	struct cap c = inv_extra(inv, 0);

	if (cap_type(c) != CAP_EPT_PML4)
		return inv_invalid_cap(inv, 1);
	*root = asid_ept_root(cap_map_asid(c));
	if (!*root)
		return inv_failed_lookup(inv, false, &f);
	return *root == cap_addr(c) ? ABI_OK : inv_invalid_cap(inv, 1);
}

static int missing(struct invocation *inv, unsigned level)
{
	struct lookup_failure f = { ABI_LOOKUP_MISSING_CAPABILITY, { level_bits(level) } };

	return inv_failed_lookup(inv, false, &f);
}

/* --- frames: gpa, rights, attr; EPT PML4 --- */
int ept_frame_map(struct invocation *inv)
{
	word_t gpa = inv_arg(inv, 0) & ~((1ull << ABI_PAGE_BITS) - 1);
	unsigned level = PAGE_LEVEL - (unsigned)cap_frame_size(inv->cap);
	paddr_t root;

	if (cap_map_asid(inv->cap) || cap_frame_size(inv->cap) == FRAME_HUGE)
		return inv_invalid_cap(inv, 0);
	int error = check_root(inv, &root);
	if (error)
		return error;
	if (gpa >= GPA_END)
		return inv_invalid_argument(inv, 0);
	if (gpa & ((1ull << level_bits(level)) - 1))
		return ABI_ALIGNMENT_ERROR;
	struct pte_ref at = paging_walk(root, gpa, level);
	if (at.level != level)
		return pte_is_valid(*at.entry) ? ABI_DELETE_FIRST : missing(inv, at.level);
	if (pte_is_valid(*at.entry))
		return ABI_DELETE_FIRST;

	word_t rights = cap_frame_rights(inv->cap) & inv_arg(inv, 1);
	set(at.entry, make_leaf(cap_addr(inv->cap), level, rights, inv_arg(inv, 2)));
	word_t place = cap_map_word(gpa, cap_map_asid(inv_extra(inv, 0)));
	inv->slot->cap = cap_frame_in_ept(inv->cap, place);
	return ABI_OK;
}

void ept_frame_unmap(struct cap c)
{
	paddr_t root = asid_ept_root(cap_map_asid(c));
	unsigned level = PAGE_LEVEL - (unsigned)cap_frame_size(c);

	if (!root)
		return;
	struct pte_ref at = paging_walk(root, cap_map_vaddr(c), level);
	if (at.level == level && pte_is_valid(*at.entry) && !pte_is_table(*at.entry, level) &&
	    pte_addr(*at.entry, level) == cap_addr(c))
		set(at.entry, 0);
}

/* --- tables --- */
unsigned ept_table_level(enum cap_type type)
{
	switch (type) {
	case CAP_EPT_PDPT: return 1;
	case CAP_EPT_PD: return 2;
	case CAP_EPT_PT: return 3;
	default: return 0;
	}
}

/* gpa, attr (which means nothing); EPT PML4 */
static int map(struct invocation *inv)
{
	unsigned above = ept_table_level(cap_type(inv->cap)) - 1;
	word_t gpa = inv_arg(inv, 0) & ~((1ull << level_bits(above)) - 1);
	paddr_t root;

	if (cap_map_asid(inv->cap))
		return inv_invalid_cap(inv, 0);
	int error = check_root(inv, &root);
	if (error)
		return error;
	if (gpa >= GPA_END)
		return inv_invalid_argument(inv, 0);
	struct pte_ref at = paging_walk(root, gpa, above);
	if (at.level != above)
		return missing(inv, at.level);
	if (pte_is_valid(*at.entry))
		return ABI_DELETE_FIRST;
	set(at.entry, pte_make_table(cap_addr(inv->cap)));
	inv->slot->cap.w1 = cap_map_word(gpa, cap_map_asid(inv_extra(inv, 0)));
	return ABI_OK;
}

void ept_table_unmap(struct cap c)
{
	paddr_t root = asid_ept_root(cap_map_asid(c));
	unsigned above = ept_table_level(cap_type(c)) - 1;

	if (!root)
		return;
	struct pte_ref at = paging_walk(root, cap_map_vaddr(c), above);
	if (at.level == above && pte_is_table(*at.entry, above) &&
	    (*at.entry & PTE_ADDR) == cap_addr(c))
		set(at.entry, 0);
}

static int unmap(struct invocation *inv)
{
	if (!slot_is_final(inv->slot))
		return ABI_REVOKE_FIRST;
	if (cap_map_asid(inv->cap)) {
		ept_table_unmap(inv->cap);
		arch_clear_memory(cap_object(inv->cap), 1ull << ABI_PAGE_TABLE_BITS);
	}
	inv->slot->cap.w1 = 0;
	return ABI_OK;
}

int ept_table_invoke(struct invocation *inv)
{
	switch (inv->label) {
	case ABI_INV_X86_EPT_PDPT_MAP:
	case ABI_INV_X86_EPT_PD_MAP:
	case ABI_INV_X86_EPT_PT_MAP: return map(inv);
	default: return unmap(inv);
	}
}

/* TCB_SetEPTRoot: EPT PML4 */
int ept_set_root(struct invocation *inv)
{
	struct tcb *t = cap_object(inv->cap);
	struct cap c = inv_extra(inv, 0);

	if (cap_type(c) != CAP_EPT_PML4 || !cap_map_asid(c) ||
	    asid_ept_root(cap_map_asid(c)) != cap_addr(c))
		return ABI_ILLEGAL_OPERATION;
	hidden_slot_set(&t->arch.ept, c, inv->extra[0]);
	npt_changed();
	return ABI_OK;
}
