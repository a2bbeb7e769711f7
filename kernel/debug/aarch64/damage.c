/*
 * Breaks each invariant of check_arch.c, to prove that it is checked: a test
 * boots a kernel whose `invariant_damage` has been set in the image, and waits
 * for the panic. Each kind waits until there is something to damage.
 */
#include "check.h"

#include <arch/gic.h>
#include <arch/sysreg.h>
#include <arch/types.h>
#include <arch/vcpu.h>
#include <arch/vspace.h>
#include <kernel/cpu.h>
#include <kernel/debug.h>

#define PTE_WRITE (1ull << 7)

volatile unsigned invariant_damage __attribute__((section(".data"))) = 0;

/* The page-table entry of an address in the current address space. */
static pte_t *entry_of(vptr_t vaddr)
{
	return stage2_walk(arch_cpu()->vttbr & ASID_ROOT, vaddr, PAGE_LEVEL).entry;
}

static pte_t *entry_of_pc(const struct tcb *t) { return entry_of(t->arch.context.elr); }

/* An invalid entry beside that of the program counter. */
static pte_t *gap_beside_pc(const struct tcb *t)
{
	pte_t *table = paddr_to_ptr(ptr_to_paddr(entry_of_pc(t)) & ~0xfffull);

	for (unsigned i = 0; i < 1u << ABI_PT_INDEX_BITS; i++)
		if (!pte_is_valid(table[i]))
			return &table[i];
	panic("damage: a full table");
}

static void damage_native(unsigned kind, struct tcb *t)
{
	switch (kind) {
	case 1:
		SYSREG_WRITE(sctlr_el1, SCTLR_EL1_NATIVE & ~(1ull << 15));
		break;
	case 2:
		SYSREG_WRITE(cpacr_el1, 0);
		break;
	case 3:
		SYSREG_WRITE(cntkctl_el1, 0);
		break;
	case 4:
		SYSREG_WRITE(cnthctl_el2, CNTHCTL_GUEST);
		break;
	case 5:
		SYSREG_WRITE(cntvoff_el2, 16);
		break;
	case 6:
		SYSREG_WRITE(cntv_ctl_el0, 3);
		break;
	case 7:
		SYSREG_WRITE(mdscr_el1, 1ull << 12);
		break;
	case 8:
		t->arch.context.spsr = SPSR_EL1H;
		break;
	case 9:
		SYSREG_WRITE(hcr_el2, HCR_NATIVE & ~HCR_TGE);
		break;
	case 10:
		SYSREG_WRITE(tpidrro_el0, t->arch.context.tpidrro_el0 + 1);
		break;
	case 11:
		arch_cpu()->holds |= ARCH_VCPU;
		break;
	case 12:
		arch_cpu()->holds |= ARCH_FPU;
		break;
	case 13:
		SYSREG_WRITE(cptr_el2, CPTR_BASE);
		break;
	case 14:
		SYSREG_WRITE(vttbr_el2, asid_empty_vttbr());
		break;
	case 15:
		asid_load_vttbr(asid_empty_vttbr());
		break;
	case 16:
		arch_cpu()->el1_owner = (struct vcpu *)(uintptr_t)t;
		break;
	case 17: /* a page that nobody has a capability for */
		*gap_beside_pc(t) = *entry_of_pc(t);
		break;
	case 18: /* a table that is nobody's object */
		((pte_t *)paddr_to_ptr(arch_cpu()->vttbr & ASID_ROOT))[ROOT_ENTRIES - 1] =
			pte_make_table(0x60000000);
		break;
	case 19:
		vmid_asid[200] = 1;
		break;
	case 20:
		asid_pools[1] = asid_pools[0] + 1;
		break;
	case 21:
		asid_pools[0]->entry[500] = 0x60000000;
		break;
	case 22:
		asid_pools[0]->entry[500] = asid_pools[0]->entry[1];
		break;
	case 23:
		asid_pools[0]->entry[1] ^= ASID_HAS_VMID;
		break;
	case 25:
		t->arch.needs |= ARCH_FPU;
		break;
	case 26:
		t->arch.needs |= ARCH_VCPU;
		break;
	case 27:
		t->arch.vttbr ^= 1ull << 48;
		break;
	case 28:
		t->slots[TCB_VSPACE].cap.w1 = 7;
		break;
	case 24:
		SYSREG_WRITE(mdcr_el2, SYSREG_READ(mdcr_el2) | 1ull << 8);
		break;
	}
}

static void damage_guest(unsigned kind, struct vcpu *v)
{
	static struct tcb nobody;

	switch (kind) {
	case 40:
		SYSREG_WRITE(hcr_el2, HCR_GUEST & ~HCR_TWI);
		break;
	case 41:
		SYSREG_WRITE(cnthctl_el2, CNTHCTL_NATIVE);
		break;
	case 42:
		arch_cpu()->vtimer_masked = !v->vtimer_masked;
		break;
	case 43:
		vgic_write_lr(0, LR_HW | 40);
		break;
	case 44:
		v->tcb = &nobody;
		break;
	case 45:
		v->hcr |= HCR_TGE;
		break;
	case 46:
		v->vgic.hcr = 0;
		break;
	case 47:
		SYSREG_WRITE(hcr_el2, HCR_GUEST | HCR_TGE);
		break;
	case 48:
		v->hcr ^= HCR_RW;
		break;
	}
}

void damage_arch(void)
{
	struct tcb *t = this_cpu()->current;

	if (!invariant_damage || !t)
		return;
	if (invariant_damage < 40 && !t->arch.vcpu)
		damage_native(invariant_damage, t);
	else if (invariant_damage >= 40 && t->arch.vcpu)
		damage_guest(invariant_damage, t->arch.vcpu);
	else
		return;
	invariant_damage = 0;
	invariants_every = 1;
}
