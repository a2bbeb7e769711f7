/* The debug shell's process: its two channels. What init sets up: <selvage/servers.h>. */
#include "shell.h"

#include <selvage/procinfo.h>
#include <selvage/ring.h>
#include <selvage/sel4.h>
#include <selvage/servers.h>
#include <string.h>

static struct ring keys, screen;    /* of the serial channel */
static struct ring requests, lines; /* to init, and its answers */

static void attach(uint64_t number, struct ring *out, bool produces, struct ring *in)
{
	uint8_t *pages = (uint8_t *)(uintptr_t)(PROC_RING_BASE + number * PROC_RING_STRIDE);

	ring_attach(out, pages + CHANNEL_OUT_OFFSET, CHANNEL_OUT_SIZE, produces);
	ring_attach(in, pages + CHANNEL_IN_OFFSET, CHANNEL_IN_SIZE, !produces);
}

/* Waits for room where there is none: whoever looks is told first. */
static void put_all(struct ring *ring, cap_t signal, const char *text, size_t n)
{
	while (n > 0) {
		uint32_t put = ring_put(ring, text, (uint32_t)n);

		text += put;
		n -= put;
		sel4_signal(signal);
		if (n > 0)
			(void)sel4_wait(PROC_CAP_NTFN);
	}
}

static void write(void *opaque, const char *text, size_t n)
{
	(void)opaque;
	put_all(&screen, PROC_CAP_SERIAL_NTFN, text, n);
}

/* A byte of an answer, which init surely ends. */
static char next_byte(void)
{
	char c;

	while (ring_get(&lines, &c, 1) == 0)
		(void)sel4_wait(PROC_CAP_NTFN);
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

int main(void)
{
	static struct shell shell;
	static const struct shell_env env = { NULL, write, ask };
	uint8_t byte;

	attach(0, &screen, true, &keys);
	attach(DEBUG_CONTROL_RING, &lines, false, &requests);
	while (ring_get(&lines, &byte, 1) == 1)
		; /* the rest of an answer to the one before us */
	shell_init(&shell, &env);
	for (;;) {
		while (ring_get(&keys, &byte, 1) == 1)
			shell_key(&shell, byte);
		(void)sel4_wait(PROC_CAP_NTFN);
	}
}
