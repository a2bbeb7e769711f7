/* The header of a Multiboot image. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct multiboot {
	uint32_t header_at; /* in the file */
	uint32_t flags;
	bool has_addresses; /* else it is an ELF file, and the rest is not set */
	uint64_t offset, bytes, memory_bytes, load;
	uint32_t entry;
};

/* NULL and *out, or what is wrong. */
const char *multiboot_parse(const uint8_t *image, uint64_t bytes, struct multiboot *out);
