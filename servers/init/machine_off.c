#include "machine_off.h"

#include "board.h"
#include "service.h"

#include <selvage/clock.h>
#include <selvage/log.h>

#define MOST_US 2000000u
#define LINE_US 50000u

static bool requested;

void machine_off_request(void) { requested = true; }
bool machine_off_requested(void) { return requested; }

/*
 * The last lines of the log say why the machine goes off, and serial may still
 * wait for the host's credits, or for the UART with what it has taken: the
 * services, which go before init, get a while, the VMs do not.
 */
static void let_log_drain(void)
{
	uint64_t end = clock_now() + clock_us_to_ticks(MOST_US);

	while (!service_output_taken() && clock_now() < end)
		continue;
	end = clock_now() + clock_us_to_ticks(LINE_US);
	while (clock_now() < end)
		continue;
}

void machine_off(void)
{
	let_log_drain();
	log_info("%s: switch the machine off", board_off());
	requested = false; /* not tried again */
}
