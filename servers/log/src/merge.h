/* The clients' log rings, merged by time. No system call in here. */
#pragma once

#include "format.h"

#include <selvage/logring.h>
#include <selvage/procinfo.h>
#include <selvage/servers.h>
#include <stdbool.h>
#include <stdint.h>

struct log_client {
	bool used;
	bool has_record; /* `record` is the oldest not yet written */
	char name[PROC_NAME];
	struct logring_reader reader;
	struct log_record record;
};

/* Clients that went while records waited: the last ones are kept, for they say why. */
#define LOG_GONE 4u
/* Records of a client before another's, whatever their stamps. */
#define LOG_IN_TURN 16u

/* A zeroed struct is empty. */
struct log_merge {
	uint32_t top;     /* clients at and above it are unused */
	uint32_t last;    /* whose record came last, and how many */
	uint32_t in_turn; /* of its came one after the other */
	struct log_client client[LOG_CLIENTS + LOG_GONE];
	struct logring gone[LOG_GONE];
};

/* `ring`: the client's LOGRING_BYTES. False: bad number or already there. */
bool log_merge_add(struct log_merge *m, uint64_t client, const char *name,
		   void *ring);
/* Its ring must still be mapped: what waits in it is kept, unless LOG_GONE others' still waits. */
bool log_merge_remove(struct log_merge *m, uint64_t client);
/* Formats the oldest record that waits (or a client's report of lost ones); after
 * LOG_IN_TURN of one client's, another's if there is one, for stamps are what clients say.
 * hz: of the stamps. Returns its length, 0 if nothing waits. */
size_t log_merge_next(struct log_merge *m, uint64_t hz,
		      char out[LOG_FORMATTED_MAX]);
