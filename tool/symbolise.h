/*
 * Addresses in what the target prints, as names. The target writes
 * sym(PROGRAM,0xADDRESS); that becomes "function+0x12", or stays an address
 * where the program's ELF file tells no more.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "buffer.h"

struct symboliser {
	char *folder;       /* build/<config>; "kernel" is its kernel.elf, another
		       * program bin/PROGRAM.elf */
	struct buffer held; /* the start of what may become sym(...) */
};

/*
 * Appends `size` bytes to `out`, replaced where due. A possible start of
 * sym(...) at the end is held back until more comes or symbolise_flush.
 */
void symbolise(struct symboliser *s, const void *data, size_t size,
	       struct buffer *out);
void symbolise_flush(struct symboliser *s, struct buffer *out);
void symboliser_free(struct symboliser *s);
