/*
 * What the fuzz targets of board `pc`'s devices share: a hostile guest at one of
 * them, while time goes by in leaps and lines move. Four bytes are a step. What
 * has to hold: a line is heard on changes only, an access is never a fault, and
 * what a timer asked for it does not ask for again once it was told.
 */
#pragma once

#include <dev/mmio.h>
#include <dev/timer_env.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A target has these: the device as it comes; an access, to one of up to eight
 * places; what its owner does; and what holds whenever. */
void device_start(void);
enum mmio_outcome device_access(unsigned which, struct mmio *m);
void device_act(const uint8_t *b);
void device_check(void);

static uint64_t now;
static bool line[3];

static inline uint64_t now_ns(void *opaque)
{
	(void)opaque;
	return now;
}

static inline void hear(unsigned n, bool level)
{
	if (line[n] == level)
		abort();
	line[n] = level;
}

static inline void set_irq(void *opaque, unsigned n, bool level)
{
	(void)opaque;
	hear(n, level);
}

static inline void set_level(void *opaque, bool level)
{
	(void)opaque;
	hear(0, level);
}

static inline void nothing(void *opaque)
{
	(void)opaque;
}

/* Told at its time, a timer has nothing left before it. */
static inline void keep(uint64_t due, uint64_t next)
{
	if (due <= now && next <= now)
		abort();
}

/* b[0]: bits 0-1 access, act or let time pass; 2-3 size; 4 write; 5-7 which. */
static void step(const uint8_t *b)
{
	struct mmio m = {
		.offset = b[1],
		.size = (uint8_t)(1u << (b[0] >> 2 & 3)),
		.write = b[0] >> 4 & 1,
		.value = b[2] | (uint64_t)b[3] << 8 | (uint64_t)b[2] << 16 |
			 (uint64_t)b[3] << 24 | (uint64_t)b[3] << (b[2] & 63),
	};
	enum mmio_outcome outcome;

	switch (b[0] & 3) {
	case 0: device_act(b); break;
	case 1: now += (uint64_t)b[1] << (b[2] & 31); break;
	default:
		outcome = device_access(b[0] >> 5, &m);
		if (outcome != MMIO_HANDLED && outcome != MMIO_IGNORED)
			abort();
		if (!m.write && outcome == MMIO_HANDLED && (m.value & ~mmio_mask(&m)) &&
		    m.size != 8)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	now = 1000000000;
	line[0] = line[1] = line[2] = false;
	device_start();
	for (; size >= 4; data += 4, size -= 4) {
		step(data);
		device_check();
	}
	return 0;
}
