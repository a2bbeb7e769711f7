/*
 * The start of a system image, as the host tool patches it.
 *
 *   loader.img | pad | newc cpio (kernel.elf, kernel.dtb, rootserver) | pad |
 *   payload area
 *
 * The file begins with the 64-byte header of the arm64 Image format, whose
 * image_size must be set to the size of the whole file: firmware and QEMU
 * place the devicetree behind it. The struct below follows. Offsets count
 * from the start of the file, which is loaded at LOADER_BASE.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LOADER_BASE 0x40200000ull   /* 2 MiB aligned */
#define LOADER_IMAGE_SIZE_OFFSET 16 /* u64 in the Image header */
#define LOADER_HEADER_OFFSET 64
#define LOADER_MAGIC 0x4452444c564c4553ull /* "SELVLDRD" */
#define LOADER_VERSION 1u

struct loader_header {
	uint64_t magic;
	uint32_t version;
	uint32_t pad;
	uint64_t cpio_offset; /* 4096-aligned */
	uint64_t cpio_bytes;
	uint64_t payload_offset; /* 2 MiB aligned; 0: no payload area */
	uint64_t payload_bytes;
};
_Static_assert(sizeof(struct loader_header) == 48, "read by the host tool");
