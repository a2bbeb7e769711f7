/* What a VM of x86-64 is beside what every VM is (vm.h). */
#pragma once

#include "../../board/pc.h"

#include <x86.h>

/* clang-format off */
#define VM_VCPU_ARCH_STATE                                                       \
	bool window;           /* the kernel tells when it takes interrupts */   \
	bool given;            /* the event thread has given it a vector */      \
	struct x86_cache insn; /* decoded ones: page_exit.c */

#define VM_ARCH_STATE                                                            \
	struct pc pc;
/* clang-format on */
