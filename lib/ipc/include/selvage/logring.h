/*
 * The log ring: pages shared by one process (any number of producer threads)
 * and the log server (consumer). Lock-free; a producer never waits: when the
 * ring is full the record is lost and counted. Neither side trusts the other:
 * the consumer copies each record out once and believes nothing but its own
 * position; a process that writes nonsense spoils only its own log.
 *
 * Slot i serves record positions i, i + LOGRING_SLOTS, ... Its `turn` is
 * 2 * lap while free for that lap's producer and 2 * lap + 1 once the record
 * is complete, so zeroed pages are an empty ring.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOGRING_BYTES 0x4000u
#define LOGRING_SLOT_BYTES 256u
#define LOGRING_SLOTS (LOGRING_BYTES / LOGRING_SLOT_BYTES - 1)
#define LOG_TEXT 232u /* longest text of one record; longer is cut off */

enum log_level {
	LOG_LEVEL_ERROR = 0,
	LOG_LEVEL_WARNING = 1,
	LOG_LEVEL_INFO = 2,
	LOG_LEVEL_DEBUG = 3,
};

struct logring_slot {
	uint64_t turn;
	uint64_t stamp; /* CNTPCT ticks */
	uint32_t level; /* enum log_level */
	uint32_t size;  /* bytes of text, no NUL */
	char text[LOG_TEXT];
};
_Static_assert(sizeof(struct logring_slot) == LOGRING_SLOT_BYTES, "slot");

struct logring {
	_Alignas(64) uint64_t head; /* next position, producers only */
	_Alignas(64) uint64_t lost; /* records that found no room */
	_Alignas(LOGRING_SLOT_BYTES) struct logring_slot slot[LOGRING_SLOTS];
};
_Static_assert(sizeof(struct logring) == LOGRING_BYTES, "log ring size");

/* Any thread of the producing process. False: full, counted as lost. */
bool logring_put(struct logring *ring, uint64_t stamp, enum log_level level,
		 const char *text, size_t size);

/* A record as the consumer holds it: its own copy, checked. */
struct log_record {
	uint64_t stamp;
	uint32_t level; /* at most LOG_LEVEL_DEBUG */
	uint32_t size;  /* at most LOG_TEXT */
	char text[LOG_TEXT];
};

struct logring_reader {
	struct logring *ring;
	uint64_t next;
	uint64_t lost_seen;
};

/* Consumer. Zeroed pages are an empty ring; of a ring that another reader
 * had, the records that it left are next. */
void logring_open(struct logring_reader *r, void *pages);
bool logring_get(struct logring_reader *r, struct log_record *out);
/* Anyone with the pages: the reader has taken every record. */
bool logring_is_read(const struct logring *ring);
/* How many records were lost since the last call. */
uint64_t logring_lost(struct logring_reader *r);
