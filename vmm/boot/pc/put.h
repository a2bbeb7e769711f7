/* What the protocols share: things put into guest memory. */
#pragma once

#include "boot.h"

#include <stdbool.h>

/* Below 1 MiB first, and never at 0, which guests take for nothing. */
#define PC_PUT_FROM 0x1000ull

struct pc_elf;

struct pc_put {
	const struct pc_boot *boot;
	struct pc_places places;
	bool failed; /* something found no place */
};

void pc_put_begin(struct pc_put *p, const struct pc_boot *boot);
/* Bytes to a place below 4 GiB; where, or 0 and p->failed. */
uint32_t pc_put_bytes(struct pc_put *p, const void *from, uint64_t size, uint64_t align);
/* A string with its end; NULL is an empty one. */
uint32_t pc_put_string(struct pc_put *p, const char *text);
/* As high as possible below `to`, which counts up to the last page of 4 GiB,
 * page-aligned, for what is large. */
uint32_t pc_put_high(struct pc_put *p, const void *from, uint64_t size, uint64_t to);
/* What an ELF file has for guest memory, where it must be. NULL, or why not. */
const char *pc_put_elf(struct pc_put *p, const struct pc_elf *elf);
/* Descriptors, and in long mode page tables, and the entry with them. */
void pc_put_entry(struct pc_put *p, enum pc_mode mode, uint64_t rip, struct pc_entry *entry);
/* "no room ...", if something found none. */
const char *pc_put_end(const struct pc_put *p);
