/* Recognises the images that a VM boots. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* RAM that an arm64 Image takes, counted from a 2 MiB boundary: its text
 * offset and its run-time size (Linux, Documentation/arm64/booting.rst). */
struct guestimg_kernel {
	uint64_t text_offset;
	uint64_t image_size;
};

/* NULL if the bytes are an arm64 Image, else what they are instead, with a
 * hint: "cause; hint". */
const char *guestimg_check_kernel(const uint8_t *data, size_t size,
				  struct guestimg_kernel *kernel);
/* NULL if Linux takes the bytes as an initial RAM file system. */
const char *guestimg_check_initrd(const uint8_t *data, size_t size);
