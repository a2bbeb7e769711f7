/*
 * A guest that executes an undefined instruction at EL1 without vectors: the
 * exception goes to address 0x200, where nothing is.
 */
#include "micro.h"

void micro_main(void)
{
	micro_print("micro: undef\n");
	__asm__ volatile("msr vbar_el1, xzr\n\tisb\n\tudf #0");
	micro_print("micro: still here\n");
}
