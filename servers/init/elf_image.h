/*
 * Reading the ELF images of native processes: little-endian AArch64 ELF64
 * executables (System V ABI, chapters 4 and 5). Every offset is checked
 * against the image before it is used.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_image {
	const uint8_t *bytes;
	size_t size;
	uint64_t entry;
	uint16_t n_segments;
	uint64_t segments_offset;
};

struct elf_segment {
	uint64_t vaddr;
	uint64_t offset;     /* in the image */
	uint64_t file_bytes; /* <= memory_bytes; inside the image */
	uint64_t memory_bytes;
	bool writable, executable;
};

/* Returns NULL if the image is usable, else a static text. */
const char *elf_open(struct elf_image *elf, const void *bytes, size_t size);

/* The i-th loadable segment (i counts PT_LOAD headers); false: no more. */
bool elf_segment_get(const struct elf_image *elf, unsigned i,
		     struct elf_segment *segment);

/*
 * The function or object that covers `addr`: its name (inside the image) and
 * the offset into it. NULL if there is none or no symbol table.
 */
const char *elf_symbol(const struct elf_image *elf, uint64_t addr,
		       uint64_t *offset);
