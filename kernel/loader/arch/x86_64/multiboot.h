/* What a Multiboot loader says of the machine, by version 1 (0.6.96) or 2 (2.0). */
#pragma once

#include <arch/handover.h>

#define MULTIBOOT_MODULES 16
#define MULTIBOOT_RAM 1

struct multiboot {
	unsigned memory_count, module_count;
	struct multiboot_memory memory[HANDOVER_MEMORY]; /* no end of one wraps */
	struct multiboot_module {
		uint32_t start, end;
	} module[MULTIBOOT_MODULES];
	bool has_rsdp;
	uint8_t rsdp[RSDP_BYTES]; /* as it came; what it had not is 0 */
};

/* From EAX and EBX of the entry. NULL, or what is wrong. */
const char *multiboot_read(struct multiboot *out, uint32_t magic, paddr_t info);
/* Version 2's information alone, which is in one piece. */
const char *multiboot2_parse(struct multiboot *out, const uint8_t *info);
