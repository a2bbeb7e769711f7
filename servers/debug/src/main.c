/*
 * The debug shell's process: one shell for the serial line, and one for who sits at the
 * machine's keyboard and screen. What init sets up: <selvage/servers.h>.
 */
#include "keyboard.h"
#include "shell.h"

#include <selvage/fmt.h>
#include <selvage/procinfo.h>
#include <selvage/ring.h>
#include <selvage/sel4.h>
#include <selvage/servers.h>
#include <string.h>

static struct ring keys, terminal;  /* of the serial channel */
static struct ring requests, lines; /* to init, and its answers */
static struct ring screen;          /* to the log server, who has it */
static struct shell serial_shell, screen_shell;
static bool has_screen;
static uint64_t signals; /* that came while something else was waited for */

/* Of the log server: its share of time comes back that often. Behind so many it is
 * taken for gone, until there is room again. */
#define SCREEN_TRIES 100u

static void attach(uint64_t number, struct ring *out, bool produces, struct ring *in)
{
	uint8_t *pages = (uint8_t *)(uintptr_t)(PROC_RING_BASE + number * PROC_RING_STRIDE);

	ring_attach(out, pages + CHANNEL_OUT_OFFSET, CHANNEL_OUT_SIZE, produces);
	ring_attach(in, pages + CHANNEL_IN_OFFSET, CHANNEL_IN_SIZE, !produces);
}

static void wait(void) { signals |= sel4_wait(PROC_CAP_NTFN); }

/* Waits for room where there is none: whoever looks is told first. */
static void put_all(struct ring *ring, cap_t signal, const char *text, size_t n)
{
	while (n > 0) {
		uint32_t put = ring_put(ring, text, (uint32_t)n);

		text += put;
		n -= put;
		sel4_signal(signal);
		if (n > 0)
			wait();
	}
}

static void write_serial(void *opaque, const char *bytes, size_t n)
{
	(void)opaque;
	put_all(&terminal, PROC_CAP_SERIAL_NTFN, bytes, n);
}

/* The log server takes it at once if it has time left, and else in its next period. */
static void write_screen(void *opaque, const char *bytes, size_t n)
{
	static bool gone;

	(void)opaque;
	for (unsigned tries = 0; n > 0 && tries < (gone ? 1 : SCREEN_TRIES); tries++) {
		uint32_t put = ring_put(&screen, bytes, (uint32_t)n);

		bytes += put;
		n -= put;
		gone = gone && put == 0;
		sel4_signal(PROC_CAP_LOG_NTFN);
		if (put > 0)
			tries = 0;
		else if (!gone)
			sel4_yield();
	}
	gone = n > 0;
}

/* A byte of an answer, which init surely ends. */
static char next_byte(void)
{
	char c;

	while (ring_get(&lines, &c, 1) == 0)
		wait();
	/* It waits for room, and looks when it is signalled. */
	if (ring_waiting(&lines) == 0)
		sel4_signal(PROC_CAP_CLIENT_NTFN);
	return c;
}

static void ask(void *opaque, const char *request, void (*take)(void *context, char *line),
		void *context)
{
	static char line[SHELL_ANSWER];
	size_t n;

	(void)opaque;
	put_all(&requests, PROC_CAP_CLIENT_NTFN, request, strlen(request));
	put_all(&requests, PROC_CAP_CLIENT_NTFN, "\n", 1);
	do {
		n = 0;
		for (char c = next_byte(); c != '\n'; c = next_byte())
			if (n < sizeof(line) - 1)
				line[n++] = c;
		line[n] = '\0';
		take(context, line);
	} while (strncmp(line, "{\"ok\":", 6) != 0);
}

/* What somebody does at the screen shows there: keys, the shell's view. */
static void take_key(const struct key *key)
{
	char bytes[16];
	size_t n = key->scroll != 0 ? fmt_print(bytes, sizeof(bytes), "\033[%uy", key->scroll)
				    : fmt_print(bytes, sizeof(bytes), "\033[%uz",
						key->view != 0 ? key->view : SCREEN_VIEW_SHELL);

	write_screen(NULL, bytes, n);
	for (unsigned i = 0; i < key->n; i++)
		shell_key(&screen_shell, (uint8_t)key->text[i]);
}

static bool open_screen(void)
{
	static const struct shell_env env = { NULL, write_screen, ask };
	struct ring unused;

	if (screen_info_get() != SCREEN_TEXT || !keyboard_open())
		return false;
	attach(DEBUG_SCREEN_RING, &screen, true, &unused);
	shell_init(&screen_shell, &env);
	shell_begin(&screen_shell);
	return true;
}

static void take_keys(void)
{
	struct key key;

	if (!has_screen)
		return;
	keyboard_taken();
	while (keyboard_next(&key))
		take_key(&key);
}

int main(void)
{
	static const struct shell_env env = { NULL, write_serial, ask };
	uint8_t byte;

	attach(0, &terminal, true, &keys);
	attach(DEBUG_CONTROL_RING, &lines, false, &requests);
	while (ring_get(&lines, &byte, 1) == 1)
		; /* the rest of an answer to the one before us */
	shell_init(&serial_shell, &env);
	has_screen = open_screen();
	for (;;) {
		if (signals & DEBUG_NTFN_KEYBOARD) {
			signals = 0;
			take_keys();
		}
		while (ring_get(&keys, &byte, 1) == 1)
			shell_key(&serial_shell, byte);
		if (!(signals & DEBUG_NTFN_KEYBOARD))
			wait();
	}
}
