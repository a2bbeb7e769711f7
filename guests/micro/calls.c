/*
 * A guest that makes random hypercalls and secure monitor calls, with seL4
 * system-call numbers in x7 among them, and none that PSCI would act on.
 */
#include "micro.h"

#define ROUNDS 5000u

static void call(uint64_t function, uint64_t x7, int smc)
{
	register uint64_t a0 __asm__("x0") = function;
	register uint64_t a1 __asm__("x1") = micro_random();
	register uint64_t a2 __asm__("x2") = micro_random();
	register uint64_t a3 __asm__("x3") = micro_random();
	register uint64_t a7 __asm__("x7") = x7;

	if (smc)
		__asm__ volatile("smc #0"
				 : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3), "+r"(a7));
	else
		__asm__ volatile("hvc #0"
				 : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3), "+r"(a7));
}

/* Exceptions (a forbidden SMC may be undefined) skip the instruction. */
__asm__(".section .text\n"
	".balign 2048\n"
	"vectors:\n"
	".rept 16\n"
	".balign 128\n"
	"stp x0, x1, [sp, #-16]!\n"
	"mrs x0, elr_el1\n"
	"add x0, x0, #4\n"
	"msr elr_el1, x0\n"
	"ldp x0, x1, [sp], #16\n"
	"eret\n"
	".endr\n"
	".previous\n");

void micro_main(void)
{
	__asm__ volatile("adr x0, vectors\n\tmsr vbar_el1, x0\n\tisb"
			 :
			 :
			 : "x0");
	micro_print("micro: calls\n");
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t r = micro_random();
		/* Bit 24 is never set in a PSCI function's number. */
		uint64_t function = (r & 0xff00ffffull) | 0x01000000ull;

		call(function, 0 - (r >> 40 & 63), (int)(r >> 32 & 1));
	}
	micro_print("micro: calls done\n");
	micro_power_off();
}
