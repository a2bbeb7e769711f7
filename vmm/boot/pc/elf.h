/* ELF images of PC guests, of 32 or 64 bits. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PC_ELF_SEGMENTS_MAX 16u

struct pc_elf_segment {
	uint64_t offset, bytes; /* in the image */
	uint64_t vaddr, paddr, memory_bytes;
};

struct pc_elf {
	bool wide;
	uint64_t entry; /* as the header has it: virtual */
	uint64_t load;  /* the lowest physical address with bytes of the image */
	uint64_t table; /* of program headers */
	uint32_t stride, count;
	unsigned n;
	struct pc_elf_segment segment[PC_ELF_SEGMENTS_MAX]; /* what is to be loaded */
};

/* NULL and *out, or what is wrong: every segment is in the image, below 2^52,
 * and overlaps no other one in physical memory. */
const char *pc_elf_parse(const uint8_t *image, uint64_t bytes, struct pc_elf *out);
/* The physical address of a virtual one; as it is if no segment has it. */
uint64_t pc_elf_physical(const struct pc_elf *elf, uint64_t vaddr);
/* The number that a note of 4 or 8 bytes holds. False: there is none. */
bool pc_elf_note(const uint8_t *image, uint64_t bytes, const struct pc_elf *elf,
		 const char *name, uint32_t type, uint64_t *value);
