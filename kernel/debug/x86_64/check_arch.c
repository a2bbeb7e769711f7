/* Invariants of x86-64: live registers, FPU, address spaces. */
#include "check.h"

#include <abi/invocation.h>
#include <arch/boot.h>
#include <arch/cpu.h>
#include <arch/types.h>
#include <arch/vcpu.h>
#include <arch/vspace.h>
#include <kernel/cpu.h>

/* --- after each entry --- */

static paddr_t root_for(const struct tcb *t)
{
	struct cap c = t->slots[TCB_VSPACE].cap;

	return vspace_is_live(c) ? cap_addr(c) : asid_empty_root();
}

void check_arch_entry(const struct cpu *c)
{
	const struct tcb *t = c->current;
	word_t cr0 = CR_READ(0);

	INVARIANT("CR3 is the one loaded", c, (CR_READ(3) & PTE_ADDR) == c->arch.root);
	INVARIANT("FPU trap as noted", c, !(cr0 & CR0_TS) == c->arch.fpu_open);
	if (!t)
		return;
	INVARIANT("the thread's context is entered", t, c->arch.context == &t->arch.context);
	INVARIANT("a guest has a VCPU", t, !t->arch.vcpu || t->arch.vcpu->tcb == t);
	if (t->arch.guest) /* the kernel stays in the address space before */
		return;
	INVARIANT("its address space is loaded", t, c->arch.root == root_for(t));
	INVARIANT("FS and GS are its own", t, c->arch.bases_owner == t);
	INVARIANT("FPU open for its owner alone", t,
		  !c->arch.fpu_open ||
			  (c->arch.fpu_owner == &t->arch.fpu && !t->arch.fpu_disabled));
	INVARIANT("FPU attribute mirrored", t,
		  t->arch.fpu_disabled == (t->flags & ABI_TCB_FLAG_FPU_DISABLED));
	INVARIANT("RIP is canonical", t, is_canonical(t->arch.context.rip));
}

/* --- in a whole pass --- */

void check_arch_begin(void) {}

static void check_vspace(const struct slot *s)
{
	const pte_t *root = cap_object(s->cap);

	if (!vspace_is_live(s->cap))
		return;
	INVARIANT("an address space has the window", s,
		  root[ARCH_WINDOW_INDEX] == mmu_window_entry());
	for (unsigned i = 256; i < ARCH_WINDOW_INDEX; i++)
		INVARIANT("nothing else is in the upper half", s, !root[i]);
}

static void check_frame(const struct slot *s)
{
	paddr_t root = asid_space(cap_map_asid(s->cap), false);

	if (root)
		INVARIANT("a mapped frame is in the lower half", s,
			  cap_map_vaddr(s->cap) < ABI_USER_TOP);
}

void check_arch_cap(const struct slot *s)
{
	if (cap_type(s->cap) == CAP_VSPACE)
		check_vspace(s);
	else if (cap_type(s->cap) == CAP_FRAME && !cap_frame_is_in_ept(s->cap))
		check_frame(s);
}

void check_arch_end(void) {}
