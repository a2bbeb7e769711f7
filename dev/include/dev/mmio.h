/*
 * An access of a guest to a device's registers, as a record, and what may
 * become of it. The monitor fills in the record from the exit, hands it to the
 * device, and carries out the outcome; a device knows neither the address it
 * stands at nor the vCPU's registers.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum mmio_outcome {
	/* Done. A read has its value in `value`, zero-extended. */
	MMIO_HANDLED,
	/* The device ignores it: a read gives 0 (already in `value`), a write
	 * changes nothing. `reason` says why; the guest goes on. Worth a line
	 * in the log per cause, not per access. */
	MMIO_IGNORED,
	/* The bus would answer with an error: inject a synchronous external
	 * abort into the guest. `reason` says why. */
	MMIO_FAULT,
};

struct mmio {
	uint64_t offset; /* from the start of the device's frame */
	uint8_t size;    /* bytes: 1, 2, 4 or 8 */
	bool write;
	/* Write: what is written, in the low `size` bytes; what is above means
	 * nothing. Read: the result. */
	uint64_t value;
	const char *reason; /* set with MMIO_IGNORED and MMIO_FAULT */
};

/* Bits that an access of `size` bytes carries. */
static inline uint64_t mmio_mask(const struct mmio *m)
{
	return m->size >= 8 ? ~0ull : (1ull << (m->size * 8u)) - 1;
}

/* Completes a read: the value is cut to the access's size. */
static inline enum mmio_outcome mmio_done(struct mmio *m, uint64_t value)
{
	m->value = value & mmio_mask(m);
	return MMIO_HANDLED;
}

/* A register of 8 bytes after a write of all of it or of the half at byte `at`. */
static inline uint64_t mmio_merge(uint64_t old, uint32_t at, unsigned size, uint64_t value)
{
	uint64_t mask = size == 8 ? ~0ull : 0xffffffffull << at * 8u;

	return (old & ~mask) | (value << at * 8u & mask);
}

/* Reads as zero, ignores a write. */
static inline enum mmio_outcome mmio_ignore(struct mmio *m, const char *reason)
{
	if (!m->write)
		m->value = 0;
	m->reason = reason;
	return MMIO_IGNORED;
}

static inline enum mmio_outcome mmio_fault(struct mmio *m, const char *reason)
{
	if (!m->write)
		m->value = 0;
	m->reason = reason;
	return MMIO_FAULT;
}

/* Is the record one that a device may be given? Its size is 1, 2, 4 or 8 and
 * it is naturally aligned. Who builds it looks; the devices do not. */
static inline bool mmio_valid(const struct mmio *m)
{
	unsigned below = m->size - 1u;

	return below < 8 && ((m->size | m->offset) & below) == 0;
}
