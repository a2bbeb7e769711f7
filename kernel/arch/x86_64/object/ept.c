/*
 * Guests' memory: tables of the four levels that the ABI calls EPT. Under SVM
 * the hardware walks them as page tables of users. Leaves differ in the memory
 * type only: present is readable there, and "of users" executable.
 */
#include <arch/vcpu.h>
#include <arch/vspace.h>

#include <kernel/invoke.h>

enum ept_type { EPT_UNCACHED = 0,
		EPT_COMBINING = 1,
		EPT_THROUGH = 4,
		EPT_BACK = 6 };
#define EPT_TYPE_SHIFT 3

/* Bits of an entry for a memory type; whatever else: write-back. */
static pte_t memory_type(word_t attr, unsigned level)
{
	static const pte_t svm[] = { PTE_PCD | PTE_PWT, 0, 0, 0, PTE_PWT, 0, 0 };

	if (attr != EPT_UNCACHED && attr != EPT_COMBINING && attr != EPT_THROUGH)
		attr = EPT_BACK;
	if (vmx_on)
		return attr << EPT_TYPE_SHIFT;
	if (attr == EPT_COMBINING)
		return level == PAGE_LEVEL ? PTE_PAT_SMALL : PTE_PAT_LARGE;
	return svm[attr];
}

pte_t ept_make_leaf(paddr_t frame, unsigned level, word_t rights, word_t attr)
{
	pte_t all = frame | PTE_PRESENT | PTE_USER | (rights & ABI_RIGHT_WRITE ? PTE_WRITE : 0) |
		    (level == PAGE_LEVEL ? 0 : PTE_LARGE) | memory_type(attr, level);
	return rights & ABI_RIGHT_READ ? all : 0; /* no processor knows to write alone */
}

/* TCB_SetEPTRoot: EPT PML4 */
int ept_set_root(struct invocation *inv)
{
	struct tcb *t = cap_object(inv->cap);
	struct cap c = inv_extra(inv, 0);

	if (cap_type(c) != CAP_EPT_PML4 || asid_space(cap_map_asid(c), true) != cap_addr(c))
		return ABI_ILLEGAL_OPERATION;
	hidden_slot_set(&t->arch.ept, c, inv->extra[0]);
	npt_changed();
	return ABI_OK;
}
