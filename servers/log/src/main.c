/*
 * The log server: writes every process's log records, merged by time, to its
 * serial channel, and to the screen of a machine that has one in text mode; the
 * debug shell's terminal is there too. What init sets up: <selvage/servers.h>.
 */
#include "merge.h"
#include "screen_hw.h"

#include <selvage/client.h>
#include <selvage/clock.h>
#include <selvage/log.h>
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

#define SHELL_TURN 512u /* bytes of the shell's that are taken at a time */
static struct screen screen;
static const struct screen_out *screen_out; /* NULL: there is none */
static struct ring shell;

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
		if (screen_out != NULL)
			screen_log(&screen, line, line_size);
	}
	if (channel.mine != before)
		sel4_signal(PROC_CAP_SERIAL_NTFN);
}

/* When all else is done. */
static bool draw(void)
{
	char bytes[SHELL_TURN];
	uint32_t n = ring_get(&shell, bytes, sizeof(bytes));

	screen_shell(&screen, bytes, n);
	return screen_draw(&screen, screen_out) || n > 0;
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

static void open_screen(void)
{
	uint8_t *pages = (uint8_t *)(uintptr_t)LOG_SHELL_RING;

	if (screen_info_get() == SCREEN_NO_TEXT)
		log_info("no screen in text mode: only the serial line shows the log");
	if (screen_info_get() != SCREEN_TEXT)
		return;
	screen_init(&screen);
	ring_attach(&shell, pages + CHANNEL_OUT_OFFSET, CHANNEL_OUT_SIZE, false);
	screen_out = screen_hw_open();
	log_info("screen: Alt-F1 shows the log, Alt-F2 the debug shell");
}

int main(void)
{
	struct server_ops ops = { .signal = on_signal, .request = on_request };
	char *pages = (char *)(uintptr_t)PROC_DEVICE_BASE;

	ring_attach(&channel, pages + CHANNEL_OUT_OFFSET, CHANNEL_OUT_SIZE,
		    true);
	open_screen();
	ops.work = screen_out != NULL ? draw : NULL;
	server_run(&ops);
}
