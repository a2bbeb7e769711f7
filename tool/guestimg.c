#include "guestimg.h"

#include <stdbool.h>
#include <string.h>

struct magic {
	size_t offset;
	const char *bytes;
	size_t size;
	const char *what;
};

#define MAGIC(offset, bytes, what)                     \
	{                                              \
		offset, bytes, sizeof(bytes) - 1, what \
	}

/* What people take for an arm64 Image. */
static const struct magic not_kernels[] = {
	MAGIC(0, "\x1f\x8b", "is gzip-compressed; unpack it with gunzip"),
	MAGIC(0, "\x28\xb5\x2f\xfd", "is zstd-compressed; unpack it with zstd -d"),
	MAGIC(0, "\xfd"
		 "7zXZ",
	      "is xz-compressed; unpack it with unxz"),
	MAGIC(0, "\x7f"
		 "ELF",
	      "is an ELF file; give the arm64 Image, e.g. arch/arm64/boot/Image"),
	MAGIC(36, "\x18\x28\x6f\x01",
	      "is a 32-bit ARM zImage; give a 64-bit arm64 Image"),
	MAGIC(514, "HdrS", "is an x86 kernel; give an arm64 Image"),
	MAGIC(0, "070701", "is a cpio archive; is it the initrd?"),
};

static const struct magic initrds[] = {
	MAGIC(0, "\x1f\x8b", "gzip"),
	MAGIC(0, "070701", "cpio"),
	MAGIC(0, "070702", "cpio"),
	MAGIC(0, "\xfd"
		 "7zXZ",
	      "xz"),
	MAGIC(0, "\x28\xb5\x2f\xfd", "zstd"),
	MAGIC(0, "\x02\x21\x4c\x18", "lz4"),
	MAGIC(0, "BZh", "bzip2"),
	MAGIC(0, "\x5d\x00\x00", "lzma"),
	MAGIC(0, "\x89LZO\x00\x0d\x0a\x1a\x0a", "lzo"),
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define IMAGE_HEADER_SIZE 64
#define TEXT_OFFSET_AT 8
#define IMAGE_SIZE_AT 16
#define FLAGS_AT 24
#define MAGIC_AT 56
#define FLAG_BIG_ENDIAN 1u
#define IMAGE_ALIGN (2u << 20)

static bool has_magic(const uint8_t *data, size_t size, const struct magic *m)
{
	return size >= m->offset + m->size &&
	       memcmp(data + m->offset, m->bytes, m->size) == 0;
}

static uint64_t le64(const uint8_t *p)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < 8; i++)
		value |= (uint64_t)p[i] << (8 * i);
	return value;
}

const char *guestimg_check_kernel(const uint8_t *data, size_t size,
				  struct guestimg_kernel *kernel)
{
	for (size_t i = 0; i < COUNT(not_kernels); i++) {
		if (has_magic(data, size, &not_kernels[i]))
			return not_kernels[i].what;
	}
	if (size < IMAGE_HEADER_SIZE || memcmp(data + MAGIC_AT, "ARM\x64", 4))
		return "is no arm64 Image (no ARM\\x64 at byte 56); give the "
		       "Image of an arm64 kernel";
	kernel->text_offset = le64(data + TEXT_OFFSET_AT);
	kernel->image_size = le64(data + IMAGE_SIZE_AT);
	if (kernel->text_offset >= IMAGE_ALIGN ||
	    kernel->image_size > (1ull << 40))
		return "has an arm64 Image header that is damaged; copy the "
		       "file again";
	if (le64(data + FLAGS_AT) & FLAG_BIG_ENDIAN)
		return "is a big-endian kernel; give a little-endian one";
	if (kernel->image_size < size)
		kernel->image_size = size;
	return NULL;
}

const char *guestimg_check_initrd(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < COUNT(initrds); i++) {
		if (has_magic(data, size, &initrds[i]))
			return NULL;
	}
	if (size >= IMAGE_HEADER_SIZE && !memcmp(data + MAGIC_AT, "ARM\x64", 4))
		return "is an arm64 kernel; is it meant as `kernel`?";
	return "is no initial RAM file system (cpio, or one packed by gzip, "
	       "xz, zstd, lz4, bzip2, lzma or lzo); make it with cpio -o -H "
	       "newc";
}
