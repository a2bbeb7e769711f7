/*
 * Breaks each invariant of check_arch.c, to prove that it is checked: a test
 * boots a kernel whose `invariant_damage` has been set in the image, and waits
 * for the panic. Each kind waits until there is something to damage.
 */
#include "check.h"

#include <abi/invocation.h>
#include <arch/cpu.h>
#include <arch/types.h>
#include <arch/vcpu.h>
#include <arch/vspace.h>
#include <kernel/cpu.h>
#include <kernel/debug.h>

#define UPPER_HALF 256
#define PTE_FREE (1ull << 9) /* the hardware ignores it */

volatile unsigned invariant_damage __attribute__((section(".data"))) = 0;

static pte_t *live_root(void) { return paddr_to_ptr(this_cpu()->arch.root); }

static void damage_user(unsigned kind, struct tcb *t)
{
	struct arch_cpu *c = &this_cpu()->arch;

	switch (kind) {
	case 1:
		CR_WRITE(3, asid_empty_root());
		break;
	case 2:
		c->fpu_open = !c->fpu_open;
		break;
	case 3:
		c->context = NULL;
		break;
	case 4:
		asid_load(asid_empty_root(), 0);
		break;
	case 5:
		c->bases_owner = NULL;
		break;
	case 6:
		__asm__ volatile("clts");
		c->fpu_open = true;
		c->fpu_owner = NULL;
		break;
	case 7:
		t->flags ^= ABI_TCB_FLAG_FPU_DISABLED;
		break;
	case 8:
		t->arch.context.rip = 1ull << 47;
		break;
	case 9:
		live_root()[ARCH_WINDOW_INDEX] ^= PTE_FREE;
		break;
	case 10:
		live_root()[UPPER_HALF] = PTE_FREE;
		break;
	case 11:
		t->slots[TCB_IPC_BUFFER].cap.w1 =
			cap_map_word(1ull << 47, cap_map_asid(t->slots[TCB_VSPACE].cap));
		break;
	}
}

void damage_arch(void)
{
	static struct tcb nobody;
	struct tcb *t = this_cpu()->current;

	if (!invariant_damage || !t)
		return;
	if (invariant_damage < 40 && !t->arch.guest)
		damage_user(invariant_damage, t);
	else if (invariant_damage == 40 && t->arch.vcpu)
		t->arch.vcpu->tcb = &nobody;
	else
		return;
	invariant_damage = 0;
	invariants_every = 1;
}
