/* `selvage top`: what the VMs of a running system do, again and again. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "client.h"
#include "diag.h"
#include "terminal.h"
#include "top.h"

#define TEXT_BYTES 131072

static volatile sig_atomic_t ended;

static void on_signal(int number)
{
	(void)number;
	ended = 1;
}

static void watch_signals(void)
{
	const struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

static void take(void *sample, const char *line)
{
	top_line(sample, line);
}

static bool sample(const struct options *options, struct top_sample *to)
{
	memset(to, 0, sizeof(*to));
	return client_ask(options, "ps", NULL, take, to) &&
	       client_ask(options, "stats", NULL, take, to);
}

/* Until the time is over or a key says so. False: leave. */
static bool wait_keys(unsigned seconds, bool terminal)
{
	struct pollfd in = { .fd = terminal ? STDIN_FILENO : -1, .events = POLLIN };
	int n = poll(&in, 1, (int)(seconds * 1000));
	char key = 0;

	if (n <= 0 || ended)
		return !ended && (n == 0 || errno == EINTR);
	/* In raw mode Ctrl-C is a key. */
	return read(STDIN_FILENO, &key, 1) == 1 && key != 'q' && key != 3;
}

/* The terminal is raw; what does not fit on it is cut. */
static bool draw(const char *text)
{
	unsigned rows, columns;
	bool ok = terminal_write("\033[H", 3);

	terminal_size(&rows, &columns);
	for (unsigned row = 0; ok && *text && row + 1 < rows; row++) {
		size_t n = strcspn(text, "\n");

		ok = terminal_write(text, n < columns ? n : columns - 1) &&
		     terminal_write("\033[K\r\n", 5);
		text += n + (text[n] == '\n');
	}
	return ok && terminal_write("\033[J", 3);
}

static bool show(const struct options *options, const struct top_sample samples[2], bool terminal)
{
	static char text[TEXT_BYTES];
	size_t n = options->json ? top_json(&samples[0], &samples[1], text, sizeof(text) - 1)
				 : top_table(&samples[0], &samples[1], text, sizeof(text) - 1);

	text[n] = '\0';
	if (terminal)
		return draw(text);
	return terminal_write(text, n) &&
	       (options->once || options->json || terminal_write("\n", 1));
}

int command_top(const struct options *options)
{
	static struct top_sample samples[2];
	unsigned seconds = options->interval_s ? options->interval_s : 1;
	bool ok = sample(options, &samples[0]);
	bool terminal = ok && !options->once && !options->json && terminal_open();

	watch_signals();
	if (terminal)
		terminal_write("\033[2J", 4);
	for (bool more = ok; more && wait_keys(seconds, terminal);) {
		ok = sample(options, &samples[1]);
		more = ok && show(options, samples, terminal);
		if (ok && !more) {
			terminal_close();
			diag_unwritten();
			ok = false;
		}
		more = more && !options->once;
		samples[0] = samples[1];
	}
	terminal_close();
	return ok ? EXIT_OK : EXIT_FAILED;
}
