/* The arm64 Linux Image header (Documentation/arm64/booting.rst). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define ARM64_IMAGE_ALIGN 0x200000ull
#define ARM64_IMAGE_HEADER 64u

struct arm64_image {
	uint64_t text_offset;  /* from a 2 MiB boundary */
	uint64_t memory_bytes; /* what the kernel occupies, file included */
};

/* NULL and *out, or what is wrong. Only the header is read. */
const char *arm64_image_parse(const void *image, size_t bytes,
			      struct arm64_image *out);
