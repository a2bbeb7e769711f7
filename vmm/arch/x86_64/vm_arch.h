/* What a VM of x86-64 is beside what every VM is (vm.h). */
#pragma once

#include "../../board/pc.h"

#include <x86.h>

/* Of a vCPU that a debugger has (debug_arch.c). */
struct vm_debug {
	bool planted;   /* RFLAGS.TF is ours ... */
	bool leaked;    /* ... or was when an exception put it on the guest's stack */
	bool pushes;    /* the instruction that is stepped is PUSHF */
	bool owned;     /* DR0 to DR3 and DR7 are ours */
	uint64_t dr[5]; /* the guest's, then */
};

/* clang-format off */
#define VM_VCPU_ARCH_STATE                                                       \
	bool window;           /* the kernel tells when it takes interrupts */   \
	bool holds_irqs;       /* it gets none now ... */                        \
	uint64_t held_irq;     /* ... and this was VCPU_IRQ */                   \
	struct vm_debug debug;                                                   \
	struct x86_cache insn; /* decoded ones: page_exit.c */

#define VM_ARCH_STATE                                                            \
	struct pc pc;
/* clang-format on */
