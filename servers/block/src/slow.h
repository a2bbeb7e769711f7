/*
 * Disks that are the machine's disk or a partition of it: requests of connections become
 * operations of the driver's, as many at a time as it can have, shared among the
 * connections. Those of one end in the order in which they came: a server that is started in
 * the place of one that died can then go on (link.h), and does again what was not ended.
 */
#pragma once

#include "mdisk.h"

#include <dev/virtio/blk.h>

/* Operations of connections; the driver's others are the owner's. */
#define SLOW_OPS (MDISK_OPS - 1u)
/* An operation that the device has for that many calls of slow_tick is overdue; one is
 * tried so often. */
#define SLOW_PATIENCE 10u
#define SLOW_TRIES 3u

/* Of a connection; `blk` is set up by the owner with slow_disk(). */
struct slow {
	struct virtio_blk *blk;
	uint64_t first, sectors; /* on the machine's disk */
	bool read_only;
	unsigned under_way;    /* operations */
	unsigned orphans;      /* of these, of before a reset: nothing is begun meanwhile */
	uint32_t taken, ended; /* requests: they end in the order in which they were taken */
	bool starved;          /* it had no room for a request */
	bool settle;           /* requests have ended since slow_turn */
};

/* The driver; the most that one connection may have under way. */
void slow_init(struct mdisk *disk, unsigned most);
/* For virtio_blk_init; the id is the caller's to fill in. */
struct virtio_blk_disk slow_disk(struct slow *s);
/* Nothing that was begun is to come back. */
void slow_forget(struct slow *s);
/* Takes what has ended; true: requests may have, of those that say `settle`, and there is
 * room for the starved. */
bool slow_turn(void);
/* Whether slow_turn has something to do that the device does not tell of. */
bool slow_pending(void);
/* About once a second. True: the device has had an operation for too long. */
bool slow_tick(void);
/* Whether the device has any operation. */
bool slow_waits(void);
/* The driver gave up, and was started again: what the device had is tried once more, as
 * often as each may be; the rest fails. */
void slow_again(void);
/* The driver gave up: all that the device had fails. */
void slow_fail_all(void);
/* What the device had for that connection fails. */
void slow_fail(const struct slow *s);
/* Operations that failed so far. */
uint64_t slow_failures(void);
