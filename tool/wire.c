#include "wire.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "diag.h"

static volatile sig_atomic_t caught;
static bool interrupts_ignored;

static void on_signal(int number) { caught = number; }

void wire_catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

void wire_ignore_interrupts(bool off) { interrupts_ignored = off; }

int wire_signal(void) { return caught; }

bool wire_interrupted(void) { return caught && !interrupts_ignored; }

/* The path of a socket in the file system, or NULL. */
static const char *socket_path(const char *address)
{
	if (strncmp(address, "unix:", 5) == 0)
		return address + 5;
	return strchr(address, '/') ? address : NULL;
}

static bool split(const char *address, char host[WIRE_HOST_MAX], const char **port)
{
	const char *colon = strrchr(address, ':');
	size_t n = colon ? (size_t)(colon - address) : 0;

	*port = colon ? colon + 1 : address;
	snprintf(host, WIRE_HOST_MAX, "%.*s", (int)n, address);
	if (n == 0)
		snprintf(host, WIRE_HOST_MAX, "127.0.0.1");
	else if (host[0] == '[' && host[n - 1] == ']' && n < WIRE_HOST_MAX)
		snprintf(host, WIRE_HOST_MAX, "%.*s", (int)n - 2, address + 1);
	return n < WIRE_HOST_MAX && **port && strspn(*port, "0123456789") == strlen(*port) &&
	       strlen(*port) <= 5 && atoi(*port) <= UINT16_MAX;
}

void wire_host(const char *address, char host[WIRE_HOST_MAX])
{
	const char *port;

	host[0] = '\0';
	if (!socket_path(address) && !split(address, host, &port))
		host[0] = '\0';
}

static int connect_path(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(to.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(to.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

static int connect_host(const char *host, const char *port)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	int fd = -1, error = EHOSTUNREACH;

	if (getaddrinfo(host, port, &hints, &list) != 0)
		list = NULL;
	for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
		fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
		if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
			error = errno;
			close(fd);
			fd = -1;
		}
	}
	if (list)
		freeaddrinfo(list);
	errno = error;
	return fd;
}

bool wire_check_address(const char *address)
{
	char host[WIRE_HOST_MAX];
	const char *port;

	if (socket_path(address) || split(address, host, &port))
		return true;
	diag_error("`%s` is no address; give PORT, HOST:PORT or unix:PATH", address);
	return false;
}

bool wire_open(struct wire *wire, const char *address)
{
	const char *path = socket_path(address), *port = NULL;
	char host[WIRE_HOST_MAX];

	*wire = (struct wire){ .fd = -1 };
	if (!wire_check_address(address))
		return false;
	if (path)
		wire->fd = connect_path(path);
	else if (split(address, host, &port))
		wire->fd = connect_host(host, port);
	if (wire->fd < 0)
		diag_error("cannot connect to %s: %s", address, strerror(errno));
	return wire->fd >= 0;
}

void wire_close(struct wire *wire)
{
	if (wire->fd >= 0)
		close(wire->fd);
	wire->fd = -1;
	buffer_free(&wire->in);
}

bool wire_send(struct wire *wire, const void *data, size_t size)
{
	const char *p = data;

	while (size > 0) {
		ssize_t n = send(wire->fd, p, size, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		size -= (size_t)n;
	}
	return true;
}

enum wire_event wire_wait(struct wire *wire, unsigned patience_ms)
{
	struct pollfd fd = { .fd = wire->fd, .events = POLLIN };
	char bytes[16384];
	ssize_t n;
	int ready;

	do {
		if (wire_interrupted())
			return WIRE_INTERRUPTED;
		ready = poll(&fd, 1, (int)patience_ms);
	} while (ready < 0 && errno == EINTR);
	if (ready == 0)
		return WIRE_SILENT;
	n = read(wire->fd, bytes, sizeof(bytes));
	if (n <= 0 || wire->in.size + (size_t)n > WIRE_IN_MAX)
		return WIRE_CLOSED;
	buffer_append(&wire->in, bytes, (size_t)n);
	return WIRE_DATA;
}
