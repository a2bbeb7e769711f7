/* A fixed amount of work, timed: how much of the processor others leave. */
#include "micro.h"

#define ROUNDS 50000000ull /* of two instructions */

void micro_main(void)
{
	uint64_t start = micro_us(), n = ROUNDS;

	__asm__ volatile("1: subs %0, %0, #1\n\t"
			 "b.ne 1b"
			 : "+r"(n)
			 :
			 : "cc");
	micro_print("meter: ");
	micro_print_number(micro_us() - start);
	micro_print(" us\n");
	micro_power_off();
}
