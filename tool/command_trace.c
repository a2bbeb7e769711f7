/* `selvage trace`: what kernel and VMs do for a while, for Perfetto. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chrome.h"
#include "cli.h"
#include "client.h"
#include "diag.h"

static void take(void *chrome, const char *line)
{
	chrome_line(chrome, line);
}

static void on_signal(int number)
{
	(void)number; /* it ends the sleep */
}

static bool record(const struct options *options)
{
	const struct sigaction action = { .sa_handler = on_signal };

	if (!client_request(options, "trace", "1"))
		return false;
	/* Whatever happens, the trace is ended. */
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sleep(options->seconds ? options->seconds : 1);
	return client_request(options, "trace", "0");
}

/* A request for each part: none is long. */
static bool read_events(const struct options *options, struct chrome *c)
{
	uint64_t before;
	char from[32] = "0";

	do {
		before = c->taken;
		if (!client_ask(options, "events", from, take, c))
			return false;
		snprintf(from, sizeof(from), "%llu", (unsigned long long)c->taken);
	} while (c->taken > before && c->taken < c->events);
	return true;
}

int command_trace(const struct options *options)
{
	static struct chrome chrome;
	FILE *out;
	bool ok;

	if (!options->output) {
		diag_error("where to? give `-o FILE.json`");
		return EXIT_USAGE;
	}
	out = fopen(options->output, "we");
	if (!out) {
		diag_error_at(options->output, 0, "cannot write it: %s; give another file",
			      strerror(errno));
		return EXIT_FAILED;
	}
	chrome_begin(&chrome, out);
	ok = record(options) && read_events(options, &chrome);
	chrome_end(&chrome);
	if (fclose(out) != 0 && ok) {
		diag_error_at(options->output, 0, "cannot write it: %s", strerror(errno));
		ok = false;
	}
	if (!ok)
		unlink(options->output);
	else if (chrome.lost)
		diag_note("%llu events before the last %llu are lost; trace for a shorter time",
			  (unsigned long long)chrome.lost, (unsigned long long)chrome.taken);
	return ok ? EXIT_OK : EXIT_FAILED;
}
