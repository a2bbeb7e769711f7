/* Makes headers of arm64 Images. */
#pragma once

#include <selvage/base.h>
#include <stdint.h>
#include <string.h>

static inline void make_image_header(uint8_t h[64], uint64_t text_offset,
				     uint64_t image_size, uint64_t flags)
{
	memset(h, 0, 64);
	store_le64(h + 8, text_offset);
	store_le64(h + 16, image_size);
	store_le64(h + 24, flags);
	memcpy(h + 56, "ARM\x64", 4);
}
