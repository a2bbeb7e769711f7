/*
 * The time server: keeps every process's timers (time_proto.h) and drives
 * the one hardware timer. What init sets up: <selvage/servers.h>.
 */
#include "timer_hw.h"
#include "timers.h"

#include <selvage/clock.h>
#include <selvage/log.h>
#include <selvage/procinfo.h>
#include <selvage/server_loop.h>
#include <selvage/servers.h>

static struct timers timers;
static bool has_hardware;

static void signal_client(uint32_t id)
{
	sel4_try_signal(PROC_CAP_CLIENT_NTFN + id);
}

/* Signals what is due, then sets the hardware to what comes next. */
static void run_due(void)
{
	uint64_t deadline = timers_expire(&timers, clock_now());

	if (!has_hardware)
		return;
	if (deadline != EVENT_NEVER)
		timer_hw_set(deadline);
	else
		timer_hw_off();
}

static void on_signal(uint64_t bits)
{
	(void)bits;
	if (!has_hardware)
		return;
	timer_hw_taken();
	run_due();
	timer_hw_moved();
}

static uint64_t on_request(uint64_t badge, msginfo_t info,
			   const uint64_t mr[SEL4_MSG_REGS])
{
	uint64_t answer = timers_request(&timers, badge, msginfo_label(info),
					 msginfo_words(info), mr);

	run_due();
	return answer;
}

/*
 * Without a hardware timer the clock is this thread's own scheduling context:
 * Yield gives up its budget, and the kernel runs it again a period later
 * (TIME_TICK_US: init sees to it). Requests wait for that moment too. Nothing
 * ticks while no timer is armed.
 */
static _Noreturn void run_by_budget(const struct server_ops *ops)
{
	for (;;) {
		uint64_t mr[SEL4_MSG_REGS] = { 0 };
		bool armed = timers_expire(&timers, clock_now()) != EVENT_NEVER;
		uint64_t badge;
		msginfo_t info;

		if (armed)
			info = sel4_nb_recv(PROC_CAP_SERVICE_EP, &badge, mr, PROC_CAP_REPLY);
		else
			info = sel4_recv(PROC_CAP_SERVICE_EP, &badge, mr, PROC_CAP_REPLY);
		if (badge == 0)
			sel4_yield();
		else if (!(badge & SERVER_NTFN))
			sel4_send(PROC_CAP_REPLY, msginfo(ops->request(badge, info, mr), 0, 0), mr);
	}
}

int main(void)
{
	static const struct server_ops ops = { .signal = on_signal, .request = on_request };

	has_hardware = timer_hw_open();
	timers_init(&timers, true, clock_us_to_ticks(TIME_MIN_PERIOD_US), signal_client);
	if (has_hardware) {
		timer_hw_off();
		sel4_irq_handler_ack(PROC_CAP_DEVICE_IRQ);
		log_info("counter at %llu Hz",
			 (unsigned long long)clock_hz());
	} else {
		run_by_budget(&ops);
	}
	server_run(&ops);
}
