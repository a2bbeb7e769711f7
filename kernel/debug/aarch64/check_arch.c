/* Invariants of AArch64: live registers, vCPUs, FPU, ASIDs, page tables. */
#include "check.h"

#include <abi/ext.h>
#include <arch/gic.h>
#include <arch/sysreg.h>
#include <arch/types.h>
#include <arch/vcpu.h>
#include <arch/vspace.h>
#include <kernel/cpu.h>

#define MDCR_TDE (1ull << 8)
#define PTE_WRITE (1ull << 7)
#define PTE_READ (1ull << 6)

static word_t leaves, vouched; /* of a whole pass */

/* --- after each entry --- */

/* What acts on EL0, with a native thread next (DESIGN 3). */
static void check_native_registers(const struct tcb *t)
{
	word_t timer = t->arch.needs & ARCH_TIMER ? CNTKCTL_EL0PTEN : 0;

	INVARIANT("native: HCR_EL2", t, SYSREG_READ(hcr_el2) == HCR_NATIVE);
	INVARIANT("native: SCTLR_EL1", t, SYSREG_READ(sctlr_el1) == SCTLR_EL1_NATIVE);
	INVARIANT("native: TCR_EL1", t, SYSREG_READ(tcr_el1) == 0);
	INVARIANT("native: CPACR_EL1", t, SYSREG_READ(cpacr_el1) == CPACR_NATIVE);
	INVARIANT("native: CNTKCTL_EL1", t,
		  SYSREG_READ(cntkctl_el1) == (arch_cpu()->cntkctl | timer));
	INVARIANT("native: CNTHCTL_EL2", t, SYSREG_READ(cnthctl_el2) == CNTHCTL_NATIVE);
	INVARIANT("native: CNTVOFF_EL2", t, SYSREG_READ(cntvoff_el2) == 0);
	INVARIANT("native: CNTV_CTL_EL0", t, (SYSREG_READ(cntv_ctl_el0) & 1) == 0);
	INVARIANT("native: MDSCR_EL1", t, SYSREG_READ(mdscr_el1) == 0);
	INVARIANT("native: MDCR_EL2", t, !(SYSREG_READ(mdcr_el2) & MDCR_TDE));
	INVARIANT("native: TPIDRRO_EL0", t,
		  SYSREG_READ(tpidrro_el0) == t->arch.context.tpidrro_el0);
	INVARIANT("native: mode of EL0", t, (t->arch.context.spsr & SPSR_MODE_MASK) == SPSR_EL0T);
}

/* Of those set aside for direct interrupts the timer's is linked to its own. */
static void check_lr(const struct vcpu *v, unsigned i, uint64_t lr)
{
	bool timer = v->direct.lrs && i >= direct_user_lrs(v) && (lr & LR_HW) &&
		     (lr >> 32 & 0x3ff) == PPI_VIRTUAL_TIMER;

	INVARIANT("list register: nothing physical", v, timer || !(lr & ~LR_USER_MASK));
}

static void check_guest_registers(const struct vcpu *v)
{
	word_t hcr = SYSREG_READ(hcr_el2);
	/* TLOR and TERR read as zero where there is nothing to trap. */
	word_t must = HCR_GUEST & ~(HCR_RW | HCR_TLOR | HCR_TERR);

	INVARIANT("guest: HCR_EL2", v, (hcr & must) == must);
	INVARIANT("guest: width", v, (hcr & HCR_RW) == (v->hcr & HCR_RW));
	INVARIANT("guest: no TGE", v, !(hcr & HCR_TGE));
	INVARIANT("guest: CNTHCTL_EL2", v, SYSREG_READ(cnthctl_el2) == CNTHCTL_GUEST);
	INVARIANT("guest: timer masked at the GIC", v,
		  v->vtimer_masked == arch_cpu()->vtimer_masked);
	for (unsigned i = 0; i < vgic_lr_count(); i++)
		check_lr(v, i, vgic_read_lr(i));
}

static void check_facilities(const struct arch_cpu *cpu, const struct tcb *t)
{
	bool fpu = cpu->fpu_owner == t && !t->arch.fpu_disabled;

	INVARIANT("FPU: open to its owner alone", t, ((cpu->holds & ARCH_FPU) != 0) == fpu);
	INVARIANT("FPU: needed by its owner alone", t, ((t->arch.needs & ARCH_FPU) != 0) == fpu);
	INVARIANT("FPU: CPTR_EL2", t, ((SYSREG_READ(cptr_el2) & CPTR_TFP) == 0) == fpu);
	INVARIANT("guest: live with its thread", t,
		  arch_guest_live(cpu) == (t->arch.vcpu != NULL) &&
			  (!t->arch.vcpu || cpu->el1_owner == t->arch.vcpu));
	INVARIANT("guest: needed with a vCPU", t,
		  ((t->arch.needs & ARCH_VCPU) != 0) == (t->arch.vcpu != NULL));
}

static void check_space(const struct arch_cpu *cpu, const struct tcb *t)
{
	struct cap c = t->slots[TCB_VSPACE].cap;

	INVARIANT("address space: VTTBR_EL2", t, SYSREG_READ(vttbr_el2) == cpu->vttbr);
	if (vspace_is_live(c))
		INVARIANT("address space: the thread's own", t,
			  (cpu->vttbr & ASID_ROOT) == cap_addr(c));
}

void check_arch_entry(const struct cpu *c)
{
	const struct arch_cpu *cpu = &c->arch;
	const struct tcb *t = c->current;

	if (!t)
		return;
	check_facilities(cpu, t);
	check_space(cpu, t);
	if (t->arch.vcpu)
		check_guest_registers(t->arch.vcpu);
	else
		check_native_registers(t);
}

/* --- in a whole pass --- */

void check_arch_begin(void) { leaves = vouched = 0; }

static void check_vcpu(const struct vcpu *v)
{
	INVARIANT("vCPU: its thread", v, !v->tcb || v->tcb->arch.vcpu == v);
	INVARIANT("vCPU: without a first use nothing is set", v,
		  v->id || (!v->tcb && !v->hcr && !v->direct.next && !v->n_bells));
	if (!v->id)
		return;
	INVARIANT("vCPU: its HCR_EL2", v,
		  (v->hcr & ~(ABI_EXT_TRAP_MASK | HCR_RW)) == (HCR_GUEST & ~HCR_RW));
	INVARIANT("vCPU: ICH_HCR_EL2", v,
		  (v->vgic.hcr & ICH_HCR_EN) && !(v->vgic.hcr & ~(ICH_HCR_EN | ICH_HCR_USER_MASK)));
	if (arch_cpu()->el1_owner != v)
		for (unsigned i = 0; i < VGIC_LRS; i++)
			check_lr(v, i, v->vgic.lr[i]);
}

/* The table entry that a mapped frame capability accounts for. */
static void vouch(struct cap c)
{
	asid_t asid = cap_map_asid(c);
	unsigned level = PAGE_LEVEL - (unsigned)cap_frame_size(c);
	paddr_t root = asid_root(asid);
	struct pte_ref at;
	word_t need;

	if (!root)
		return;
	at = stage2_walk(root, cap_map_vaddr(c), level);
	if (at.level != level || !pte_is_valid(*at.entry) || pte_is_table(*at.entry, level) ||
	    pte_addr(*at.entry) != cap_addr(c))
		return; /* another one has been mapped there since */
	need = (*at.entry & PTE_READ ? ABI_RIGHT_READ : 0) |
	       (*at.entry & PTE_WRITE ? ABI_RIGHT_WRITE : 0);
	if (need & ~cap_frame_rights(c))
		return;
	if (set_add(SET_MAPPING, ptr_to_paddr(at.entry)))
		vouched++;
}

/* What a switch to the thread would load without looking it up. */
static void check_cached_space(struct tcb *t)
{
	struct cap c = t->slots[TCB_VSPACE].cap;
	const word_t *e;

	if (t->arch.vspace != c.w0 || t->arch.asid_generation != arch_cpu()->asid_generation ||
	    t->arch.vttbr == asid_empty_vttbr())
		return;
	INVARIANT("address space: known one is live", t, vspace_is_live(c));
	e = &asid_pools[cap_map_asid(c) >> ABI_ASID_POOL_INDEX_BITS]
		     ->entry[cap_map_asid(c) & ((1u << ABI_ASID_POOL_INDEX_BITS) - 1)];
	INVARIANT("address space: known one is right", t,
		  t->arch.vttbr == ((*e & ASID_ROOT) | (*e & ASID_VMID) << 48) &&
			  (*e & ASID_HAS_VMID));
}

void check_arch_cap(const struct slot *s)
{
	if (cap_type(s->cap) == CAP_TCB)
		check_cached_space(cap_object(s->cap));
	else if (cap_type(s->cap) == CAP_FRAME)
		vouch(s->cap);
	else if (cap_type(s->cap) == CAP_VCPU)
		check_vcpu(cap_object(s->cap));
}

static bool exists(enum cap_type type, const void *object)
{
	return set_has(SET_OBJECT, object_key(type, object));
}

/* A table's entries; false: `at` has passed its end. */
static void check_tables(paddr_t root)
{
	struct {
		const pte_t *table;
		unsigned at, count;
	} level[PAGE_LEVEL + 1];
	unsigned l = ROOT_LEVEL;

	level[l].table = paddr_to_ptr(root);
	level[l].at = 0;
	level[l].count = ROOT_ENTRIES;
	for (;;) {
		if (level[l].at == level[l].count) {
			if (l-- == ROOT_LEVEL)
				return;
			continue;
		}
		pte_t e = level[l].table[level[l].at++];
		if (!pte_is_valid(e))
			continue;
		if (!pte_is_table(e, l)) {
			leaves++;
			continue;
		}
		const void *table = paddr_to_ptr(pte_addr(e));
		INVARIANT("page table: somebody's object", table, exists(CAP_PAGE_TABLE, table));
		INVARIANT("page table: in one place", table,
			  set_add(SET_TABLE, ptr_to_paddr(table)));
		l++;
		level[l].table = table;
		level[l].at = 0;
		level[l].count = 1u << ABI_PT_INDEX_BITS;
	}
}

static void check_asid(asid_t asid, word_t entry)
{
	const void *root = paddr_to_ptr(entry & ASID_ROOT);
	unsigned vmid = entry & ASID_VMID;

	INVARIANT("ASID: leads to an address space", root, exists(CAP_VSPACE, root));
	INVARIANT("ASID: address space has one", root, set_add(SET_TABLE, ptr_to_paddr(root)));
	if (entry & ASID_HAS_VMID)
		INVARIANT("VMID: lent to this ASID", root, vmid && vmid_asid[vmid] == asid);
	else
		INVARIANT("VMID: none", root, vmid == 0);
	check_tables(ptr_to_paddr(root));
}

static void check_asids(void)
{
	for (unsigned p = 0; p < ABI_ASID_POOLS; p++) {
		const struct asid_pool *pool = asid_pools[p];

		if (!pool)
			continue;
		INVARIANT("ASID pool: somebody's object", pool, exists(CAP_ASID_POOL, pool));
		for (unsigned i = 0; i < 1u << ABI_ASID_POOL_INDEX_BITS; i++)
			if (pool->entry[i])
				check_asid((asid_t)(p << ABI_ASID_POOL_INDEX_BITS | i),
					   pool->entry[i]);
	}
	for (unsigned v = 0; v < VMIDS; v++) {
		const word_t *e;

		if (!vmid_asid[v])
			continue;
		e = &asid_pools[vmid_asid[v] >> ABI_ASID_POOL_INDEX_BITS]
			     ->entry[vmid_asid[v] & ((1u << ABI_ASID_POOL_INDEX_BITS) - 1)];
		INVARIANT("VMID: its ASID has it", e,
			  (*e & ASID_HAS_VMID) && (*e & ASID_VMID) == v);
	}
}

void check_arch_end(void)
{
	const struct arch_cpu *cpu = arch_cpu();
	const void *root = paddr_to_ptr(cpu->vttbr & ASID_ROOT);

	INVARIANT("FPU: owner exists", cpu->fpu_owner,
		  !cpu->fpu_owner || exists(CAP_TCB, cpu->fpu_owner));
	INVARIANT("vCPU: owner of EL1 exists", cpu->el1_owner,
		  !cpu->el1_owner || exists(CAP_VCPU, cpu->el1_owner));
	INVARIANT("address space: live or empty", root,
		  ptr_to_paddr(root) == asid_empty_vttbr() || exists(CAP_VSPACE, root));
	check_asids();
	INVARIANT("page table: every entry has a capability", cpu, leaves == vouched);
}
