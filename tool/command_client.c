/* The commands that talk to a running system: ps, caps, start, stop, kill, reboot,
 * pause, resume, crash, poweroff, console, shell, logs. */
#include <cJSON.h>
#include <errno.h>
#include <poll.h>
#include <selvage/control.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "buffer.h"
#include "cli.h"
#include "client.h"
#include "diag.h"
#include "logabout.h"
#include "screen.h"
#include "sockpath.h"
#include "table.h"
#include "terminal.h"

#define REFUSAL "error "

bool client_send(int fd, const void *data, size_t size)
{
	const char *p = data;

	while (size > 0) {
		ssize_t n = send(fd, p, size, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		size -= (size_t)n;
	}
	return true;
}

int client_open(const struct options *options, const char *verb, const char *argument)
{
	char line[CONTROL_MAX_LINE + 64];
	int fd;
	int n = snprintf(line, sizeof(line), "%s%s%s\n", verb,
			 argument ? " " : "", argument ? argument : "");

	if (argument && strchr(argument, '\n')) {
		diag_error("`%.*s...`: no name has a line break; leave it out",
			   (int)strcspn(argument, "\n"), argument);
		return -1;
	}
	if (n >= (int)sizeof(line)) {
		diag_error("`%.20s...` is too long a name", argument);
		return -1;
	}
	fd = sockpath_connect(options->system);
	if (fd >= 0 && !client_send(fd, line, (size_t)n)) {
		(void)client_accepted(fd); /* says why */
		close(fd);
		return -1;
	}
	return fd;
}

/* What nobody says anything of for SOCKPATH_PATIENCE_S. */
static const char patience_over[] = "the `selvage` that runs the system does not answer; it may be "
				    "stopped";

/* False: it took too long. */
static bool read_to_end(int fd, struct buffer *answer)
{
	char bytes[4096];
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0 ||
	       (n < 0 && errno == EINTR)) {
		if (n > 0)
			buffer_append(answer, bytes, (size_t)n);
	}
	buffer_append(answer, "", 1);
	return n == 0 || errno != EAGAIN;
}

/* What the `selvage` that runs the system says of its own accord. */
static bool is_refusal(const char *line)
{
	return strncmp(line, REFUSAL, strlen(REFUSAL)) == 0;
}

/* Whether the last line says ok; else what is wrong. `may_end`: the system may
 * be gone before its answer is through. */
static bool is_good(const char *line, bool may_end, char *wrong, size_t size)
{
	const char *refusal = line && is_refusal(line) ? line + strlen(REFUSAL) : NULL;
	cJSON *object = line ? cJSON_Parse(line) : NULL;
	const cJSON *ok = cJSON_GetObjectItem(object, "ok");
	const cJSON *error = cJSON_GetObjectItem(object, "error");
	bool good = cJSON_IsTrue(ok) || (!ok && !refusal && may_end);

	if (refusal)
		snprintf(wrong, size, "%s", refusal);
	else if (!ok && !may_end)
		snprintf(wrong, size, "the system ended before it answered");
	else if (!good)
		snprintf(wrong, size, "%s",
			 cJSON_IsString(error) ? error->valuestring : "it was refused");
	cJSON_Delete(object);
	return good;
}

/* Reports it if not. */
static bool answer_ok(const char *line, bool may_end)
{
	char wrong[1024];
	const bool good = is_good(line, may_end, wrong, sizeof(wrong));

	if (!good)
		diag_error("%s", wrong);
	return good;
}

static bool is_verdict(const char *line)
{
	return is_refusal(line) || strncmp(line, "{\"ok\":", 6) == 0;
}

/* Splits the answer at its newlines; the verdict is returned. */
static const char *take_lines(char *text, void (*take)(void *context, const char *line),
			      void *context)
{
	const char *verdict = NULL;
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (is_verdict(line))
			verdict = line;
		else if (take)
			take(context, line);
	}
	return verdict;
}

bool client_ask(const struct options *options, const char *request, const char *argument,
		void (*line)(void *context, const char *line), void *context)
{
	struct buffer answer = { 0 };
	char verb[64];
	bool ok, came;
	int fd;

	snprintf(verb, sizeof(verb), "control %s", request);
	fd = client_open(options, verb, argument);
	if (fd < 0)
		return false;
	came = read_to_end(fd, &answer);
	close(fd);
	if (!came) {
		diag_error("%s", patience_over);
		buffer_free(&answer);
		return false;
	}
	ok = answer_ok(take_lines((char *)answer.data, line, context),
		       strcmp(request, "poweroff") == 0);
	buffer_free(&answer);
	return ok;
}

static void add_row(void *table, const char *line)
{
	table_add(table, line);
}

static void print_line(void *context, const char *line)
{
	(void)context;
	puts(line);
}

int command_control(const struct options *options)
{
	struct table table = { 0 };
	bool ok = client_ask(options, options->accounting ? "accounting" : options->command,
			     options->arg[0], options->json ? print_line : add_row, &table);

	table_print(&table);
	table_free(&table);
	return ok ? EXIT_OK : EXIT_FAILED;
}

/* --- stop ------------------------------------------------------------------- */

#define STOP_POLL_US 200000

struct stopped {
	const char *name;
	bool stopping;
};

static void look_whether_stopping(void *context, const char *line)
{
	struct stopped *s = context;
	cJSON *object = cJSON_Parse(line);
	const cJSON *name = cJSON_GetObjectItem(object, "name");
	const cJSON *state = cJSON_GetObjectItem(object, "state");

	if (cJSON_IsString(name) && cJSON_IsString(state) &&
	    strcmp(name->valuestring, s->name) == 0)
		s->stopping = strcmp(state->valuestring, "stopping") == 0;
	cJSON_Delete(object);
}

/* A guest that was asked to power off is taken down by init if it does not: the wait ends.
 * With the last VM the machine may have gone, which then answers no more. */
int command_stop(const struct options *options)
{
	struct stopped s = { options->arg[0], true };

	if (options->now)
		return client_request(options, "kill", s.name) ? EXIT_OK : EXIT_FAILED;
	if (!client_request(options, "stop", s.name))
		return EXIT_FAILED;
	diag_silence(true);
	while (s.stopping) {
		s.stopping = false;
		(void)client_ask(options, "ps", NULL, look_whether_stopping, &s);
		if (s.stopping)
			usleep(STOP_POLL_US);
	}
	return EXIT_OK;
}

/* Byte by byte: what follows is not ours. */
void client_read_line(int fd, char *line, size_t size)
{
	size_t n = 0;

	while (n < size - 1 && read(fd, &line[n], 1) == 1 && line[n] != '\n')
		n++;
	line[n] = '\0';
}

bool client_request_on(int fd, const char *request, char *wrong, size_t size)
{
	char line[1024] = "";

	if (client_send(fd, request, strlen(request)) && client_send(fd, "\n", 1))
		client_read_line(fd, line, sizeof(line));
	return is_good(line[0] ? line : NULL, false, wrong, size);
}

bool client_accepted(int fd)
{
	const struct timeval none = { 0 };
	char line[256];

	errno = 0;
	client_read_line(fd, line, sizeof(line));
	if (strcmp(line, "ok") == 0)
		return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof(none)) == 0;
	diag_error("%s", is_refusal(line)  ? line + strlen(REFUSAL)
			 : errno == EAGAIN ? patience_over
					   : "the system ended before it answered");
	return false;
}

static bool unwritten; /* output was, and there is a message */

static void write_output(const void *bytes, size_t n)
{
	if (unwritten || terminal_write(bytes, n))
		return;
	unwritten = true;
	terminal_close();
	diag_unwritten();
}

/* Whether there may be more behind what `read` returned. */
static bool goes_on(ssize_t n)
{
	return !unwritten && (n > 0 || (n < 0 && errno == EINTR));
}

static bool copy_output(int fd)
{
	char bytes[4096];
	ssize_t n = read(fd, bytes, sizeof(bytes));

	if (n > 0)
		write_output(bytes, (size_t)n);
	return goes_on(n);
}

/* A connection that lasts as long as what it is to is over. */
static void say_end(const struct options *options, const char *vm)
{
	int fd;

	diag_silence(true);
	fd = sockpath_connect(options->system);
	diag_silence(false);
	if (fd >= 0 && vm)
		fprintf(stderr, "[%s: its console has ended]\n", vm);
	else
		fprintf(stderr, "[the %s has ended]\n", fd >= 0 ? "connection" : "system");
	if (fd >= 0)
		close(fd);
}

/* --- the log ---------------------------------------------------------------- */

struct wanted {
	const char *name;
	bool there;
};

static void look_for(void *context, const char *line)
{
	struct wanted *w = context;
	cJSON *object = cJSON_Parse(line);
	const cJSON *name = cJSON_GetObjectItem(object, "name");

	w->there = w->there ||
		   (cJSON_IsString(name) && strcmp(name->valuestring, w->name) == 0);
	cJSON_Delete(object);
}

/* A VM or service that there is, or init. */
static bool is_known(const struct options *options, const char *name)
{
	struct wanted w = { name, strcmp(name, "init") == 0 };

	if (!w.there && !client_ask(options, "ps", NULL, look_for, &w))
		return false;
	if (!w.there)
		diag_error("there is no VM or service `%s`; `selvage ps` lists them", name);
	return w.there;
}

/* False: there is no more. */
static bool copy_lines_about(int fd, struct buffer *line, struct logabout *about)
{
	char bytes[4096];
	ssize_t n = read(fd, bytes, sizeof(bytes));

	for (ssize_t i = 0; i < n; i++) {
		buffer_append(line, &bytes[i], 1);
		if (bytes[i] != '\n')
			continue;
		buffer_append(line, "", 1);
		line->data[line->size - 2] = '\0';
		if (logabout_line(about, (const char *)line->data)) {
			line->data[line->size - 2] = '\n';
			write_output(line->data, line->size - 1);
		}
		line->size = 0;
	}
	return goes_on(n);
}

int command_logs(const struct options *options)
{
	const char *name = options->arg[0];
	struct logabout about = { .name = name };
	struct buffer line = { 0 };
	int fd = client_open(options, options->follow ? "follow" : "logs",
			     NULL);
	bool ok;

	if (fd < 0)
		return EXIT_FAILED;
	ok = client_accepted(fd) && (!name || is_known(options, name));
	while (ok && (name ? copy_lines_about(fd, &line, &about) : copy_output(fd)))
		;
	if (ok && options->follow && !unwritten)
		say_end(options, NULL);
	ok = ok && !options->follow && !unwritten;
	buffer_free(&line);
	close(fd);
	return ok ? EXIT_OK : EXIT_FAILED;
}

/* At the end of input: without output, and without any since, for which a system that starts may
 * take its time. */
#define QUIET_MS 1000
#define SILENT_MS 5000
#define TYPED_MAX (1u << 20) /* the key that leaves is behind it */

/* Input up to the key that leaves. False: leave, or there is no more. */
static bool copy_input(struct buffer *typed)
{
	char bytes[1024];
	ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));
	char *leave;

	if (n <= 0)
		return n < 0 && errno == EINTR;
	leave = memchr(bytes, SCREEN_KEY_NEXT, (size_t)n);
	buffer_append(typed, bytes, leave ? (size_t)(leave - bytes) : (size_t)n);
	return !leave;
}

/* What the system takes now: a VM that does not read must not keep its output from being read.
 * False: the system is gone. */
static bool send_typed(int fd, struct buffer *typed)
{
	ssize_t n;

	if (typed->size == 0)
		return true;
	n = send(fd, typed->data, typed->size, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	buffer_drop(typed, (size_t)n);
	return true;
}

/* When input is a pipe, its end is not ours: what was asked is still to be answered, until there is
 * no output for a while. False: the system has ended, or nobody takes the output. */
static bool copy_both(int fd, bool terminal)
{
	struct buffer typed = { 0 };
	bool more = true, alive = true, answered = false;

	while (alive && (more || !terminal)) {
		const bool may_leave = !more && typed.size == 0;
		int n;
		struct pollfd fds[2] = {
			{ .fd = fd, .events = POLLIN | (typed.size > 0 ? POLLOUT : 0) },
			{ .fd = more && typed.size < TYPED_MAX ? STDIN_FILENO : -1,
			  .events = POLLIN }
		};

		n = poll(fds, 2, !may_leave ? -1 : answered ? QUIET_MS
							    : SILENT_MS);
		if (n == 0 || (n < 0 && errno != EINTR))
			break;
		if (n < 0)
			continue;
		if (fds[0].revents & (POLLIN | POLLHUP | POLLERR))
			alive = copy_output(fd);
		answered = may_leave && (answered || (fds[0].revents & POLLIN));
		if (fds[1].revents)
			more = copy_input(&typed);
		alive = alive && send_typed(fd, &typed);
	}
	buffer_free(&typed);
	return alive;
}

static int attach(const struct options *options, const char *verb, const char *vm,
		  const char *greeting)
{
	int fd = client_open(options, verb, vm);
	bool terminal, left;

	if (fd < 0)
		return EXIT_FAILED;
	if (!client_accepted(fd)) {
		close(fd);
		return EXIT_FAILED;
	}
	terminal = terminal_open();
	if (terminal) {
		fprintf(stderr, "selvage: %s%s; Ctrl-] leaves\r\n", greeting, vm ? vm : "");
		/* The shell prompts whoever types; a console's guest is left alone. */
		(void)(vm || client_send(fd, "\f", 1));
	}
	left = copy_both(fd, terminal);
	terminal_close();
	close(fd);
	if (!left && !unwritten)
		say_end(options, vm);
	return left ? EXIT_OK : EXIT_FAILED;
}

int command_console(const struct options *options)
{
	return attach(options, "console", options->arg[0], "console of ");
}

int command_shell(const struct options *options)
{
	return attach(options, "shell", NULL, "debug shell, `help` lists its commands");
}
