/*
 * Requests as functions: of processes to init and the time server, and of
 * init to the servers. All of them Call and so wait for the answer.
 */
#pragma once

#include <selvage/control.h>
#include <selvage/procinfo.h>
#include <selvage/sel4.h>
#include <selvage/servers.h>
#include <selvage/time_proto.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Time server: arms timer `timer` (below TIME_TIMERS) of the calling process
 * for the absolute counter value `deadline`; period in ticks or 0. Returns
 * enum time_status. A deadline in the past fires at once.
 */
int time_arm(unsigned timer, uint64_t deadline, uint64_t period);
int time_cancel(unsigned timer);

/* Init, from a service or VMM. */
void init_ready(void);
/* A VMM, of 2 MiB of its guest's RAM: INIT_REQ_MEMORY_GIVE or _FETCH. False: init did not. */
bool init_memory(enum init_request what, uint64_t gpa);
/* Take this VM down; these do not come back. */
_Noreturn void init_vm_off(enum vm_stop_reason reason);
_Noreturn void init_vm_reset(void);

/* Init to a server: name at most PROC_NAME bytes, NUL included. Returns enum
 * server_status. */
int server_add_client(cap_t service, unsigned client, const char *name);
int server_remove_client(cap_t service, unsigned client);

/* Server side: the words of a SERVER_ADD_CLIENT that arrived in mr[] and the
 * IPC buffer. */
struct server_client {
	uint64_t number;
	char name[PROC_NAME]; /* terminated, printable */
};
void server_parse_client(struct server_client *c,
			 const uint64_t mr[SEL4_MSG_REGS]);
