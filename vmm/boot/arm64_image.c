/* arm64 Image: header checks. Nothing in it is believed without a bound. */
#include "arm64_image.h"

#include <selvage/base.h>

#define MAGIC_OFFSET 56
#define MAGIC 0x644d5241u /* "ARM\x64" */
#define FLAG_BIG_ENDIAN 1u
/* Kernels before 3.17 leave image_size 0 and want this offset. */
#define OLD_TEXT_OFFSET 0x80000u
/* Old kernels do not say how large their BSS is. */
#define OLD_BSS_BYTES 0x800000u
#define MAX_IMAGE_BYTES 0x40000000ull

const char *arm64_image_parse(const void *image, size_t bytes,
			      struct arm64_image *out)
{
	const uint8_t *header = image;
	uint64_t image_size;

	if (bytes < ARM64_IMAGE_HEADER)
		return "shorter than an arm64 Image header";
	if (load_le32(header + MAGIC_OFFSET) != MAGIC)
		return "not an arm64 Image: no magic number";
	if (load_le64(header + 24) & FLAG_BIG_ENDIAN)
		return "a big-endian arm64 Image";
	if (bytes > MAX_IMAGE_BYTES)
		return "an arm64 Image of more than 1 GiB";
	out->text_offset = load_le64(header + 8);
	image_size = load_le64(header + 16);
	if (image_size == 0) {
		out->text_offset = OLD_TEXT_OFFSET;
		image_size = bytes + OLD_BSS_BYTES;
	}
	if (out->text_offset >= ARM64_IMAGE_ALIGN ||
	    !is_aligned_u64(out->text_offset, 4096))
		return "an arm64 Image with a bad text offset";
	if (image_size > MAX_IMAGE_BYTES)
		return "an arm64 Image that wants more than 1 GiB";
	out->memory_bytes = max_u64(image_size, bytes);
	return NULL;
}
