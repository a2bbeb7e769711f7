/*
 * The log server: writes every process's log records, merged by time, to its
 * serial channel. What init sets up: <selvage/servers.h>.
 */
#include "merge.h"

#include <selvage/client.h>
#include <selvage/clock.h>
#include <selvage/procinfo.h>
#include <selvage/ring.h>
#include <selvage/server_loop.h>
#include <selvage/servers.h>

static struct log_merge merge;
static struct ring channel;
/* The record on its way: what the channel had no room for stays here, and
 * the records after it in their rings. */
static char line[LOG_FORMATTED_MAX];
static size_t line_size, line_at;

/* False: the channel is full; its room comes back with LOG_NTFN_SERIAL. */
static bool write_line(void)
{
	line_at += ring_put(&channel, line + line_at,
			    (uint32_t)(line_size - line_at));
	return line_at == line_size;
}

static void drain(void)
{
	uint32_t before = channel.mine;

	while (write_line()) {
		line_at = 0;
		line_size = log_merge_next(&merge, clock_hz(), line);
		if (!line_size)
			break;
	}
	if (channel.mine != before)
		sel4_signal(PROC_CAP_SERIAL_NTFN);
}

static void on_signal(uint64_t bits)
{
	(void)bits;
	drain();
}

static uint64_t add_client(const uint64_t mr[SEL4_MSG_REGS])
{
	struct server_client c;
	uint64_t ring;

	server_parse_client(&c, mr);
	ring = PROC_RING_BASE + c.number * PROC_RING_STRIDE;
	if (!log_merge_add(&merge, c.number, c.name, (void *)ring))
		return SERVER_BAD_ARGUMENT;
	drain();
	return SERVER_OK;
}

static uint64_t remove_client(uint64_t client)
{
	drain();
	return log_merge_remove(&merge, client) ? SERVER_OK
						: SERVER_BAD_ARGUMENT;
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
	char *pages = (char *)(uintptr_t)PROC_DEVICE_BASE;

	ring_attach(&channel, pages + CHANNEL_OUT_OFFSET, CHANNEL_OUT_SIZE,
		    true);
	server_run(&ops);
}
