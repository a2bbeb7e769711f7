/* The only file that the compiler may use floating point in. */
#include "app.h"

#define ROUNDS 2000u

/* Halves and quarters are exact: any bit that another task changes shows. */
bool fpu_work(unsigned seed)
{
	double a = seed, b = 0.5, c = seed * 0.25, d = 1.0;
	uint64_t check = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		a += b;
		c += d;
		d = 1.25 - d;
		__asm__ volatile(""
				 : "+w"(a), "+w"(b), "+w"(c), "+w"(d));
		check += 2;
	}
	/* d alternates between 1 and 0.25. */
	return a == (double)seed + 0.25 * (double)check &&
	       c == seed * 0.25 + (double)(ROUNDS / 2) * 1.25;
}
