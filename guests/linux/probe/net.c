/* Packets to another machine over UDP or TCP, and what came of them there. */
#include "probe.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define SIZE_MAX_BYTES 1472u
#define SIZE_MIN_BYTES 16u
#define ENDS 5u /* packets that say that it was the last one: they may be lost */

struct run {
	int fd;
	bool tcp, echo;
	uint64_t count, size; /* packets, and payload bytes of each */
	uint64_t packets, bytes, lost, sum;
	uint64_t data[SIZE_MAX_BYTES / 8];
};
static struct run run;

/* A packet: its number, how many there are, words that tell where they are. */
static void make(uint64_t number)
{
	run.data[0] = number;
	run.data[1] = run.count;
	for (unsigned i = 2; i < run.size / 8; i++)
		run.data[i] = (number << 16 | i) * 0x9e3779b97f4a7c15u;
}

static void add(uint64_t bytes)
{
	run.packets++;
	run.bytes += bytes;
	for (unsigned i = 0; i < bytes / 8; i++)
		run.sum += run.data[i];
}

static int tell(const char *who)
{
	printf("net: %s %s: %llu packets, %llu bytes, %llu lost, sum %016llx\n", who,
	       run.tcp    ? "tcp"
	       : run.echo ? "echo"
			  : "udp",
	       (unsigned long long)run.packets, (unsigned long long)run.bytes,
	       (unsigned long long)run.lost, (unsigned long long)run.sum);
	return run.lost != 0 || run.packets == 0;
}

static bool open_socket(bool tcp)
{
	const int yes = 1, room = 4 << 20;

	run.fd = socket(AF_INET, tcp ? SOCK_STREAM : SOCK_DGRAM, 0);
	(void)setsockopt(run.fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (!tcp)
		(void)setsockopt(run.fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	return run.fd >= 0;
}

static void set_patience(time_t seconds)
{
	const struct timeval t = { seconds, 0 };

	(void)setsockopt(run.fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
}

/* --- Sink ---------------------------------------------------------------------------- */

/* One packet, or a piece of the stream that is as long as one; its bytes, 0: no more. */
static uint64_t take(void)
{
	ssize_t n;

	if (run.tcp)
		n = recv(run.fd, run.data, run.size, MSG_WAITALL);
	else
		n = recv(run.fd, run.data, sizeof(run.data), 0);
	return n < (ssize_t)SIZE_MIN_BYTES ? 0 : (uint64_t)n;
}

static int sink_all(void)
{
	uint64_t n, next = 0;

	while ((n = take()) != 0 && run.data[0] < run.data[1]) {
		run.count = run.data[1];
		run.lost += run.data[0] - next;
		next = run.data[0] + 1;
		if (run.packets == 0) {
			set_patience(3);
			mark();
		}
		add(n);
	}
	mark();
	run.lost += run.count - next;
	return tell("sink");
}

static int sink_echo(void)
{
	struct sockaddr_in from;
	socklen_t bytes = sizeof(from);
	ssize_t n;

	while ((n = recvfrom(run.fd, run.data, sizeof(run.data), 0, (struct sockaddr *)&from,
			     &bytes)) >= (ssize_t)SIZE_MIN_BYTES &&
	       run.data[0] < run.data[1]) {
		add((uint64_t)n);
		(void)sendto(run.fd, run.data, (size_t)n, 0, (struct sockaddr *)&from, bytes);
	}
	return tell("sink");
}

static int sink(const struct sockaddr_in *at)
{
	if (bind(run.fd, (const struct sockaddr *)at, sizeof(*at)) != 0)
		return perror("net: bind"), 1;
	printf("net: ready\n");
	if (run.tcp) {
		int client;

		if (listen(run.fd, 1) != 0 || (client = accept(run.fd, NULL, NULL)) < 0)
			return perror("net: accept"), 1;
		(void)dup2(client, run.fd);
		(void)close(client);
	}
	return run.echo ? sink_echo() : sink_all();
}

/* --- Source -------------------------------------------------------------------------- */

static bool send_packet(uint64_t bytes)
{
	const uint8_t *from = (const void *)run.data;

	while (bytes > 0) {
		ssize_t n = send(run.fd, from, bytes, 0);

		if (n <= 0)
			return false;
		from += n;
		bytes -= (uint64_t)n;
	}
	return true;
}

/* Waits for the packet's return. */
static bool comes_back(uint64_t number)
{
	while (take() != 0)
		if (run.data[0] == number)
			return true;
	return false;
}

static int source(const struct sockaddr_in *to)
{
	if (connect(run.fd, (const struct sockaddr *)to, sizeof(*to)) != 0)
		return perror("net: connect"), 1;
	set_patience(1);
	for (uint64_t number = 0; number < run.count; number++) {
		make(number);
		if (!send_packet(run.size) || (run.echo && !comes_back(number)))
			run.lost++;
		else
			add(run.size);
		if (run.echo && (number == 0 || number + 1 == run.count))
			mark();
	}
	for (unsigned i = 0; !run.tcp && i < ENDS; i++) {
		usleep(10000);
		make(run.count);
		(void)send(run.fd, run.data, run.size, 0);
	}
	(void)shutdown(run.fd, SHUT_WR);
	return tell("source");
}

/*
 * net sink udp|echo PORT             net source udp|echo ADDRESS PORT COUNT SIZE
 * net sink tcp PORT SIZE             net source tcp ADDRESS PORT COUNT SIZE
 *
 * Source: COUNT packets with SIZE bytes each, as fast as they go, or (echo) one at a
 * time, each sent back. Sink: one line when it has them, good if nothing is missing,
 * as at the source. The instruction counter gets marks at the first and the last one,
 * from the sink, or from the source of `echo`.
 */
int probe_net(int argc, char **argv)
{
	const bool is_sink = argc > 3 && strcmp(argv[1], "sink") == 0;
	struct sockaddr_in at = { .sin_family = AF_INET };
	int port = is_sink ? 3 : 4;

	if (argc < (is_sink ? 4 : 7))
		return fprintf(stderr, "net: what, to where?\n"), 2;
	run.tcp = strcmp(argv[2], "tcp") == 0;
	run.echo = strcmp(argv[2], "echo") == 0;
	at.sin_port = htons((uint16_t)number_arg(argc, argv, port, 0));
	run.count = is_sink ? 0 : number_arg(argc, argv, 5, 0);
	run.size = number_arg(argc, argv, is_sink ? 4 : 6, 1024) / 8 * 8;
	if (run.size < SIZE_MIN_BYTES || run.size > sizeof(run.data) ||
	    (!is_sink && inet_pton(AF_INET, argv[3], &at.sin_addr) != 1) || !open_socket(run.tcp))
		return fprintf(stderr, "net: not like this\n"), 2;
	return is_sink ? sink(&at) : source(&at);
}
