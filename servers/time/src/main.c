/*
 * The time server: keeps every process's timers (time_proto.h) and drives
 * the one hardware timer. What init sets up: <selvage/servers.h>.
 */
#include "timer_hw.h"
#include "timerq.h"

#include <abi/ext.h>
#include <selvage/clock.h>
#include <selvage/log.h>
#include <selvage/procinfo.h>
#include <selvage/server_loop.h>
#include <selvage/servers.h>

static struct timerq timers;
static bool client_known[TIME_CLIENTS];
static bool have_timer;
static uint64_t min_period; /* ticks */

/* Signals what is due, then sets the hardware to what comes next. */
static void run_due(void)
{
	uint64_t now = clock_now();
	uint64_t deadline;
	uint32_t id;

	while (timerq_expire(&timers, now, &id))
		sel4_try_signal(PROC_CAP_CLIENT_NTFN + id);
	if (timerq_next(&timers, &deadline))
		timer_hw_set(deadline);
	else
		timer_hw_off();
}

/* The interrupt is level-triggered: the hardware timer is moved before the
 * acknowledgement lets the line through again. */
static void on_signal(uint64_t bits)
{
	(void)bits;
	if (!have_timer)
		return;
	run_due();
	sel4_irq_handler_ack(PROC_CAP_DEVICE_IRQ);
}

static uint64_t arm(uint64_t client, const uint64_t mr[SEL4_MSG_REGS])
{
	uint64_t timer = mr[0], deadline = mr[1], period = mr[2];

	if (!have_timer)
		return TIME_UNAVAILABLE;
	if (timer >= TIME_TIMERS || (period && period < min_period))
		return TIME_BAD_ARGUMENT;
	timerq_arm(&timers, (uint32_t)(client * TIME_TIMERS + timer), deadline,
		   period);
	run_due();
	return TIME_OK;
}

static uint64_t cancel(uint64_t client, const uint64_t mr[SEL4_MSG_REGS])
{
	if (!have_timer)
		return TIME_UNAVAILABLE;
	if (mr[0] >= TIME_TIMERS)
		return TIME_BAD_ARGUMENT;
	timerq_cancel(&timers, (uint32_t)(client * TIME_TIMERS + mr[0]));
	run_due();
	return TIME_OK;
}

static uint64_t client_request(uint64_t client, msginfo_t info,
			       const uint64_t mr[SEL4_MSG_REGS])
{
	unsigned words = msginfo_words(info);

	if (client >= TIME_CLIENTS || !client_known[client])
		return TIME_BAD_REQUEST;
	switch (msginfo_label(info)) {
	case TIME_ARM:
		return words < 3 ? TIME_BAD_ARGUMENT : arm(client, mr);
	case TIME_CANCEL:
		return words < 1 ? TIME_BAD_ARGUMENT : cancel(client, mr);
	default:
		return TIME_BAD_REQUEST;
	}
}

static uint64_t init_request(msginfo_t info, const uint64_t mr[SEL4_MSG_REGS])
{
	uint64_t label = msginfo_label(info);
	uint64_t client = mr[0];

	if (label != SERVER_ADD_CLIENT && label != SERVER_REMOVE_CLIENT)
		return SERVER_BAD_REQUEST;
	if (msginfo_words(info) < 1 || client >= TIME_CLIENTS)
		return SERVER_BAD_ARGUMENT;
	if (client_known[client] == (label == SERVER_ADD_CLIENT))
		return SERVER_BAD_ARGUMENT;
	client_known[client] = label == SERVER_ADD_CLIENT;
	if (!client_known[client]) {
		for (uint32_t t = 0; t < TIME_TIMERS; t++)
			timerq_cancel(&timers,
				      (uint32_t)client * TIME_TIMERS + t);
	}
	return SERVER_OK;
}

static uint64_t on_request(uint64_t badge, msginfo_t info,
			   const uint64_t mr[SEL4_MSG_REGS])
{
	if (badge == SERVER_BADGE_INIT)
		return init_request(info, mr);
	return client_request(badge - 1, info, mr);
}

static bool enable_timer(void)
{
	int error;

	if (!(sel4_ext_query(PROC_CAP_TCB) & ABI_EXTF_TIMER)) {
		log_error("this kernel gives no timer to user level "
			  "(extension TCB_ENABLE_TIMER): requests are refused");
		return false;
	}
	error = sel4_ext_tcb_enable_timer(PROC_CAP_TCB, PROC_CAP_DEVICE_IRQ);
	if (error)
		log_error("TCB_ENABLE_TIMER failed: error %d", error);
	return error == ABI_OK;
}

int main(void)
{
	static const struct server_ops ops = { on_signal, on_request };

	have_timer = enable_timer();
	min_period = clock_us_to_ticks(TIME_MIN_PERIOD_US);
	if (have_timer) {
		timer_hw_off();
		sel4_irq_handler_ack(PROC_CAP_DEVICE_IRQ);
		log_info("counter at %llu Hz",
			 (unsigned long long)clock_hz());
	}
	server_run(&ops);
}
