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

/* The block is 64-byte aligned and process.ld bounds the alignment by 64, so
 * the thread pointer may be its start. */
uintptr_t rt_tls_init(void *block)
{
	uintptr_t align = tls_value(__tls_align);
	uintptr_t offset = (RT_ARCH_TCB_BYTES + align - 1) & ~(align - 1);
	size_t image = tls_value(__tls_image_bytes);
	char *data = (char *)block + offset;

	memset(block, 0, offset);
	memcpy(data, __tls_image, image);
	memset(data + image, 0, tls_value(__tls_bytes) - image);
	return (uintptr_t)block;
}
