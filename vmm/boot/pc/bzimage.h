/* The setup header of a bzImage. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct bzimage {
	uint32_t header_end;              /* of the setup header, in the image */
	uint64_t code_offset, code_bytes; /* the part for protected mode */
	bool relocatable, has_64;         /* has a 64-bit entry */
	uint32_t align, init_size;        /* memory that it needs until it knows the map */
	uint32_t initrd_max, cmdline_max; /* the initrd's last byte; without the end */
	uint64_t pref_address;
};

/* NULL and *out, or what is wrong. */
const char *bzimage_parse(const uint8_t *image, uint64_t bytes, struct bzimage *out);
