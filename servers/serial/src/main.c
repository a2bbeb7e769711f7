/*
 * The serial server: sole owner of the UART, which it shares between the
 * control, log and console channels. What init sets up: <selvage/servers.h>.
 */
#include "serial_mux.h"
#include "uart.h"

#include <selvage/client.h>
#include <selvage/clock.h>
#include <selvage/log.h>
#include <selvage/procinfo.h>
#include <selvage/server_loop.h>
#include <selvage/servers.h>

#define QUIET_US 20000u /* after which an unfinished line is shown */
#define TIMER_QUIET 0u
#define RX_TURN 256u /* bytes taken before the wire's output goes on */

static struct serial_mux mux;
static bool tick_armed;
static bool room_wanted; /* the transmit interrupt is on */

/* The byte that the FIFO had no room for stays at hand. */
static bool tx_held;
static uint8_t tx_byte;

static void transmit(void)
{
	for (;;) {
		if (!tx_held && !serial_mux_tx(&mux, &tx_byte, 1))
			break;
		tx_held = !uart_put(tx_byte);
		if (tx_held)
			break;
	}
	if (tx_held != room_wanted) {
		room_wanted = tx_held;
		uart_want_room(room_wanted);
	}
}

static void notify_clients(void)
{
	int channel;

	while ((channel = serial_mux_take_notify(&mux)) != SERIAL_NO_CHANNEL)
		sel4_try_signal(PROC_CAP_CLIENT_NTFN + (cap_t)channel);
}

/* Without a time server nothing is held back. */
static void arm_tick(void)
{
	if (tick_armed || !serial_mux_wants_tick(&mux))
		return;
	tick_armed = time_arm(TIMER_QUIET,
			      clock_now() + clock_us_to_ticks(QUIET_US),
			      0) == TIME_OK;
	if (!tick_armed) {
		mux.eager = true;
		serial_mux_tick(&mux);
	}
}

/* Moves everything that can move: rings to wire bytes, those to the UART. */
static void work(void)
{
	bool more;

	do {
		more = serial_mux_pump(&mux);
		transmit();
	} while (more && !tx_held);
	arm_tick();
	transmit();
	notify_clients();
}

static bool receive(void)
{
	uint8_t byte;

	for (unsigned i = 0; i < RX_TURN; i++) {
		if (!uart_get(&byte))
			return false;
		serial_mux_rx(&mux, byte);
	}
	return true;
}

static void on_interrupt(void)
{
	bool more;

	uart_clear();
	do {
		more = receive();
		work();
	} while (more);
	sel4_irq_handler_ack(PROC_CAP_DEVICE_IRQ);
}

static void on_signal(uint64_t bits)
{
	if (bits & (SERIAL_NTFN_TIMER & ~SERVER_NTFN)) {
		tick_armed = false;
		serial_mux_tick(&mux);
	}
	if (bits & (SERIAL_NTFN_IRQ & ~SERVER_NTFN))
		on_interrupt();
	else
		work();
}

static uint64_t add_client(const uint64_t mr[SEL4_MSG_REGS])
{
	struct server_client c;
	uint64_t pages;

	server_parse_client(&c, mr);
	pages = PROC_RING_BASE + c.number * PROC_RING_STRIDE;
	if (!serial_mux_add(&mux, c.number, c.name, (void *)pages))
		return SERVER_BAD_ARGUMENT;
	work();
	return SERVER_OK;
}

static uint64_t remove_client(uint64_t channel)
{
	uint64_t status;

	work();
	status = serial_mux_remove(&mux, channel) ? SERVER_OK
						  : SERVER_BAD_ARGUMENT;
	work();
	return status;
}

static uint64_t on_request(uint64_t badge, msginfo_t info,
			   const uint64_t mr[SEL4_MSG_REGS])
{
	static const struct server_client_ops ops = { add_client,
						      remove_client };

	return server_client_request(&ops, badge, info, mr);
}

int main(void)
{
	static const struct server_ops ops = { .signal = on_signal, .request = on_request };

	serial_mux_init(&mux);
	uart_start();
	sel4_irq_handler_ack(PROC_CAP_DEVICE_IRQ);
	server_run(&ops);
}
