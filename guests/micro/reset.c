/* A guest that resets its machine at once, for ever. */
#include "micro.h"

#define PSCI_SYSTEM_RESET 0x84000009ull

void micro_main(void)
{
	micro_print("micro: reset\n");
	__asm__ volatile("mov x0, %0\n\thvc #0"
			 :
			 : "r"(PSCI_SYSTEM_RESET)
			 : "x0", "x1", "x2", "x3", "memory");
	micro_print("micro: still here\n");
}
