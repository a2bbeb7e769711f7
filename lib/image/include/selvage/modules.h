/*
 * The modules of a Multiboot guest, as one item of the payload: a header and
 * their bytes. The payload's checksum covers it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define MODULES_MAGIC 0x444d5653u /* "SVMD" */
#define MODULES_MAX 16u
#define MODULES_CMDLINE 256u /* bytes, the NUL included */

struct modules_item {
	uint64_t offset;               /* of its bytes, from the header's start */
	uint64_t bytes;                /* not 0 */
	char cmdline[MODULES_CMDLINE]; /* its last byte is 0 */
};

struct modules {
	uint32_t magic;
	uint32_t n; /* 1 to MODULES_MAX */
	struct modules_item item[MODULES_MAX];
};

/* NULL: `size` bytes at `data`, aligned to 8, are such an item, and all that it names is
 * within them. Else a static text. */
const char *modules_check(const void *data, size_t size);
