/*
 * Prints the time that its own clock shows, each tenth of a second, waiting in
 * WFI for its timer: a VM that lives, and sees what becomes of its time. With
 * `tick-off` it powers off after the first line, with `tick-fail` it does
 * what nothing handles.
 */
#include "micro.h"

static void wait_until(uint64_t us)
{
	uint64_t hz;

	__asm__ volatile("mrs %0, cntfrq_el0"
			 : "=r"(hz));
	while (micro_us() < us) {
		/* Enabled, not masked; nobody takes the interrupt (DAIF), which ends
		 * the WFI all the same. */
		__asm__ volatile("msr cntv_cval_el0, %0\n\t"
				 "msr cntv_ctl_el0, %1\n\t"
				 "isb\n\t"
				 "wfi"
				 :
				 : "r"(us * (hz / 1000000)), "r"(1ull)
				 : "memory");
	}
}

void micro_main(void)
{
	uint64_t start = micro_us(), n = 0;

	for (;;) {
		micro_print("tick ");
		micro_print_number(n);
		micro_print(" at ");
		micro_print_number((micro_us() - start) / 1000);
		micro_print(" ms\n");
		if (micro_told("tick-off"))
			micro_power_off();
		if (micro_told("tick-fail"))
			*(volatile uint32_t *)0x7f000000 = 0;
		wait_until(start + ++n * 100000);
	}
}
