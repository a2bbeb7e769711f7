/* Floating point by the x87, whose registers a task has to itself: sums that stay
 * there while other tasks run. */
#include "app.h"

#define TERMS 4000u

bool fpu_work(unsigned seed)
{
	uint32_t whole = 0;
	double sum = 0.0;

	for (unsigned i = 0; i < TERMS; i++) {
		whole += seed + i;
		sum += (double)(int)(seed + i);
		/* In a register of the FPU, whatever interrupts. */
		__asm__ volatile(""
				 : "+t"(sum));
	}
	return sum == (double)(int)whole;
}
