/* The SMC capability: calls of the firmware (PSCI). */
#include <arch/vspace.h>

#include <kernel/invoke.h>

#define SMC_WORDS 8

int smc_invoke(struct invocation *inv)
{
	register word_t x0 __asm__("x0");
	register word_t x1 __asm__("x1");
	register word_t x2 __asm__("x2");
	register word_t x3 __asm__("x3");
	register word_t x4 __asm__("x4");
	register word_t x5 __asm__("x5");
	register word_t x6 __asm__("x6");
	register word_t x7 __asm__("x7");
	word_t a[SMC_WORDS];

	for (unsigned i = 0; i < SMC_WORDS; i++)
		a[i] = inv_arg(inv, i);
	/* A badge limits the capability to that function. */
	if (inv->cap.w1 && inv->cap.w1 != a[0])
		return ABI_ILLEGAL_OPERATION;
	x0 = a[0], x1 = a[1], x2 = a[2], x3 = a[3];
	x4 = a[4], x5 = a[5], x6 = a[6], x7 = a[7];
	__asm__ volatile("smc #0"
			 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4), "+r"(x5),
			   "+r"(x6), "+r"(x7)
			 :
			 : "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17",
			   "memory");
	a[0] = x0, a[1] = x1, a[2] = x2, a[3] = x3;
	a[4] = x4, a[5] = x5, a[6] = x6, a[7] = x7;
	for (unsigned i = 0; i < SMC_WORDS; i++)
		inv_result(inv, i, a[i]);
	return ABI_OK;
}
