/*
 * The receive loop of a server (servers.h: notification bound to its thread,
 * requests on PROC_CAP_SERVICE_EP, reply object PROC_CAP_REPLY).
 */
#pragma once

#include <selvage/sel4.h>
#include <stdint.h>

struct server_ops {
	/* Badges that were signalled, SERVER_NTFN taken out. */
	void (*signal)(uint64_t bits);
	/* One request; the answer's label is returned, its words are none. */
	uint64_t (*request)(uint64_t badge, msginfo_t info,
			    const uint64_t mr[SEL4_MSG_REGS]);
};

_Noreturn void server_run(const struct server_ops *ops);
