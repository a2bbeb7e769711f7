/*
 * Memory that a guest's balloon gives back: large pages of its RAM that are blocks of their
 * own. Each goes back to init, is there for others, and comes again when there is memory
 * for it; nobody is promised that.
 */
#pragma once

#include "process.h"

/* Whether the VM's region can be given back: it has a balloon, and nobody else has the
 * memory, by another address either. */
bool balloon_suits(const struct sysdesc_vm *vm, unsigned index, uint32_t region);
/* Makes the large page at the address, for the guest and for its monitor; its frame, or 0: out
 * of memory. *kept: it cannot be given back, and was not made; there are too many. */
cap_t balloon_page(struct process *p, unsigned vm, cap_t guest, uint64_t gpa, uint64_t vaddr,
		   bool *kept);

/* The monitor's word that the guest uses nothing of it any more. False: it is none such, or
 * the VM gives too many; then its monitor hears when it may again (VMM_NTFN_INIT). */
bool balloon_give(unsigned vm, uint64_t gpa);
/* It is to be there again. False: there is no memory now; the monitor hears when others gave
 * some back (VMM_NTFN_INIT). */
bool balloon_fetch(unsigned vm, uint64_t gpa);
/* Memory came back: those hear of it that wait for some. */
void balloon_retry(void);
/* When a VM is to hear that it may give again, in ticks; UINT64_MAX: none is. */
uint64_t balloon_due(void);
/* Those hear it whose time has come. */
void balloon_tell_due(void);
/* The VM ends. */
void balloon_end(unsigned vm);
