/* The newc format of cpio(5): ASCII headers, names and data 4-aligned. */
#include "loader.h"

#include <stddef.h>

#define HEADER_BYTES 110
#define FIELD_FILESIZE 54
#define FIELD_NAMESIZE 94

static uint64_t align4(uint64_t v)
{
	return (v + 3) & ~3ull;
}

static uint64_t hex8(const char *p)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < 8; i++) {
		char c = p[i];
		v = v << 4 | (uint64_t)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
	}
	return v;
}

static int same(const char *a, const char *b)
{
	for (; *a == *b; a++, b++)
		if (!*a)
			return 1;
	return 0;
}

const void *cpio_find(const void *archive, uint64_t bytes, const char *name,
		      uint64_t *size)
{
	const char *p = archive;
	uint64_t at = 0;

	while (bytes >= HEADER_BYTES && at <= bytes - HEADER_BYTES) {
		const char *h = p + at;
		if (h[0] != '0' || h[1] != '7' || h[2] != '0' || h[3] != '7' || h[4] != '0')
			return NULL;
		uint64_t file = hex8(h + FIELD_FILESIZE);
		uint64_t data = align4(at + HEADER_BYTES + hex8(h + FIELD_NAMESIZE));
		if (data > bytes || file > bytes - data)
			return NULL;
		if (same(h + HEADER_BYTES, name)) {
			*size = file;
			return p + data;
		}
		at = align4(data + file);
	}
	return NULL;
}
