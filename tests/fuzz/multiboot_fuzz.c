/* Multiboot 2 information as the kernel reads it: in its bounds, and so is what comes of it. */
#include "multiboot.h"
#include <selvage/base.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct multiboot mb;
	uint8_t *copy;

	if (size < 8 || load_le32(data) > size)
		return 0;
	/* Not a byte more than it says it has. */
	copy = malloc(max_u64(8, load_le32(data)));
	memcpy(copy, data, max_u64(8, load_le32(data)));
	memset(&mb, 0, sizeof(mb));
	if (multiboot2_parse(&mb, copy) == NULL) {
		if (mb.memory_count > HANDOVER_MEMORY || mb.module_count > MULTIBOOT_MODULES)
			abort();
		for (unsigned i = 0; i < mb.memory_count; i++)
			if (mb.memory[i].base + mb.memory[i].length + 4096 < mb.memory[i].base)
				abort();
		for (unsigned i = 0; i < mb.module_count; i++)
			if (mb.module[i].start > mb.module[i].end)
				abort();
	}
	free(copy);
	return 0;
}
