/* `selvage trace`: what kernel and VMs do for a while, for Perfetto. */
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "chrome.h"
#include "cli.h"
#include "client.h"
#include "diag.h"
#include "files.h"

static void take(void *chrome, const char *line)
{
	chrome_line(chrome, line);
}

static bool switch_trace(int fd, const char *request)
{
	char wrong[512];
	const bool ok = client_request_on(fd, request, wrong, sizeof(wrong));

	if (!ok)
		diag_error("%s", wrong);
	return ok;
}

/* A signal ends it early, and what there is by then is written. */
static bool record(int fd, const struct options *options)
{
	const struct timespec time = { .tv_sec = options->seconds ? options->seconds : 1 };
	const struct timespec none = { 0 };
	sigset_t ends;
	bool ok;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	/* From before it begins until it has ended. */
	sigprocmask(SIG_BLOCK, &ends, NULL);
	ok = switch_trace(fd, "trace 1");
	if (ok) {
		(void)sigtimedwait(&ends, NULL, &time);
		ok = switch_trace(fd, "trace 0");
	}
	/* It may have come twice (to the process, and to its group). */
	while (sigtimedwait(&ends, NULL, &none) > 0)
		continue;
	sigprocmask(SIG_UNBLOCK, &ends, NULL);
	return ok;
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
	struct file_out out;
	bool ok;
	int fd;

	if (!options->output) {
		diag_error("where to? give `-o FILE.json`");
		return EXIT_USAGE;
	}
	if (!file_out_open(&out, options->output))
		return EXIT_FAILED;
	chrome_begin(&chrome, out.stream);
	/* It is ours as long as we have this connection. */
	fd = client_open(options, "requests", NULL);
	ok = fd >= 0 && record(fd, options) && read_events(options, &chrome);
	if (fd >= 0)
		close(fd);
	chrome_end(&chrome);
	ok = file_out_close(&out, ok) && ok;
	if (ok && chrome.lost)
		diag_note("%llu events before the last %llu are lost; trace for a shorter time",
			  (unsigned long long)chrome.lost, (unsigned long long)chrome.taken);
	return ok ? EXIT_OK : EXIT_FAILED;
}
