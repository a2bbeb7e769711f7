/* Streams between VMs by sockets of AF_VSOCK. */
#include "probe.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <fcntl.h>
#include <linux/vm_sockets.h>

static uint8_t data[65536];

/* What the byte is, wherever it is in the stream; each stream has its own. */
static uint8_t byte_at(uint64_t at, uint64_t seed)
{
	return (uint8_t)(((at ^ seed) * 0x9e3779b97f4a7c15u) >> 56);
}

static int open_socket(struct sockaddr_vm *at, uint32_t cid, uint32_t port)
{
	const struct timeval patience = { 20, 0 };
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0);

	*at = (struct sockaddr_vm){ .svm_family = AF_VSOCK, .svm_cid = cid, .svm_port = port };
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	return fd;
}

static int listen_at(uint32_t port)
{
	struct sockaddr_vm at;
	int fd = open_socket(&at, VMADDR_CID_ANY, port);

	if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 64) != 0)
		return perror("vsock: listen"), -1;
	printf("vsock: ready\n");
	return fd;
}

static int connect_to(uint32_t cid, uint32_t port)
{
	struct sockaddr_vm at;
	int fd = open_socket(&at, cid, port);

	if (connect(fd, (const struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	printf("vsock: connect: %s\n", strerror(errno));
	(void)close(fd);
	return -1;
}

static bool send_all(int fd, const uint8_t *from, size_t n)
{
	while (n > 0) {
		ssize_t sent = send(fd, from, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		from += sent;
		n -= (size_t)sent;
	}
	return true;
}

/* Counts what comes, by checksum, until the end. */
static uint64_t receive_all(int fd, uint64_t *sum, const char **end)
{
	uint64_t bytes = 0;
	ssize_t n;

	while ((n = recv(fd, data, sizeof(data), 0)) > 0)
		for (ssize_t i = 0; i < n; i++)
			*sum = (*sum + data[i]) * 0x100000001b3u, bytes++;
	*end = n == 0 ? "end" : strerror(errno);
	return bytes;
}

static int say_cid(void)
{
	unsigned cid = 0;
	int fd = open("/dev/vsock", O_RDONLY);

	if (fd < 0 || ioctl(fd, IOCTL_VM_SOCKETS_GET_LOCAL_CID, &cid) != 0)
		return perror("vsock: cid"), 1;
	printf("vsock: cid %u\n", cid);
	return 0;
}

/* What one client sends, a line about it. With `room`, no more of it is taken at a time,
 * and nothing for two seconds. */
static int sink(uint32_t port, uint64_t room)
{
	uint64_t sum = 0, bytes;
	int listener = listen_at(port), fd;
	const char *end;

	if (listener < 0)
		return 1;
	if (room != 0)
		(void)setsockopt(listener, AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, &room,
				 sizeof(room));
	fd = accept(listener, NULL, NULL);
	if (fd < 0)
		return perror("vsock: accept"), 1;
	if (room != 0)
		sleep(6);
	bytes = receive_all(fd, &sum, &end);
	printf("vsock: sink: %llu bytes, sum %016llx, %s\n", (unsigned long long)bytes,
	       (unsigned long long)sum, end);
	return 0;
}

static int source(uint32_t cid, uint32_t port, uint64_t bytes)
{
	uint64_t sum = 0, at = 0;
	int fd = connect_to(cid, port);

	if (fd < 0)
		return 1;
	while (at < bytes) {
		size_t n = bytes - at < sizeof(data) ? (size_t)(bytes - at) : sizeof(data);

		for (size_t i = 0; i < n; i++, at++) {
			data[i] = byte_at(at, port);
			sum = (sum + data[i]) * 0x100000001b3u;
		}
		if (!send_all(fd, data, n))
			return perror("vsock: send"), 1;
	}
	(void)close(fd);
	printf("vsock: source: %llu bytes, sum %016llx, end\n", (unsigned long long)at,
	       (unsigned long long)sum);
	return 0;
}

/* How much goes to one that does not read, and then all the rest. */
static int flood(uint32_t cid, uint32_t port)
{
	uint64_t sent = 0;
	int fd = connect_to(cid, port);
	ssize_t n;

	if (fd < 0)
		return 1;
	for (unsigned quiet = 0; quiet < 5;) {
		n = send(fd, data, sizeof(data), MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN)
			return perror("vsock: send"), 1;
		sent += n > 0 ? (uint64_t)n : 0;
		quiet = n > 0 ? 0 : quiet + 1;
		usleep(20000);
	}
	printf("vsock: flood: %llu bytes, then no more\n", (unsigned long long)sent);
	(void)close(fd);
	return 0;
}

/* Listens and takes nobody in: connections stay open. */
static int hold(uint32_t port)
{
	if (listen_at(port) < 0)
		return 1;
	pause();
	return 0;
}

/* As many connections as there can be, up to `count`, that stay open for a while. */
static int many(uint32_t cid, uint32_t port, uint64_t count)
{
	uint64_t n = 0;

	while (n < count && connect_to(cid, port) >= 0)
		n++;
	printf("vsock: many: %llu connections\n", (unsigned long long)n);
	sleep(5);
	return 0;
}

/* Says what becomes of a connection whose other side does not close it. */
static int watch(uint32_t cid, uint32_t port)
{
	int fd = connect_to(cid, port);
	uint64_t sum = 0, bytes;
	const char *end;

	if (fd < 0)
		return 1;
	printf("vsock: watch: connected\n");
	bytes = receive_all(fd, &sum, &end);
	printf("vsock: watch: %llu bytes, %s\n", (unsigned long long)bytes, end);
	return 0;
}

/*
 * vsock cid                      vsock sink PORT [ROOM]     vsock hold PORT
 * vsock source CID PORT BYTES    vsock flood CID PORT
 * vsock many CID PORT COUNT      vsock watch CID PORT
 */
int probe_vsock(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	const uint32_t cid = (uint32_t)number_arg(argc, argv, 2, 0);
	const uint32_t port = (uint32_t)number_arg(argc, argv, 3, 0);

	if (strcmp(what, "cid") == 0)
		return say_cid();
	if (strcmp(what, "sink") == 0)
		return sink(cid, port);
	if (strcmp(what, "hold") == 0)
		return hold(cid);
	if (strcmp(what, "source") == 0)
		return source(cid, port, number_arg(argc, argv, 4, 0));
	if (strcmp(what, "flood") == 0)
		return flood(cid, port);
	if (strcmp(what, "many") == 0)
		return many(cid, port, number_arg(argc, argv, 4, 1));
	if (strcmp(what, "watch") == 0)
		return watch(cid, port);
	return fprintf(stderr, "vsock: what?\n"), 2;
}
