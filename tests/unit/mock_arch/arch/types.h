/* An architecture for the host: enough to run the kernel's portable core. */
#pragma once

#include <abi/regs.h>
#include <kernel/types.h>

#define ARCH_IRQ_COUNT 64

struct arch_tcb {
	word_t regs[ABI_CTX_COUNT];
	word_t pc, restart_pc;
};

struct arch_cpu {
	int unused;
};
