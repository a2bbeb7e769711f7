/* The newc format of cpio(5), with fixed times, owners and numbers so that
 * equal content gives equal archives. */
#pragma once

#include <stddef.h>

struct buffer;

void cpio_append(struct buffer *out, const char *name, const void *data,
		 size_t size);
void cpio_finish(struct buffer *out);
