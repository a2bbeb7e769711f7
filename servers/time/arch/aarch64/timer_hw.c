/* The EL1 physical timer, which the kernel lets this thread use at EL0
 * (extension TCB_ENABLE_TIMER; Arm ARM D13.8.16-18). */
#include "timer_hw.h"

#include <abi/ext.h>
#include <selvage/log.h>
#include <selvage/procinfo.h>
#include <selvage/sel4.h>
#include <selvage/time_proto.h>

#define CNTP_CTL_ENABLE 1ull

bool timer_hw_open(void)
{
	int error;

	if (!(sel4_ext_query(PROC_CAP_TCB) & ABI_EXTF_TIMER)) {
		log_warning("this kernel gives no timer to user level (extension "
			    "TCB_ENABLE_TIMER): timers are late by up to %u us",
			    TIME_TICK_US);
		return false;
	}
	error = sel4_ext_tcb_enable_timer(PROC_CAP_TCB, PROC_CAP_DEVICE_IRQ);
	if (error)
		log_error("TCB_ENABLE_TIMER failed: error %d", error);
	return error == ABI_OK;
}

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

/* The interrupt is level-triggered: the hardware timer is moved before the
 * acknowledgement lets the line through again. */
void timer_hw_taken(void) {}
void timer_hw_moved(void) { sel4_irq_handler_ack(PROC_CAP_DEVICE_IRQ); }
