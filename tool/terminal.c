#include "terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct termios saved;
static volatile sig_atomic_t is_raw;

/* Whole screen scrolls again, attributes off, cursor shown and on a new
 * line at the bottom. */
static const char restore_text[] = "\033[r\033[0m\033[?25h\033[999;1H\r\n";

bool terminal_write(const void *data, unsigned long size)
{
	const char *p = data;

	while (size > 0) {
		ssize_t n = write(STDOUT_FILENO, p, size);
		struct pollfd ready = { .fd = STDOUT_FILENO, .events = POLLOUT };

		if (n < 0 && errno == EAGAIN)
			poll(&ready, 1, 1000);
		else if (n < 0 && errno != EINTR)
			return false;
		if (n <= 0)
			continue;
		p += n;
		size -= (unsigned long)n;
	}
	return true;
}

/* Only calls what a signal handler may call. */
void terminal_close(void)
{
	if (!is_raw)
		return;
	is_raw = 0;
	terminal_write(restore_text, sizeof(restore_text) - 1);
	tcsetattr(STDIN_FILENO, TCSANOW, &saved);
}

static void on_crash(int number)
{
	terminal_close();
	signal(number, SIG_DFL);
	raise(number);
}

static void watch_crashes(void)
{
	static const int numbers[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE,
				       SIGILL };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		signal(numbers[i], on_crash);
	atexit(terminal_close);
}

bool terminal_open(void)
{
	static bool watching;
	struct termios raw;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) ||
	    tcgetattr(STDIN_FILENO, &saved) != 0)
		return false;
	if (!watching)
		watch_crashes();
	watching = true;
	raw = saved;
	cfmakeraw(&raw);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) != 0)
		return false;
	is_raw = 1;
	return true;
}

void terminal_size(unsigned *rows, unsigned *columns)
{
	struct winsize size;

	*rows = 24;
	*columns = 80;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 2 &&
	    size.ws_col > 10) {
		*rows = size.ws_row;
		*columns = size.ws_col;
	}
}

bool terminal_attributes(void)
{
	const char *no_color = getenv("NO_COLOR");

	return !no_color || !*no_color;
}
