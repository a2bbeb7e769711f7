/*
 * What a device can reach of its driver's memory: all of a guest's RAM, or a
 * pool that is shared with it and nothing else. Addresses are the driver's;
 * every access is checked on the other side of these calls, and no pointer to
 * the memory exists on this one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct virtio_mem {
	void *opaque;
	/* Copies each byte once. False, and nothing copied, unless all of it is
	 * there. */
	bool (*read)(void *opaque, uint64_t at, void *to, size_t bytes);
	bool (*write)(void *opaque, uint64_t at, const void *from, size_t bytes);
	/* An aligned 16-bit word, in one access: the only kind that both sides
	 * of a ring write while the other one looks. */
	bool (*load)(void *opaque, uint64_t at, uint16_t *value);
	bool (*store)(void *opaque, uint64_t at, uint16_t value);
};
