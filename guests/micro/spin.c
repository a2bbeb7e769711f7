/* A guest that never gives up its processor: all interrupts masked, a loop. */
#include "micro.h"

void micro_main(void)
{
	__asm__ volatile("msr daifset, #15");
	micro_print("micro: spin\n");
	for (;;)
		__asm__ volatile("");
}
