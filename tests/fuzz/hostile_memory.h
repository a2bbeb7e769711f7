/*
 * Memory of a driver that the fuzzer's input writes, and rewrites while it is
 * read: each access takes a byte of the input, which says whether.
 */
#pragma once

#include <dev/virtio/mem.h>
#include <selvage/base.h>
#include <string.h>

#define HM_BYTES 0x4000u

struct hostile {
	const uint8_t *data; /* the input: what is left of it */
	size_t left;
	uint64_t accesses;
	uint8_t ram[HM_BYTES];
};

/* The next byte; zeros when there is no more. */
static inline uint8_t hm_next(struct hostile *h)
{
	if (h->left == 0)
		return 0;
	h->left--;
	return *h->data++;
}

static inline uint32_t hm_next32(struct hostile *h)
{
	uint32_t value = hm_next(h);

	for (unsigned i = 1; i < 4; i++)
		value = value << 8 | hm_next(h);
	return value;
}

static inline bool hm_read(void *opaque, uint64_t at, void *to, size_t bytes)
{
	struct hostile *h = opaque;

	h->accesses++;
	if (!range_within_u64(at, bytes, 0, HM_BYTES))
		return false;
	memcpy(to, h->ram + at, bytes);
	if (bytes > 0 && (h->left & 3) == 1) /* of some accesses */
		h->ram[at + hm_next(h) % bytes] ^= hm_next(h);
	return true;
}

static inline bool hm_write(void *opaque, uint64_t at, const void *from, size_t bytes)
{
	struct hostile *h = opaque;

	h->accesses++;
	if (!range_within_u64(at, bytes, 0, HM_BYTES))
		return false;
	memcpy(h->ram + at, from, bytes);
	return true;
}

static inline bool hm_load(void *opaque, uint64_t at, uint16_t *value)
{
	uint8_t b[2];

	if (at % 2 != 0 || !hm_read(opaque, at, b, sizeof(b)))
		return false;
	*value = load_le16(b);
	return true;
}

static inline bool hm_store(void *opaque, uint64_t at, uint16_t value)
{
	uint8_t b[2];

	store_le16(b, value);
	return at % 2 == 0 && hm_write(opaque, at, b, sizeof(b));
}

static inline struct virtio_mem hm_mem(struct hostile *h)
{
	return (struct virtio_mem){ h, hm_read, hm_write, hm_load, hm_store, { 0 } };
}

/* A few bytes of memory from the input. */
static inline void hm_poke(struct hostile *h)
{
	uint32_t at = (uint32_t)hm_next(h) << 8 | hm_next(h);

	for (unsigned n = hm_next(h) % 32; n > 0; n--, at++)
		h->ram[at % HM_BYTES] = hm_next(h);
}

/* A descriptor that is likely to mean something. */
static inline void hm_desc(struct hostile *h, uint32_t table, bool packed)
{
	uint8_t *p = h->ram + table + 16 * (hm_next(h) % 16);
	uint16_t flags = hm_next(h) & 7;
	uint8_t other = hm_next(h);

	store_le64(p, (uint64_t)hm_next(h) << 6);
	store_le32(p + 8, (uint32_t)hm_next(h) << (hm_next(h) % 3 * 4));
	if (packed)
		flags |= (uint16_t)((other & 1) << 7 | (other & 2) << 14);
	store_le16(p + 12, packed ? other : flags);
	store_le16(p + 14, packed ? flags : other % 20);
}
