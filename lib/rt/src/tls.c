#include "internal.h"

#include <selvage/rt_arch.h>
#include <string.h>

static uintptr_t tls_value(const char *symbol)
{
	return (uintptr_t)symbol;
}

size_t rt_tls_bytes(void)
{
	return tls_value(__tls_block_bytes);
}

/* The block is 64-byte aligned, and process.ld bounds the alignment by 64. */
uintptr_t rt_tls_init(void *block)
{
	size_t image = tls_value(__tls_image_bytes), bytes = tls_value(__tls_bytes);
	char *data;
	uintptr_t pointer = rt_arch_tls_place(block, rt_tls_bytes(), bytes,
					      tls_value(__tls_align), &data);

	memcpy(data, __tls_image, image);
	memset(data + image, 0, bytes - image);
	return pointer;
}
