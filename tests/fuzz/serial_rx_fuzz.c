/*
 * Any byte sequence from the wire, with clients that write, read and come
 * and go in between. Input byte pairs: what to do, with which byte.
 */
#include "serial_mux.h"

#include <stdlib.h>
#include <string.h>

#define CLIENTS 4u

static struct serial_mux mux;
static _Alignas(64) uint8_t pages[CLIENTS][CHANNEL_BYTES];
static struct ring out[CLIENTS], in[CLIENTS];

static void add(uint32_t n)
{
	memset(pages[n], 0, CHANNEL_BYTES);
	ring_attach(&out[n], pages[n] + CHANNEL_OUT_OFFSET, CHANNEL_OUT_SIZE,
		    true);
	ring_attach(&in[n], pages[n] + CHANNEL_IN_OFFSET, CHANNEL_IN_SIZE,
		    false);
	serial_mux_add(&mux, n, "client", pages[n]);
}

static void drain(void)
{
	uint8_t bytes[512];

	serial_mux_pump(&mux);
	while (serial_mux_tx(&mux, bytes, sizeof(bytes)))
		;
	while (serial_mux_take_notify(&mux) != SERIAL_NO_CHANNEL)
		;
}

static void client_step(uint8_t what)
{
	uint8_t bytes[64];
	uint32_t n = what % CLIENTS;

	memset(bytes, what, sizeof(bytes));
	switch (what / CLIENTS % 5) {
	case 0:
		ring_put(&out[n], bytes, sizeof(bytes));
		break;
	case 1:
		ring_get(&in[n], bytes, sizeof(bytes));
		break;
	case 2:
		if (serial_mux_remove(&mux, n))
			memset(pages[n], 0xa5, CHANNEL_BYTES);
		break;
	case 3:
		if (!mux.channel[n].used)
			add(n);
		break;
	default:
		serial_mux_tick(&mux);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	serial_mux_init(&mux);
	for (uint32_t n = 0; n < CLIENTS; n++)
		add(n);
	for (size_t i = 0; i < size; i++) {
		if (data[i] == 0xff && i + 1 < size) {
			client_step(data[++i]);
			drain();
			continue;
		}
		serial_mux_rx(&mux, data[i]);
		if (i % 7 == 0)
			drain();
		if (mux.tx_head - mux.tx_tail > SERIAL_TX_SIZE ||
		    mux.focus >= (int32_t)MUX_CHANNELS)
			abort();
	}
	drain();
	return 0;
}
