/* `selvage gdb`: a VM's debug channel as a TCP port, and GDB on it. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"
#include "diag.h"

#define DEFAULT_PORT 1234
#define PORT_MAX 65535
#define TICK_MS 200

struct bridge {
	const struct options *options;
	int listener;
	int stream;     /* to the VM; -1: none now */
	int connection; /* from GDB; -1: none now */
	pid_t gdb;      /* 0: none was started */
};

static int listen_on(unsigned port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int yes = 1;

	if (fd >= 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(fd, 1) == 0)
		return fd;
	diag_error("cannot listen on port %u: %s; give another one with --port", port,
		   strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool open_vm(struct bridge *b)
{
	b->stream = client_open(b->options, "gdb", b->options->arg[0]);
	if (b->stream < 0)
		return false;
	if (client_accepted(b->stream))
		return true;
	close(b->stream);
	b->stream = -1;
	return false;
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* In the child, when GDB cannot be started. */
_Noreturn static void no_gdb(unsigned port)
{
	diag_error("cannot start gdb-multiarch: %s; install the package gdb-multiarch, or use "
		   "--port-only and a GDB of your own on 127.0.0.1:%u",
		   strerror(errno), port);
	_exit(127);
}

static bool start_gdb(struct bridge *b, unsigned port)
{
	char target[64];
	const char *elf = b->options->arg[1];

	snprintf(target, sizeof(target), "target remote 127.0.0.1:%u", port);
	b->gdb = fork();
	if (b->gdb == 0) {
		signal(SIGPIPE, SIG_DFL);
		execlp("gdb-multiarch", "gdb-multiarch", "-q", "-ex", target, elf, (char *)NULL);
		no_gdb(port);
	}
	/* Ctrl-C is for GDB. */
	signal(SIGINT, SIG_IGN);
	return b->gdb > 0;
}

static void accept_gdb(struct bridge *b)
{
	int fd = accept4(b->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	b->connection = fd;
	if (b->stream < 0 && !open_vm(b))
		close_one(&b->connection);
}

/* False: one of the two is gone. */
static bool carry(int from, int to)
{
	char bytes[4096];
	ssize_t n = read(from, bytes, sizeof(bytes));

	if (n < 0 && errno == EINTR)
		return true;
	return n > 0 && (to < 0 || client_send(to, bytes, (size_t)n));
}

static void turn(struct bridge *b)
{
	struct pollfd fds[3] = {
		{ .fd = b->connection < 0 ? b->listener : -1, .events = POLLIN },
		{ .fd = b->connection, .events = POLLIN },
		{ .fd = b->stream, .events = POLLIN },
	};

	if (poll(fds, 3, TICK_MS) <= 0)
		return;
	if (fds[0].revents)
		accept_gdb(b);
	if ((fds[1].revents && !carry(b->connection, b->stream)) ||
	    (fds[2].revents && !carry(b->stream, b->connection))) {
		/* The broker lets the VM go when we leave it. */
		close_one(&b->stream);
		close_one(&b->connection);
	}
}

static int serve(struct bridge *b)
{
	int status = 0;

	while (b->gdb == 0 || waitpid(b->gdb, &status, WNOHANG) == 0)
		turn(b);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? EXIT_OK : EXIT_FAILED;
}

int command_gdb(const struct options *options)
{
	struct bridge b = { .options = options, .listener = -1, .connection = -1 };
	unsigned port = options->port ? options->port : DEFAULT_PORT;
	int code = EXIT_FAILED;

	if (port > PORT_MAX) {
		diag_error("`--port %u` is no TCP port; give one up to %d", port, PORT_MAX);
		return EXIT_USAGE;
	}
	/* First of all, so that a VM without the right is refused at once. */
	if (!open_vm(&b))
		return EXIT_FAILED;
	b.listener = listen_on(port);
	if (b.listener >= 0 && options->port_only) {
		printf("127.0.0.1:%u\n", port);
		fflush(stdout);
		code = serve(&b);
	} else if (b.listener >= 0 && start_gdb(&b, port)) {
		code = serve(&b);
	}
	close_one(&b.connection);
	close_one(&b.stream);
	close_one(&b.listener);
	return code;
}
