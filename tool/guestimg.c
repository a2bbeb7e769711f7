#include "guestimg.h"

#include <selvage/base.h>
#include <stdlib.h>
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

/* What says its kind at once. */
static const struct {
	struct magic magic;
	enum guestimg_kind kind;
} kinds[] = {
	{ MAGIC(0, "\x7f"
		   "ELF",
		""),
	  GUESTIMG_ELF },
	{ MAGIC(0, "\x27\x05\x19\x56", ""), GUESTIMG_UIMAGE },
	{ MAGIC(56, "ARM\x64", ""), GUESTIMG_IMAGE },
	{ MAGIC(36, "\x18\x28\x6f\x01", ""), GUESTIMG_ZIMAGE },
};

/* What people take for a kernel. */
static const struct magic not_kernels[] = {
	MAGIC(0, "\x1f\x8b", "is gzip-compressed; unpack it with gunzip"),
	MAGIC(0, "\x28\xb5\x2f\xfd", "is zstd-compressed; unpack it with zstd -d"),
	MAGIC(0, "\xfd"
		 "7zXZ",
	      "is xz-compressed; unpack it with unxz"),
	MAGIC(514, "HdrS", "is an x86 kernel; give one for Arm"),
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

#define ZIMAGE_HEADER_SIZE 52
#define ZIMAGE_MAGIC 0x016f2818u
#define ZIMAGE_LITTLE_ENDIAN 0x04030201u
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

static const char *check_image(const uint8_t *data, size_t size, struct guestimg_kernel *kernel)
{
	if (size < IMAGE_HEADER_SIZE || memcmp(data + MAGIC_AT, "ARM\x64", 4))
		return "is no arm64 Image (no ARM\\x64 at byte 56); give the "
		       "Image of an arm64 kernel";
	kernel->width = 64;
	kernel->text_offset = load_le64(data + TEXT_OFFSET_AT);
	kernel->image_size = load_le64(data + IMAGE_SIZE_AT);
	if (kernel->text_offset >= IMAGE_ALIGN ||
	    kernel->image_size > (1ull << 40))
		return "has an arm64 Image header that is damaged; copy the "
		       "file again";
	if (load_le64(data + FLAGS_AT) & FLAG_BIG_ENDIAN)
		return "is a big-endian kernel; give a little-endian one";
	if (kernel->image_size < size)
		kernel->image_size = size;
	return NULL;
}

/* Linux, arch/arm/boot/compressed/head.S: magic, start, end, byte order. */
static const char *check_zimage(const uint8_t *data, size_t size, struct guestimg_kernel *kernel)
{
	if (size < ZIMAGE_HEADER_SIZE || load_le32(data + 36) != ZIMAGE_MAGIC)
		return "is no zImage (no 0x016f2818 at byte 36); give the zImage of a 32-bit "
		       "Arm kernel";
	if (load_le32(data + 48) != ZIMAGE_LITTLE_ENDIAN)
		return "is a big-endian kernel; give a little-endian one";
	if (load_le32(data + 44) - load_le32(data + 40) > size)
		return "is a zImage that is cut off; copy the file again";
	kernel->width = 32;
	kernel->image_size = size;
	return NULL;
}

static const char *check_raw(size_t size, const struct guestimg_wish *wish,
			     struct guestimg_kernel *kernel)
{
	if (!wish->has_load)
		return "is raw, so it needs an address; give e.g. `load: 0x40010000`";
	if (wish->load + size < size)
		return "does not fit at that address; lower `load`";
	kernel->entry = wish->load;
	kernel->n_pieces = 1;
	kernel->piece[0] =
		(struct sysdesc_piece){ .bytes = size, .gpa = wish->load, .size = size };
	return NULL;
}

static const char *find_kind(const uint8_t *data, size_t size, enum guestimg_kind *kind)
{
	for (size_t i = 0; i < COUNT(kinds); i++) {
		if (has_magic(data, size, &kinds[i].magic)) {
			*kind = kinds[i].kind;
			return NULL;
		}
	}
	for (size_t i = 0; i < COUNT(not_kernels); i++) {
		if (has_magic(data, size, &not_kernels[i]))
			return not_kernels[i].what;
	}
	return "is no arm64 Image, zImage, ELF file or uImage; if its bytes are meant for one "
	       "address, give `kind: raw` and `load`";
}

static const char *check_kind(const uint8_t *data, size_t size, const struct guestimg_wish *wish,
			      struct guestimg_kernel *kernel)
{
	switch (kernel->kind) {
	case GUESTIMG_IMAGE:
		return check_image(data, size, kernel);
	case GUESTIMG_ZIMAGE:
		return check_zimage(data, size, kernel);
	case GUESTIMG_ELF:
		return guestimg_elf(data, size, kernel);
	case GUESTIMG_UIMAGE:
		return guestimg_uimage(data, size, kernel);
	default:
		return check_raw(size, wish, kernel);
	}
}

const char *guestimg_check_kernel(const uint8_t *data, size_t size,
				  const struct guestimg_wish *wish,
				  struct guestimg_kernel *kernel)
{
	const char *wrong = NULL;

	*kernel = (struct guestimg_kernel){ .kind = wish->kind };
	if (wish->kind == GUESTIMG_FIND)
		wrong = find_kind(data, size, &kernel->kind);
	if (!wrong && kernel->kind >= GUESTIMG_BZIMAGE)
		wrong = "has a `kind` that only a PC boots; give image, zimage, elf, uimage or raw";
	if (!wrong && wish->has_load && kernel->kind != GUESTIMG_RAW)
		wrong = "says itself where it goes; remove `load`, or give `kind: raw`";
	if (!wrong && wish->has_entry &&
	    (kernel->kind == GUESTIMG_IMAGE || kernel->kind == GUESTIMG_ZIMAGE))
		wrong = "is a Linux kernel, which is entered at its start; remove `entry`";
	if (!wrong)
		wrong = check_kind(data, size, wish, kernel);
	if (!wrong && wish->has_entry)
		kernel->entry = wish->entry;
	if (wrong)
		guestimg_free(kernel);
	return wrong;
}

void guestimg_free(struct guestimg_kernel *kernel)
{
	free(kernel->unpacked);
	kernel->unpacked = NULL;
}

bool guestimg_vectors(const uint8_t *words)
{
	unsigned branches = 0;

	for (unsigned i = 0; i < 8; i++) {
		uint32_t word = load_le32(words + 4 * i);

		branches += word >> 24 == 0xea || (word & 0xfffff000) == 0xe59ff000;
	}
	return branches >= 6;
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
