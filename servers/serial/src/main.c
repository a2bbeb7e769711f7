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
#define RX_TURN 256u    /* bytes taken before the wire's output goes on */
#define LAST_PIECES 64u /* of a client's output, at its end */

static struct serial_mux mux;
static bool tick_armed;
static bool room_wanted; /* the transmit interrupt is on */
static bool rx_waits;    /* bytes were not taken yet; the interrupt is not acknowledged */

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

/* A piece of what can move: rings to wire bytes, those to the UART. Clients fill their rings
 * meanwhile, without end if they like. True: there is more, and the UART takes it. */
static bool move(void)
{
	const bool more = serial_mux_pump(&mux);

	transmit();
	arm_tick();
	transmit();
	notify_clients();
	return more && !tx_held;
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

static bool work(void)
{
	if (rx_waits) {
		rx_waits = receive();
		if (!rx_waits)
			sel4_irq_handler_ack(PROC_CAP_DEVICE_IRQ);
	}
	return move() || rx_waits;
}

static void on_signal(uint64_t bits)
{
	if (bits & (SERIAL_NTFN_TIMER & ~SERVER_NTFN)) {
		tick_armed = false;
		serial_mux_tick(&mux);
	}
	if (bits & (SERIAL_NTFN_IRQ & ~SERVER_NTFN)) {
		uart_clear();
		rx_waits = true;
	}
}

static uint64_t add_client(const uint64_t mr[SEL4_MSG_REGS])
{
	struct server_client c;
	uint64_t pages;

	server_parse_client(&c, mr);
	pages = PROC_RING_BASE + c.number * PROC_RING_STRIDE;
	if (!serial_mux_add(&mux, c.number, c.name, (void *)pages))
		return SERVER_BAD_ARGUMENT;
	return SERVER_OK;
}

static uint64_t remove_client(uint64_t channel)
{
	for (unsigned i = 0; i < LAST_PIECES && move(); i++)
		continue;
	return serial_mux_remove(&mux, channel) ? SERVER_OK : SERVER_BAD_ARGUMENT;
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
	static const struct server_ops ops = { on_signal, on_request, work };

	serial_mux_init(&mux);
	uart_start();
	sel4_irq_handler_ack(PROC_CAP_DEVICE_IRQ);
	server_run(&ops);
}
