#include "emulator.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "diag.h"
#include "files.h"

#define EXEC_FAILED 127
#define STOP_PATIENCE_MS 1000
#define CALL_PATIENCE_MS 20000
#define LOG_TAIL_BYTES 65536

void emulator_add(struct emulator_command *command, const char *argument)
{
	command->full = command->n == EMULATOR_ARGS_MAX;
	if (!command->full)
		command->argv[command->n++] = files_text("%s", argument);
}

void emulator_addf(struct emulator_command *command, const char *format, ...)
{
	char text[4096 + 256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	emulator_add(command, text);
}

bool emulator_fits(const struct emulator_command *command)
{
	if (command->full)
		diag_error("the emulator is to get more than %d arguments", EMULATOR_ARGS_MAX);
	return !command->full;
}

void emulator_add_list(struct emulator_command *command, const char *first, ...)
{
	va_list args;

	va_start(args, first);
	for (const char *a = first; a; a = va_arg(args, const char *))
		emulator_add(command, a);
	va_end(args);
}

static void print_quoted(const char *argument)
{
	const char *plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789-_=+,./:@%";

	if (*argument && strspn(argument, plain) == strlen(argument)) {
		fputs(argument, stdout);
		return;
	}
	putchar('\'');
	for (; *argument; argument++) {
		if (*argument == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*argument);
	}
	putchar('\'');
}

void emulator_print(const struct emulator_command *command, bool null_input)
{
	if (command->folder) {
		fputs("cd ", stdout);
		print_quoted(command->folder);
		fputs(" && ", stdout);
	}
	for (int i = 0; i < command->n; i++) {
		if (i)
			putchar(' ');
		print_quoted(command->argv[i]);
	}
	puts(null_input ? " </dev/null" : "");
}

void emulator_free(struct emulator_command *command)
{
	for (int i = 0; i < command->n; i++)
		free(command->argv[i]);
	free(command->folder);
	free(command->log);
	*command = (struct emulator_command){ 0 };
}

/* Over a socket of its own kind, to who started us. */
static bool send_descriptor(int through, int fd)
{
	char byte = 0, space[CMSG_SPACE(sizeof(fd))] = { 0 };
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = space,
				  .msg_controllen = sizeof(space) };
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	return sendmsg(through, &message, 0) == 1;
}

/* -1: none came. */
static int receive_descriptor(int through)
{
	char byte, space[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = space,
				  .msg_controllen = sizeof(space) };
	struct cmsghdr *head;
	int fd = -1;

	if (recvmsg(through, &message, MSG_CMSG_CLOEXEC) != 1)
		return -1;
	head = CMSG_FIRSTHDR(&message);
	if (head && head->cmsg_type == SCM_RIGHTS && head->cmsg_len == CMSG_LEN(sizeof(fd)))
		memcpy(&fd, CMSG_DATA(head), sizeof(fd));
	return fd;
}

/* In the child. */
static _Noreturn void become(struct emulator_command *command, pid_t parent, int serial,
			     int errors, bool null_input)
{
	sigset_t none;
	int null = open("/dev/null", O_RDWR);

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setpgid(0, 0); /* Ctrl-C in the terminal is for us, not for it */
	if (command->folder && chdir(command->folder) != 0)
		_exit(EXEC_FAILED);
	if (command->listen) {
		int listener = command->listen(command);
		if (listener < 0 || !send_descriptor(serial, listener))
			_exit(EXEC_FAILED);
		serial = errors = null;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXEC_FAILED);
	dup2(null_input ? null : serial, STDIN_FILENO);
	dup2(serial, STDOUT_FILENO);
	dup2(errors, STDERR_FILENO);
	execvp(command->argv[0], command->argv);
	_exit(EXEC_FAILED);
}

static void set_nonblocking(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/* Puts the emulator's connection in the place of the child's socket. */
static bool wait_for_call(struct emulator *e, bool *said)
{
	int listener = receive_descriptor(e->serial), fd = -1, status;
	struct pollfd p = { .fd = listener, .events = POLLIN };

	*said = listener < 0;
	for (int ms = 0; listener >= 0 && ms < CALL_PATIENCE_MS && fd < 0; ms += 100) {
		if (poll(&p, 1, 100) > 0)
			fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		else if (emulator_ended(e, &status))
			break;
	}
	if (listener >= 0)
		close(listener);
	if (fd < 0)
		return false;
	close(e->serial);
	e->serial = fd;
	close(e->errors); /* nobody writes to it */
	e->errors = -1;
	return true;
}

bool emulator_start(struct emulator *e, struct emulator_command *command, bool null_input)
{
	int serial[2];
	int errors[2];
	pid_t self = getpid();
	bool said = false;

	if (!files_have_program(command->argv[0])) {
		diag_error("there is no `%s`; install it: apt-get install %s", command->argv[0],
			   command->package);
		return false;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, serial) != 0 ||
	    pipe2(errors, O_CLOEXEC) != 0) {
		diag_error("cannot start the emulator: %s", strerror(errno));
		return false;
	}
	e->pid = fork();
	if (e->pid == 0)
		become(command, self, serial[1], errors[1], null_input);
	close(serial[1]);
	close(errors[1]);
	e->serial = serial[0];
	e->errors = errors[0];
	if (e->pid > 0 && (!command->listen || wait_for_call(e, &said))) {
		set_nonblocking(e->serial);
		set_nonblocking(e->errors);
		return true;
	}
	if (e->pid < 0)
		diag_error("cannot start the emulator: %s", strerror(errno));
	else if (!said)
		diag_error("the emulator does not begin; its log `%s` may say why", command->log);
	emulator_stop(e);
	return false;
}

bool emulator_ended(struct emulator *e, int *status)
{
	if (e->pid > 0 && waitpid(e->pid, status, WNOHANG) == e->pid) {
		e->pid = 0;
		return true;
	}
	return e->pid <= 0;
}

/* From the log's end, where it is if it is there. */
static bool log_says(const char *path, const char *text)
{
	char tail[LOG_TAIL_BYTES + 1];
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return false;
	if (fseek(f, -(long)LOG_TAIL_BYTES, SEEK_END) != 0)
		rewind(f);
	n = fread(tail, 1, LOG_TAIL_BYTES, f);
	tail[n] = '\0';
	fclose(f);
	return strstr(tail, text) != NULL;
}

bool emulator_went_off(const struct emulator_command *command, int status)
{
	if (!WIFEXITED(status))
		return false;
	return command->log ? log_says(command->log, command->off) : WEXITSTATUS(status) == 0;
}

static void wait_for_end(struct emulator *e, int patience_ms)
{
	const struct timespec nap = { .tv_nsec = 10 * 1000000 };
	int status;

	while (patience_ms > 0 && !emulator_ended(e, &status)) {
		nanosleep(&nap, NULL);
		patience_ms -= 10;
	}
}

void emulator_stop(struct emulator *e)
{
	if (e->pid > 0) {
		kill(e->pid, SIGTERM);
		wait_for_end(e, STOP_PATIENCE_MS);
	}
	if (e->pid > 0) {
		kill(e->pid, SIGKILL);
		waitpid(e->pid, NULL, 0);
		e->pid = 0;
	}
	close(e->serial);
	close(e->errors);
}
