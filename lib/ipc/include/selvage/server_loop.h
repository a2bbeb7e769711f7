/*
 * The receive loop of a server (servers.h: notification bound to its thread,
 * requests on PROC_CAP_SERVICE_EP, reply object PROC_CAP_REPLY).
 */
#pragma once

#include <selvage/sel4.h>
#include <stdbool.h>
#include <stdint.h>

struct server_ops {
	/* Badges that were signalled, SERVER_NTFN taken out. */
	void (*signal)(uint64_t bits);
	/* One request; the answer's label is returned, its words are none. */
	uint64_t (*request)(uint64_t badge, msginfo_t info,
			    const uint64_t mr[SEL4_MSG_REGS]);
	/* NULL: signals and requests are all there is to do. Else, after each of
	 * them, a bounded piece of it; true: there is more, and the next piece comes
	 * behind the signals and requests that are there. */
	bool (*work)(void);
};

/* What a server does when init adds a client or takes one away; the answer is
 * an enum server_status. */
struct server_client_ops {
	uint64_t (*add)(const uint64_t mr[SEL4_MSG_REGS]);
	uint64_t (*remove)(uint64_t client);
};

/* Checks a request for SERVER_ADD_CLIENT or SERVER_REMOVE_CLIENT (only init may
 * ask, no word may be missing) and does it; for servers that take no other. */
uint64_t server_client_request(const struct server_client_ops *ops,
			       uint64_t badge, msginfo_t info,
			       const uint64_t mr[SEL4_MSG_REGS]);

/* Signals no later than the loop receives again, and within the same system call if it is
 * the last one: for what a lower thread has to hear. */
void server_signal(cap_t notification);

_Noreturn void server_run(const struct server_ops *ops);
