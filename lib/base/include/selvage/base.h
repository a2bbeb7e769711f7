/*
 * Small helpers that everything uses: sizes, alignment, bits, ranges, bytes
 * in a given order. Freestanding; typed functions rather than macros where
 * an argument could be evaluated twice or change its width.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The structure of which `ptr` points at `member`. */
#define CONTAINER_OF(ptr, type, member) \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))
#define CONTAINER_OF_CONST(ptr, type, member) \
	((const type *)(const void *)((const char *)(ptr)-offsetof(type, member)))

static inline uint32_t min_u32(uint32_t a, uint32_t b) { return a < b ? a : b; }
static inline uint32_t max_u32(uint32_t a, uint32_t b) { return a > b ? a : b; }
static inline uint64_t min_u64(uint64_t a, uint64_t b) { return a < b ? a : b; }
static inline uint64_t max_u64(uint64_t a, uint64_t b) { return a > b ? a : b; }
static inline size_t min_size(size_t a, size_t b) { return a < b ? a : b; }
static inline size_t max_size(size_t a, size_t b) { return a > b ? a : b; }

/* 2^n and 2^n - 1; n may be 64 for the mask. */
static inline uint64_t bit_u64(unsigned n) { return (uint64_t)1 << n; }
static inline uint64_t mask_u64(unsigned n)
{
	return n >= 64 ? ~(uint64_t)0 : ((uint64_t)1 << n) - 1;
}

/* Bits [low, low + width) of x. */
static inline uint64_t bits_get_u64(uint64_t x, unsigned low, unsigned width)
{
	return (x >> low) & mask_u64(width);
}

static inline bool is_pow2_u64(uint64_t x) { return x && !(x & (x - 1)); }
/* Index of the lowest / highest one bit, number of ones; x is not 0 for the
 * first two. */
static inline unsigned bit_lowest_u64(uint64_t x)
{
	return (unsigned)__builtin_ctzll(x);
}
static inline unsigned bit_highest_u64(uint64_t x)
{
	return 63u - (unsigned)__builtin_clzll(x);
}
static inline unsigned bit_count_u64(uint64_t x)
{
	unsigned n = 0;

	for (; x; x &= x - 1)
		n++;
	return n;
}
/* The smallest n with 2^n >= x; 0 for x = 0. x is at most 2^63. */
static inline unsigned log2_ceil_u64(uint64_t x)
{
	return x <= 1 ? 0 : bit_highest_u64(x - 1) + 1;
}

/* `align` is a power of two. align_up wraps to 0 at the top of the range. */
static inline uint64_t align_down_u64(uint64_t x, uint64_t align)
{
	return x & ~(align - 1);
}
static inline uint64_t align_up_u64(uint64_t x, uint64_t align)
{
	return (x + align - 1) & ~(align - 1);
}
static inline bool is_aligned_u64(uint64_t x, uint64_t align)
{
	return !(x & (align - 1));
}
/* Quotient rounded up; `d` is not 0. */
static inline uint64_t div_up_u64(uint64_t x, uint64_t d)
{
	return x / d + (x % d ? 1 : 0);
}

/* Whether [at, at + size) lies in [start, start + len). No sum overflows. */
static inline bool range_within_u64(uint64_t at, uint64_t size, uint64_t start,
				    uint64_t len)
{
	return at >= start && at - start <= len && size <= len - (at - start);
}
/* Whether two ranges share a byte; an empty one shares none. */
static inline bool range_overlaps_u64(uint64_t a, uint64_t a_len, uint64_t b,
				      uint64_t b_len)
{
	if (!a_len || !b_len)
		return false;
	return a <= b ? b - a < a_len : a - b < b_len;
}

/* Unaligned loads and stores in little-endian or big-endian order. */
static inline uint16_t load_le16(const void *p)
{
	const uint8_t *b = p;

	return (uint16_t)(b[0] | b[1] << 8);
}
static inline uint32_t load_le32(const void *p)
{
	const uint8_t *b = p;

	return (uint32_t)load_le16(b) | (uint32_t)load_le16(b + 2) << 16;
}
static inline uint64_t load_le64(const void *p)
{
	const uint8_t *b = p;

	return (uint64_t)load_le32(b) | (uint64_t)load_le32(b + 4) << 32;
}
static inline uint16_t load_be16(const void *p)
{
	const uint8_t *b = p;

	return (uint16_t)(b[0] << 8 | b[1]);
}
static inline uint32_t load_be32(const void *p)
{
	const uint8_t *b = p;

	return (uint32_t)load_be16(b) << 16 | (uint32_t)load_be16(b + 2);
}
static inline uint64_t load_be64(const void *p)
{
	const uint8_t *b = p;

	return (uint64_t)load_be32(b) << 32 | (uint64_t)load_be32(b + 4);
}
static inline void store_le16(void *p, uint16_t v)
{
	uint8_t *b = p;

	b[0] = (uint8_t)v;
	b[1] = (uint8_t)(v >> 8);
}
static inline void store_le32(void *p, uint32_t v)
{
	store_le16(p, (uint16_t)v);
	store_le16((uint8_t *)p + 2, (uint16_t)(v >> 16));
}
static inline void store_le64(void *p, uint64_t v)
{
	store_le32(p, (uint32_t)v);
	store_le32((uint8_t *)p + 4, (uint32_t)(v >> 32));
}
static inline void store_be16(void *p, uint16_t v)
{
	uint8_t *b = p;

	b[0] = (uint8_t)(v >> 8);
	b[1] = (uint8_t)v;
}
static inline void store_be32(void *p, uint32_t v)
{
	store_be16(p, (uint16_t)(v >> 16));
	store_be16((uint8_t *)p + 2, (uint16_t)v);
}
static inline void store_be64(void *p, uint64_t v)
{
	store_be32(p, (uint32_t)(v >> 32));
	store_be32((uint8_t *)p + 4, (uint32_t)v);
}
