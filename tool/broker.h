/*
 * Other `selvage` processes reach a running system through the one that runs
 * it. A client sends one line:
 *
 *   control REQUEST   the answer's lines of JSON come back, then the end
 *   requests          a line each from then on, answered one after the other;
 *                     an upload that it leaves open is dropped
 *   machine           "ok", and the name of the machine's processor, then the end
 *   console NAME      recent output, then live, both ways
 *   shell             the debug shell (servers/debug), both ways
 *   gdb NAME          the VM's debug channel (docs/debug-channel.md), both ways
 *   logs              recent log, then the end
 *   follow            recent log, then live
 *
 * What is typed waits at the client while its channel has much waiting already.
 * The answer to `console`, `gdb` and `logs` starts with a line "ok" or "error ...".
 * Where there is no room for another client, any answer is a line "error ...".
 */
#pragma once

#include <poll.h>
#include <selvage/sysdesc.h>
#include <stdbool.h>

#include "link.h"
#include "requests.h"
#include "sockpath.h"
#include "view.h"

#define BROKER_CLIENTS 16
/* Whose request was a `create` and who left before it was answered. */
#define BROKER_OWNER_LEFT BROKER_CLIENTS
/* A console that is not there may be about to come: the system just started,
 * or its VM did. */
#define BROKER_CONSOLE_WAIT_MS 2000

struct broker_client {
	int fd; /* -1: free */
	enum { CLIENT_NEW,
	       CLIENT_WAITING,
	       CLIENT_CONTROL,
	       CLIENT_REQUESTS,
	       CLIENT_STREAM,
	       CLIENT_DONE } state;
	unsigned channel;       /* of a stream */
	bool asking;            /* of CLIENT_REQUESTS: one is under way */
	bool creates, commits;  /* and is that one */
	bool uploads;           /* a VM that it creates is on its way */
	bool traces, tracing;   /* it has begun a trace; and that was not ended */
	bool gone;              /* its console is */
	bool debug;             /* wants the debug channel, not the console */
	bool input;             /* what it types goes to the channel */
	char wanted[LINK_NAME]; /* the console that it waits for */
	uint64_t wait_until_ms; /* 0: not begun */
	struct buffer in;
	struct buffer out;
};

struct broker {
	int listener; /* -1: none */
	char path[SOCKPATH_MAX];
	struct broker_client client[BROKER_CLIENTS];
	struct link *link;
	struct view *view;
	struct requests *requests;
	const char *cpu; /* of the machine */
	/* Debug channels whose last client is gone: the answer to the detach
	 * that we sent for it has so many bytes of it come. Size: done. */
	uint8_t detached[SYSDESC_MAX_VMS];
};

/* False, with a message, if there can be no socket. */
bool broker_open(struct broker *broker, const char *name);
void broker_close(struct broker *broker);
/* Fills fds (BROKER_CLIENTS + 1 of them) for poll; returns how many. */
unsigned broker_poll(struct broker *broker, struct pollfd *fds);
/* Serves what poll found. */
void broker_serve(struct broker *broker, const struct pollfd *fds,
		  unsigned n);
/* Call it now and then: looks after those that wait. */
void broker_tick(struct broker *broker, uint64_t now_ms);
/* Output of a channel, for the clients that watch it. */
void broker_output(struct broker *broker, unsigned channel, const void *data,
		   size_t size);
/* A channel of a VM has come or gone. */
void broker_name(struct broker *broker, unsigned channel);
/* A line of an answer; `owner` is the client's number. */
void broker_answer(struct broker *broker, int owner, const char *line,
		   bool last);
