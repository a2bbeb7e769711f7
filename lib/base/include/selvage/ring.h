/*
 * Byte ring between two processes that do not trust each other: one producer,
 * one consumer, indexes that only grow. Each side keeps a private copy of its
 * own index and checks the other's on every use; a peer that writes nonsense
 * loses bytes but cannot lead out of the buffer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The shared part. head is written by the producer, tail by the consumer. */
struct ring_shared {
	_Alignas(64) uint32_t head;
	_Alignas(64) uint32_t tail;
	_Alignas(64) uint8_t data[];
};

struct ring {
	struct ring_shared *shared;
	uint32_t size; /* bytes of data[]: a power of two */
	uint32_t mine; /* own index */
};

/* Attaches to a ring, taking the own index from memory (zeroed = empty).
 * producer: which side the caller is. */
void ring_attach(struct ring *r, void *shared, uint32_t size, bool producer);
/* Producer: how many bytes may be put. */
uint32_t ring_room(const struct ring *r);
/* Producer: puts up to n bytes, returns how many. */
uint32_t ring_put(struct ring *r, const void *bytes, uint32_t n);
/* Consumer: how many bytes wait (0 if the peer's index is nonsense). */
uint32_t ring_waiting(const struct ring *r);
/* Consumer: takes up to n bytes, returns how many. */
uint32_t ring_get(struct ring *r, void *bytes, uint32_t n);

/* Anyone with the memory: the consumer has taken every byte. */
bool ring_is_taken(const struct ring_shared *shared);

/*
 * A channel between a client and the serial server: 4 pages. Output ring at
 * 0 (client produces, 8 KiB), input ring after it (server produces, 4 KiB).
 */
#define CHANNEL_BYTES 0x4000u
#define CHANNEL_OUT_OFFSET 0u
#define CHANNEL_OUT_SIZE 8192u
#define CHANNEL_IN_OFFSET 0x3000u
#define CHANNEL_IN_SIZE 2048u
_Static_assert(sizeof(struct ring_shared) + CHANNEL_OUT_SIZE <= CHANNEL_IN_OFFSET, "out");
_Static_assert(CHANNEL_IN_OFFSET + sizeof(struct ring_shared) + CHANNEL_IN_SIZE <= CHANNEL_BYTES,
	       "in");
