/* The EL1 physical timer, which the kernel lets this thread use at EL0
 * (extension TCB_ENABLE_TIMER; Arm ARM D13.8.16-18). */
#include "timer_hw.h"

#define CNTP_CTL_ENABLE 1ull

static void write_control(uint64_t value)
{
	__asm__ volatile("msr cntp_ctl_el0, %0\n\tisb"
			 :
			 : "r"(value));
}

void timer_hw_set(uint64_t deadline)
{
	__asm__ volatile("msr cntp_cval_el0, %0"
			 :
			 : "r"(deadline));
	write_control(CNTP_CTL_ENABLE);
}

void timer_hw_off(void)
{
	write_control(0);
}
