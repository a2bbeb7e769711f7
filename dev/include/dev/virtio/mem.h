/*
 * What a device can reach of its driver's memory: all of a guest's RAM, or a
 * pool that is shared with it and nothing else. Addresses are the driver's;
 * every access is checked, on the other side of these calls or in virtio_mem_at,
 * and no pointer to the memory is kept on this one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Some of it in one piece, which needs no call; none: `bytes` is 0. */
struct virtio_window {
	uint64_t address, bytes;
	uint8_t *memory;
};

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
	struct virtio_window window; /* the other side's to change, between accesses */
};

/* NULL: ask the other side. */
static inline uint8_t *virtio_mem_at(const struct virtio_mem *m, uint64_t at, size_t bytes)
{
	const uint64_t offset = at - m->window.address;

	return offset < m->window.bytes && bytes <= m->window.bytes - offset
		       ? m->window.memory + offset
		       : NULL;
}

static inline bool virtio_mem_read(const struct virtio_mem *m, uint64_t at, void *to, size_t bytes)
{
	const uint8_t *from = virtio_mem_at(m, at, bytes);

	if (from == NULL)
		return m->read(m->opaque, at, to, bytes);
	memcpy(to, from, bytes);
	/* It is read there once, whatever becomes of the copy. */
	__asm__ volatile(""
			 :
			 : "r"(to)
			 : "memory");
	return true;
}

static inline bool virtio_mem_write(const struct virtio_mem *m, uint64_t at, const void *from,
				    size_t bytes)
{
	uint8_t *to = virtio_mem_at(m, at, bytes);

	if (to == NULL)
		return m->write(m->opaque, at, from, bytes);
	memcpy(to, from, bytes);
	return true;
}

static inline uint16_t *virtio_mem_word(const struct virtio_mem *m, uint64_t at)
{
	return (at & 1) != 0 ? NULL : (uint16_t *)(void *)virtio_mem_at(m, at, sizeof(uint16_t));
}

static inline bool virtio_mem_load(const struct virtio_mem *m, uint64_t at, uint16_t *value)
{
	const uint16_t *p = virtio_mem_word(m, at);

	if (p == NULL)
		return m->load(m->opaque, at, value);
	*value = __atomic_load_n(p, __ATOMIC_RELAXED);
	return true;
}

static inline bool virtio_mem_store(const struct virtio_mem *m, uint64_t at, uint16_t value)
{
	uint16_t *p = virtio_mem_word(m, at);

	if (p == NULL)
		return m->store(m->opaque, at, value);
	__atomic_store_n(p, value, __ATOMIC_RELAXED);
	return true;
}
