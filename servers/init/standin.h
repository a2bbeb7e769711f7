/*
 * Stand-ins: for each service a small thread of init's, above all servers. It
 * waits for a fault of the service. Then it answers in the dead one's place,
 * SERVER_DIED to whatever is asked, so that nobody waits for ever - init's
 * main thread in the middle of a request least of all - until the main thread
 * relieves it.
 */
#pragma once

#include "process.h"

/* Makes the endpoint for the faults of the service p, which is not there yet;
 * `ntfn`, init's, is signalled after a fault. 0: out of memory. */
cap_t standin_prepare(struct process *p, cap_t ntfn);
/* Once p is there, before it runs. */
bool standin_start(struct process *p);

struct standin_crash {
	msginfo_t info;
	uint64_t mr[SEL4_MSG_REGS];
};
/* Main thread: true once after each fault of p. */
bool standin_crashed(struct process *p, struct standin_crash *crash);
/* Main thread, after a fault: p takes its requests itself again. */
void standin_relieve(struct process *p);
