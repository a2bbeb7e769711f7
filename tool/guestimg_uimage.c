/* U-Boot's legacy image: a big-endian header of 64 bytes, two CRC-32s. */
#include <selvage/base.h>
#include <selvage/crc32.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "guestimg.h"

#define HEADER 64u
#define MAGIC 0x27051956u
#define ARCH_ARM 2
#define ARCH_ARM64 22
#define TYPE_MULTI 4
#define TYPE_SCRIPT 6
#define COMP_NONE 0
#define COMP_GZIP 1

/* Deflate packs to no less than one in 1032 (RFC 1951, 3.2.5 and 3.2.7). */
#define RATIO_MAX 1032u
#define GZIP_ENDS 18u /* header and trailer */

static bool inflate_all(const uint8_t *data, size_t size, uint8_t *out, size_t out_size)
{
	z_stream z = {
		.next_in = (Bytef *)(uintptr_t)data,
		.avail_in = (uInt)size,
		.next_out = out,
		.avail_out = (uInt)out_size,
	};
	bool whole;

	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return false;
	whole = inflate(&z, Z_FINISH) == Z_STREAM_END && z.total_out == out_size;
	inflateEnd(&z);
	return whole;
}

/* The stream's last word says what it unpacks to (RFC 1952, 2.3.1). */
static const char *unpack(const uint8_t *data, size_t size, struct guestimg_kernel *kernel)
{
	size_t bytes = size > GZIP_ENDS ? load_le32(data + size - 4) : 0;

	if (bytes == 0 || bytes > GUESTIMG_UNPACKED_MAX || bytes / RATIO_MAX > size)
		return "is a packed uImage that unpacks to nothing, or to more than 256M; make "
		       "it again";
	kernel->unpacked = malloc(bytes);
	kernel->unpacked_size = bytes;
	if (!kernel->unpacked || !inflate_all(data, size, kernel->unpacked, bytes))
		return "is a packed uImage that does not unpack; make it again";
	return NULL;
}

static const char *check_kind(const uint8_t *h)
{
	if (h[29] != ARCH_ARM && h[29] != ARCH_ARM64)
		return "is a uImage for another processor; give one for Arm";
	if (h[30] == TYPE_MULTI || h[30] == TYPE_SCRIPT)
		return "is a uImage of several files or a script; give one program";
	if (h[31] != COMP_NONE && h[31] != COMP_GZIP)
		return "is a uImage packed otherwise than by gzip; make it with mkimage -C none";
	return NULL;
}

const char *guestimg_uimage(const uint8_t *data, size_t size, struct guestimg_kernel *kernel)
{
	uint8_t header[HEADER];
	const char *wrong;
	uint64_t bytes;

	if (size <= HEADER || load_be32(data) != MAGIC)
		return "is no uImage; leave `kind` out or give the kind that it is";
	memcpy(header, data, HEADER);
	memset(header + 4, 0, 4);
	bytes = load_be32(data + 12);
	if (crc32_update(0, header, HEADER) != load_be32(data + 4) || bytes == 0 ||
	    bytes > size - HEADER || crc32_update(0, data + HEADER, bytes) != load_be32(data + 24))
		return "is a uImage that is damaged or cut off (a checksum is wrong); copy it "
		       "again";
	wrong = check_kind(header);
	if (wrong)
		return wrong;
	kernel->width = header[29] == ARCH_ARM ? 32 : 64;
	kernel->entry = load_be32(data + 20);
	if (header[31] == COMP_GZIP)
		wrong = unpack(data + HEADER, bytes, kernel);
	if (wrong)
		return wrong;
	kernel->n_pieces = 1;
	kernel->piece[0] = (struct sysdesc_piece){
		.offset = kernel->unpacked ? 0 : HEADER,
		.bytes = kernel->unpacked ? kernel->unpacked_size : bytes,
		.gpa = load_be32(data + 16),
	};
	kernel->piece[0].size = kernel->piece[0].bytes;
	return NULL;
}
