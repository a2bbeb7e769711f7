/*
 * CRC-32 as in IEEE 802.3, zlib and gzip: reflected polynomial 0xedb88320,
 * start and final complement. The checksum of "123456789" is 0xcbf43926.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Continues a checksum; `crc` is that of the bytes before, 0 for none. */
uint32_t crc32_update(uint32_t crc, const void *bytes, size_t n);

static inline uint32_t crc32_bytes(const void *bytes, size_t n)
{
	return crc32_update(0, bytes, n);
}
